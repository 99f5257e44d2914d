"""Explaining one picture of a watched root, from its original where that can still be had. Changes nothing."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from daemon.apart import Apart
from daemon.config.schema import Config
from daemon.log import log
from daemon.rules import RuleBook, Rules
from framekeep.errors import LedgerError, UsageError
from framekeep.explaining import Explanation, Rule, explain
from framekeep.jpeg.source import understand
from framekeep.jpeg.squeeze import squeeze_apart
from framekeep.ladder import Rung
from framekeep.models.base import Model
from framekeep.reasons import Kept, Reason
from framekeep.regions.rule import Region
from framekeep.regions.shrinking import Shrunk, shrink_around
from framekeep.variants import Written
from storage.holds import HoldBook
from storage.ledger.opening import open_reader
from storage.ledger.reader import Reader
from storage.reading import Picture, read
from storage.records import Hold, Place, VaultEntry
from storage.root import Tree
from storage.vault import original_of


@dataclass(frozen=True, slots=True)
class Source:
    """Where an original's bytes are, the bytes, and the legal hold that covers them."""

    name: Literal["vault", "file"]
    data: bytes
    hold: Hold | None


@dataclass(frozen=True, slots=True)
class Explained:
    """What becomes of a picture, and why.

    Without `source` no bytes could be had, without `explanation` the model did not look at them.
    """

    place: Place
    rules: Rules
    source: Source | None
    explanation: Explanation | None
    outcome: Written | Kept


def explain_place(config: Config, model: Model, place: Place) -> Explained:
    """Raises UsageError where nothing is there or the vault is not open, ConfigurationError for an unreadable root."""
    rules = _of_its_age(RuleBook(config, model).for_path(place.path), place)
    if rules.exclude:
        return Explained(place, rules, None, None, Kept(Reason.EXCLUDED))
    source = None
    try:
        source = _source(config, place, rules.limits.max_bytes)
        rules = rules.for_picture(place.path)
        explanation = _explanation(source.data, rules, config.limits.max_seconds)
    except Kept as kept:
        return Explained(place, rules, source, None, kept)
    return Explained(place, rules, source, explanation, explanation.outcome)


def _of_its_age(rules: Rules, place: Place) -> Rules:
    """Those of the stage that the picture has reached; where none is there, those of a fresh one."""
    with suppress(OSError), Tree(place.root) as tree, tree.folder_of(place.path) as (folder, name):
        return rules.at(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns, time.time_ns())
    return rules


def _explanation(data: bytes, rules: Rules, seconds: float) -> Explanation:
    original = understand(data, rules.limits)
    squeezed = squeeze_apart(data) if rules.encoder.progressive else None
    rule = Rule(rules.keeper, rules.ladder, rules.encoder, rules.min_saving, rules.floor_quality, rules.regions)
    with Apart(seconds) as apart:

        def shrunk(data: bytes, regions: tuple[Region, ...], rung: Rung, subsampling: str) -> Shrunk:
            return apart.run(partial(shrink_around, data, regions, rung, subsampling))

        return explain(original, squeezed, rule, rules.model, shrunk)


def _source(config: Config, place: Place, max_bytes: int) -> Source:
    with Tree(place.root) as tree, _ledger(config.ledger.url) as reader:
        holds = HoldBook(reader, config.holds.rules) if reader else None
        held = reader.entry_of(place.root, place.path) if reader else None
        picture = _read(tree, place.path, max_bytes)
        file = (picture.identity.mtime_ns, picture.data) if picture else None
        if held and (picture is None or picture.sha256 == held.sha256_after):
            if held.generation > 1:
                raise Kept(Reason.ALREADY_SHRUNK, f"of generation {held.generation}: the camera's original is gone")
            data = _original(tree, held)
            return Source("vault", data, holds.over_either(tree, place, file, held) if holds else None)
        if picture is None:
            raise UsageError(f"{place.root}/{place.path} is not there, and the vault holds no original of it")
        if picture.is_marked or (reader and reader.wrote(picture.sha256)):
            raise Kept(Reason.ALREADY_SHRUNK, "framekeep wrote this file, and the vault holds no original for its path")
        return Source("file", picture.data, holds.over_either(tree, place, file, None) if holds else None)


def _original(tree: Tree, held: VaultEntry) -> bytes:
    try:
        return original_of(tree, held)
    except Kept as kept:
        if kept.reason is Reason.NOT_PERMITTED:
            raise UsageError(
                f"the vault of {tree.path} is not open to this user: ask as framekeep's own user"
            ) from kept
        raise


def _read(tree: Tree, path: str, max_bytes: int) -> Picture | None:
    """None where the path is gone."""
    try:
        return read(tree, path, max_bytes)
    except Kept as kept:
        if kept.reason is Reason.GONE:
            return None
        raise


@contextmanager
def _ledger(url: str) -> Iterator[Reader | None]:
    """None, and a warning, where the ledger cannot be read: then only the file itself can be explained."""
    try:
        reader = open_reader(url)
    except LedgerError as error:
        log.warning("explained_without_ledger", error=str(error))
        yield None
        return
    with reader:
        yield reader
