"""Opening a detector that OpenVINO runs, and proving that its file is what was declared."""

from dataclasses import asdict

from framekeep.errors import ModelUnavailableError
from framekeep.models.detectors.catalogue import (
    OID_CLASSES,
    OID_INPUT,
    PEDESTRIAN_CLASSES,
    PEDESTRIAN_CONVENTIONS,
    DetectorChoice,
    Kind,
    kind_of,
)
from framekeep.models.detectors.conventions import InputConventions
from framekeep.models.detectors.drawing import drawn
from framekeep.models.detectors.feeding import input_fault
from framekeep.models.detectors.given_boxes import GivenBoxes
from framekeep.models.detectors.graph import Graph, reason_of
from framekeep.models.detectors.graph_detector import GraphDetector
from framekeep.models.detectors.raw_heads import RawHeads
from framekeep.models.detectors.reading import Reader
from framekeep.models.detectors.weights import find_file
from framekeep.models.names import read_names


def open_graph(choice: DetectorChoice, jobs: int) -> GraphDetector:
    """`jobs`: the most pictures that are computed at once. Raises ModelUnavailableError."""
    names = _names(choice)
    weights = find_file(choice)
    graph = Graph(weights.path, jobs)
    wanted, reader = _understood(choice, names, graph)
    _refuse(choice, input_fault(wanted, graph.input_shape, graph.input_type))
    detector = GraphDetector(choice.name, weights.digest, names, _words(wanted, reader), graph, wanted, reader)
    _refuse(choice, _fault_in_a_look(detector))
    return detector


def _names(choice: DetectorChoice) -> tuple[str, ...]:
    if choice.class_names is not None:
        return read_names(choice.class_names)
    if choice.conventions is None:
        return OID_CLASSES if kind_of(choice) is Kind.OID else PEDESTRIAN_CLASSES
    raise ModelUnavailableError(f"{choice.name} is a detector of your own: set labels to a file with its class names")


def _understood(choice: DetectorChoice, names: tuple[str, ...], graph: Graph) -> tuple[InputConventions, Reader]:
    if kind_of(choice) is Kind.OID:
        return OID_INPUT, RawHeads(names)
    conventions = choice.conventions or PEDESTRIAN_CONVENTIONS
    output = conventions.output
    places = (graph.place_of(output.boxes), graph.place_of(output.scores), graph.place_of(output.classes))
    return conventions.input, GivenBoxes(conventions, places, names)


def _fault_in_a_look(detector: GraphDetector) -> str | None:
    try:
        return detector.fault(drawn())
    except RuntimeError as error:
        return f"it cannot look at a picture: {reason_of(error)}"
    except FloatingPointError as error:
        return str(error)


def _refuse(choice: DetectorChoice, fault: str | None) -> None:
    if fault is not None:
        raise ModelUnavailableError(f"the detector {choice.name} is not what was declared: {fault}")


def _words(wanted: InputConventions, reader: Reader) -> str:
    return ", ".join([*(f"{key} {value}" for key, value in sorted(asdict(wanted).items())), reader.words])
