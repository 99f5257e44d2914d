"""torchvision's detectors: eager PyTorch in fp32, with the transform that is part of the network."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from framekeep.evidence import Evidence
from framekeep.models.base import Prepared
from framekeep.models.batching import run_within
from framekeep.models.detectors.catalogue import DetectorChoice
from framekeep.models.detectors.reading import detections
from framekeep.models.detectors.torchvision_network import DetectionNetwork, load_network
from framekeep.models.device import device_failures, device_name, forbid_reduced_precision, pick_device
from framekeep.models.shape import in_colours, refuse_lines


def open_torchvision(choice: DetectorChoice, device: str, batch: int) -> "TorchvisionDetector":
    """`batch`: the most pictures that go through the network at once. Raises ModelUnavailableError."""
    place = pick_device(device)
    forbid_reduced_precision()
    return TorchvisionDetector(load_network(choice), place, batch)


class TorchvisionDetector:
    """A Model whose evidence is detections."""

    def __init__(self, network: DetectionNetwork, device: torch.device, batch: int) -> None:
        self.name = network.name
        self.digest = network.digest
        self.class_names: Sequence[str] = network.class_names
        self.device = device_name(device)
        self.transform = " ".join(str(network.module.transform).split())
        with device_failures(self.name, self.device):
            self._module = network.module.to(device)
        for head in _heads(self._module):
            head.register_forward_hook(self._refuse_what_is_not_finite)
        self._categories = network.categories
        self._place = device
        self._batch = batch

    def prepare(self, image: Image.Image) -> Prepared:
        refuse_lines(image)
        return np.array(in_colours(image))  # a copy: PyTorch wants to be able to write

    def look(self, batch: Sequence[NDArray[np.uint8]]) -> list[Evidence]:
        answers: dict[int, Evidence] = {}
        for indices in _of_one_size(batch):
            answers |= zip(indices, self._look_at([batch[index] for index in indices]), strict=True)
        return [answers[index] for index in range(len(batch))]

    def _look_at(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Evidence]:
        with device_failures(self.name, self.device):
            evidence, self._batch = run_within(self._batch, pictures, self._forward, torch.cuda.OutOfMemoryError)
        return evidence

    def _forward(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Evidence]:
        with torch.inference_mode():
            tensors = [torch.from_numpy(pixels).to(self._place).permute(2, 0, 1) / 255 for pixels in pictures]
            return [self._evidence(answer) for answer in self._module(tensors)]

    def _evidence(self, answer: dict[str, torch.Tensor]) -> Evidence:
        labels, scores, boxes = (answer[key].cpu().numpy() for key in ("labels", "scores", "boxes"))
        return Evidence(detections=detections(self._categories, labels, scores, boxes))

    def _refuse_what_is_not_finite(self, _module: torch.nn.Module, _inputs: object, output: object) -> None:
        """The suppression behind the heads would silently drop it, and a damaged network would see empty pictures."""
        if not all(torch.isfinite(tensor).all() for tensor in _tensors(output)):
            raise FloatingPointError(f"{self.name} gave an answer that is not finite")


def _of_one_size(pictures: Sequence[NDArray[Any]]) -> Iterable[list[int]]:
    """The pictures' indices in groups: one that shares a batch with a larger one is padded, and its answer changes."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, pixels in enumerate(pictures):
        groups.setdefault(pixels.shape, []).append(index)
    return groups.values()


def _heads(module: Any) -> list[torch.nn.Module]:  # noqa: ANN401 - a Module's type knows no attributes
    """Of a network with one stage or with two."""
    return [module.head] if hasattr(module, "head") else [module.rpn.head, module.roi_heads.box_predictor]


def _tensors(output: object) -> Iterator[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        yield output
    else:
        for part in output.values() if isinstance(output, dict) else output:  # type: ignore[attr-defined]  # a sequence
            yield from _tensors(part)
