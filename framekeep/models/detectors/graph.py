"""A network that OpenVINO reads and runs: on the CPU, in fp32."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino
from numpy.typing import DTypeLike, NDArray

from framekeep.errors import ModelUnavailableError
from framekeep.models.compiling import compiled
from framekeep.models.detectors.reading import Outputs

_FP32: Final = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
"""Without the first, processors that can compute in bf16 do, and answers change."""

_ELSEWHERE: Final = b"\n\x08location\x12"
"""How an ONNX file says that a tensor's numbers are in a file of their own."""


class Graph:
    """A compiled network with one picture as its input."""

    def __init__(self, path: Path, jobs: int) -> None:
        """`jobs`: the most pictures that are computed at once. Raises ModelUnavailableError."""
        try:
            network = compiled(_read(path), {**_FP32, "PERFORMANCE_HINT_NUM_REQUESTS": jobs})
        except (RuntimeError, OSError) as error:
            raise ModelUnavailableError(f"OpenVINO cannot read {path} as a network: {reason_of(error)}") from error
        if len(network.inputs) != 1:
            raise ModelUnavailableError(f"{path} wants {len(network.inputs)} inputs; a detector wants a picture only")
        self._path = path
        self.input_shape = _shape(network.inputs[0])
        self.input_type: DTypeLike = network.inputs[0].get_element_type().to_dtype()
        self.output_names = tuple(tuple(sorted(port.get_names())) for port in network.outputs)
        self._network = network
        self._jobs = int(network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def place_of(self, output: str | int) -> int:
        """Where an output stands that is named, or counted from 0. Raises ModelUnavailableError."""
        places: dict[str | int, int] = {place: place for place in range(len(self.output_names))}
        places |= {name: place for place, names in enumerate(self.output_names) for name in names}
        if output not in places:
            told = ", ".join(" or ".join(names) or "one without a name" for names in self.output_names)
            raise ModelUnavailableError(f"{self._path} has no output {output!r}: it has {told}, counted from 0")
        return places[output]

    def run(self, pictures: Sequence[NDArray[Any]]) -> list[Outputs]:
        """The outputs for each picture, in order. Raises RuntimeError for a picture that the network cannot take."""
        requests = [self._network.create_infer_request() for _ in range(min(self._jobs, len(pictures)))]
        answers: list[Outputs] = []
        for index, picture in enumerate(pictures):
            request = requests[index % len(requests)]
            if index >= len(requests):
                answers.append(_answer(request))
            request.start_async([picture])
        return answers + [_answer(requests[index % len(requests)]) for index in range(len(answers), len(pictures))]


def _answer(request: Any) -> Outputs:  # noqa: ANN401 - OpenVINO tells no types
    request.wait()
    return [np.array(tensor.data) for tensor in request.output_tensors]


def _read(path: Path) -> Any:  # noqa: ANN401 - OpenVINO tells no types
    """From what the digest is made of: no other file may have a say."""
    core = openvino.Core()
    if path.suffix == ".xml":
        return core.read_model(path.read_bytes(), path.with_suffix(".bin").read_bytes())
    if path.suffix == ".onnx" and _ELSEWHERE in path.read_bytes():
        raise ModelUnavailableError(f"{path} keeps its weights in other files, which no digest covers: save it as one")
    return core.read_model(path)


def _shape(port: Any) -> tuple[int, ...]:  # noqa: ANN401 - OpenVINO tells no types
    """-1 for a dimension of any length, () for a shape that is not known."""
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return ()
    return tuple(-1 if side.is_dynamic else side.get_length() for side in shape)


def reason_of(error: Exception) -> str:
    """The line that tells something, of the many that OpenVINO's errors have."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from", "Check '"))]
    return (told or lines)[0].rstrip(".:") if lines else type(error).__name__
