"""From what is asked for to what trains and evaluates: the network, the topology over it, the labelled pictures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from framekeep.jpeg.codec import encoder_versions
from framekeep.labelling.classes import classes_of
from framekeep.ladder import Ladder
from framekeep.models.catalogue import ModelChoice
from framekeep.models.classifier import Classifier
from framekeep.models.device import forbid_reduced_precision
from framekeep.models.network import Network
from study.data.folder import DataSet, read_folder
from study.networks import load
from study.passing.counting import ENCODER
from study.topology.features import Looking
from study.topology.module import Init, build_topology
from study.topology.pictures import Picture, View
from study.topology.processes import World
from study.topology.recipe import Recipe
from study.topology.runs import Run


@dataclass(frozen=True)
class Opened:
    """A network of record, and the topology over a copy of it."""

    choice: ModelChoice
    network: Network
    looking: Looking

    def run(self, recipe: Recipe) -> Run:
        """What a run with this recipe writes down."""
        looking = self.looking
        weights = str(self.choice.weights.absolute()) if self.choice.weights else None
        encoder = f"{encoder_versions()}, {ENCODER.subsampling}"
        ladder = ",".join(str(rung.quality) for rung in looking.view.ladder.rungs)
        return Run(self.choice.name, self.network.digest, weights, looking.model.transform, ladder, encoder, recipe)

    def read(self, folder: Path) -> DataSet:
        """The labelled pictures in and below a folder. Raises UsageError."""
        return read_folder(folder.resolve(), classes_of(self.network.class_names))


@dataclass(frozen=True)
class Wish:
    """What the topology is made of."""

    choice: ModelChoice
    ladder: Ladder
    init: Init
    seed: int


def open_topology(wish: Wish, world: World, workers: int) -> Opened:
    """Raises ModelUnavailableError, and UsageError for a network that cannot be put into the topology."""
    forbid_reduced_precision()
    network = load(wish.choice)
    model = Classifier(network, world.device, batch=1)
    view = View(wish.ladder, model.prepare, model.normalised)
    torch.manual_seed(wish.seed)
    topology = build_topology(network.module, view.inputs, wish.init)
    return Opened(wish.choice, network, Looking(model, view, topology, world, workers))


def pictures_of(sets: Iterable[DataSet]) -> list[Picture]:
    return [Picture(data.folder / one.path, one.label) for data in sets for one in data.pictures]


def without(pictures: Sequence[Picture], trained: Sequence[Picture]) -> list[Picture]:
    """Those that were not trained with: accuracy on what was learned by heart tells nothing."""
    known = {picture.path for picture in trained}
    return [picture for picture in pictures if picture.path not in known]
