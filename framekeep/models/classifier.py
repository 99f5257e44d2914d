"""The classifier of record: a network in fp32 with the model's own evaluation transform."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from scipy.special import softmax
from timm.data.config import resolve_model_data_config

from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from framekeep.models.batching import run_within
from framekeep.models.catalogue import ModelChoice
from framekeep.models.device import device_failures, device_name, forbid_reduced_precision, pick_device
from framekeep.models.network import Network, load_network
from framekeep.models.normalising import Normalising
from framekeep.models.runtime import Eager, fastest
from framekeep.models.shape import in_colours, refuse_lines
from framekeep.models.transform import evaluation_transform


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
        configuration = resolve_model_data_config(network.module)  # type: ignore[no-untyped-call]  # as timm has it
        self.transform = ", ".join(f"{key} {value}" for key, value in sorted(configuration.items()))
        self._transform = evaluation_transform(configuration)
        mean, std, size = configuration["mean"], configuration["std"], configuration["input_size"][1:]
        self._normalised = Normalising(torch.nn.Identity(), mean, std)
        with device_failures(self.name, device_name(device)):
            eager = Eager.on(device, Normalising(network.module, mean, std))
            self._logits = fastest(eager, size, f"{self.digest} {self.transform}")
        self.device = device_name(device, self._logits.name)
        self._batch = batch

    def prepare(self, image: Image.Image) -> Prepared:
        refuse_lines(image)
        return self._transform(in_colours(image))

    def normalised(self, prepared: Sequence[Prepared]) -> torch.Tensor:
        """What the network itself is given, shape (pictures, 3, height, width), on the CPU."""
        pixels: torch.Tensor = self._normalised(torch.from_numpy(np.stack(prepared)))
        return pixels

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        with device_failures(self.name, self.device):
            evidence, self._batch = run_within(self._batch, batch, self._forward, torch.cuda.OutOfMemoryError)
        return evidence

    def _forward(self, batch: Sequence[Prepared]) -> list[Evidence]:
        logits = self._logits(np.stack(batch))
        if not np.isfinite(logits).all():
            raise FloatingPointError(f"{self.name} gave an answer that is not finite")
        return [Evidence(Prediction(row)) for row in softmax(logits, axis=1)]
