"""The classifier of record: eager PyTorch in fp32 with the model's own evaluation transform."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform

from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from framekeep.models.batching import run_within
from framekeep.models.catalogue import ModelChoice
from framekeep.models.device import device_name, enough_memory, forbid_reduced_precision, pick_device
from framekeep.models.network import Network, load_network
from framekeep.models.shape import refuse_lines


def open_classifier(choice: ModelChoice, device: str, batch: int) -> "Classifier":
    """Load what the configuration asks for. `batch` is the most pictures that go through the network at once.

    Raises ModelUnavailableError.
    """
    place = pick_device(device)
    forbid_reduced_precision()
    return Classifier(load_network(choice), place, batch)


class Classifier:
    """A Model whose evidence is a prediction."""

    def __init__(self, network: Network, device: torch.device, batch: int) -> None:
        self.name = network.name
        self.digest = network.digest
        self.class_names: Sequence[str] = network.class_names
        self.device = device_name(device)
        configuration = resolve_model_data_config(network.module)  # type: ignore[no-untyped-call]  # as timm has it
        self.transform = ", ".join(f"{key} {value}" for key, value in sorted(configuration.items()))
        self._transform = create_transform(**configuration, is_training=False)
        with enough_memory(self.name, self.device):  # channels_last is still eager fp32, and much faster on a CPU
            self._module = network.module.to(device).to(memory_format=torch.channels_last)
        self._place = device
        self._batch = batch

    def prepare(self, image: Image.Image) -> Prepared:
        refuse_lines(image)
        pixels: Prepared = self._transform(image.convert("RGB")).numpy()
        return pixels

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        with enough_memory(self.name, self.device):
            evidence, self._batch = run_within(self._batch, batch, self._forward, torch.cuda.OutOfMemoryError)
        return evidence

    def _forward(self, batch: Sequence[Prepared]) -> list[Evidence]:
        with torch.inference_mode():
            pixels = torch.from_numpy(np.stack(batch)).to(self._place, memory_format=torch.channels_last)
            logits = self._module(pixels)
            if not torch.isfinite(logits).all():
                raise FloatingPointError(f"{self.name} gave an answer that is not finite")
            rows = logits.softmax(dim=1, dtype=torch.float32).cpu().numpy()
        return [Evidence(Prediction(row)) for row in rows]
