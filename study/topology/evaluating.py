"""Ranks of the labels under the network alone, the mean of its logits, and the topology after each stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from framekeep.errors import UsageError
from study.topology.checkpoints import load
from study.topology.features import TOGETHER, Looking, Told
from study.topology.module import LastLayer, Topology, build_topology, parameter_count
from study.topology.pictures import Picture, Readable, in_groups
from study.topology.training import part_at, ranks_of, stage_file

DEFAULT = "default"
MEAN = "mean of logits"


@dataclass(frozen=True)
class Contender:
    """One row of the tables: a last layer over features, and the stage whose training made it (None: nothing did)."""

    name: str
    stage: int | None
    topology: Topology
    """Whose trunk makes the features."""
    head: LastLayer

    @property
    def trained(self) -> int:
        """Parameters that were trained."""
        if self.stage is None:
            return 0
        return parameter_count(self.head) + parameter_count(self.topology.trunk, trained=True)


@dataclass(frozen=True)
class Ranks:
    """The 1-based rank of each picture's label under each contender, by its name; shape (pictures,)."""

    pictures: int
    unreadable: int
    by_name: Mapping[str, NDArray[np.int64]]


def contenders(network: torch.nn.Module, looking: Looking, folder: Path) -> list[Contender]:
    """The rows that a run's folder gives so far, the network alone first. Raises UsageError where it has none.

    `looking` has the topology as it is with the init "original".
    """
    alone, inputs = looking.topology, looking.view.inputs
    found = [
        Contender(DEFAULT, None, alone, alone.head),
        Contender(MEAN, None, alone, build_topology(network, inputs, "mean").head),
    ]
    for stage in takewhile(lambda stage: stage_file(folder, stage).exists(), count()):
        topology = build_topology(network, inputs, "original")
        topology.unfreeze(stage)
        part_at(topology, stage).load_state_dict(load(stage_file(folder, stage)))
        found.append(Contender(_name(topology, stage), stage, topology if stage else alone, topology.head))
    if found[-1].stage is None:
        raise UsageError(f"{folder} holds no trained parameters yet: let framekeep study train finish an epoch")
    return found


def rank(pictures: Sequence[Picture], looking: Looking, rows: Sequence[Contender], told: Told) -> Ranks:
    """Shows every picture once to all contenders, which share features where they share a trunk."""
    found: dict[str, list[NDArray[np.int64]]] = {row.name: [] for row in rows}
    unreadable = 0
    groups = [range(len(pictures))[k : k + TOGETHER] for k in range(0, len(pictures), TOGETHER)]
    for met in in_groups(Readable(looking.view, pictures), groups, looking.workers):
        seen = [(k, pixels) for k, pixels in met if pixels is not None]
        unreadable += len(met) - len(seen)
        if seen:
            labels = torch.tensor([pictures[k].label for k, _ in seen], device=looking.world.device)
            pixels = torch.stack([pixels for _, pixels in seen]).to(looking.world.device)
            for name, ranks in _ranked(pixels, labels, rows).items():
                found[name].append(ranks)
        told(met[-1][0] + 1)
    if unreadable == len(pictures):
        raise UsageError("none of the pictures can be read")
    return Ranks(len(pictures) - unreadable, unreadable, {name: np.concatenate(parts) for name, parts in found.items()})


def _ranked(pixels: torch.Tensor, labels: torch.Tensor, rows: Sequence[Contender]) -> dict[str, NDArray[np.int64]]:
    features: dict[Topology, torch.Tensor] = {}
    ranks = {}
    with torch.inference_mode():
        for row in rows:
            if row.topology not in features:
                features[row.topology] = row.topology.eval().features(pixels)
            ranks[row.name] = ranks_of(row.head(features[row.topology]), labels).cpu().numpy()
    return ranks


def _name(topology: Topology, stage: int) -> str:
    return f"from {topology.blocks[-stage].name} onward" if stage else "last layer"
