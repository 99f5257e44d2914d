"""What a picture costs under T1K, counted and not timed: looks, encodes, decodes, squeezes, fsyncs.

Sweeps are real but for the model. The interpreter tells of calls, and strace of fsyncs.
"""

import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from benchmarks.speed.site import rungs_seen
from benchmarks.torture.blink import Blink
from benchmarks.torture.drawing import drawn
from benchmarks.torture.driving import config_of
from benchmarks.torture.site import Site
from benchmarks.torture.tracing import Call, available, traced
from daemon.house import opened
from daemon.sweep import Sweeping, sweep, targets_of
from framekeep.jpeg.codec import decode, encode
from framekeep.jpeg.squeeze import squeeze
from framekeep.variants import settle_on
from storage.ledger.answers import Decision, Wanted
from storage.ledger.opening import open_reader

COUNTED = {function.__code__: name for name, function in (("encode", encode), ("decode", decode), ("squeeze", squeeze))}
COUNTED |= {Blink.prepare.__code__: "transform", Blink.look.__code__: "look", settle_on.__code__: "settle"}
SYNCS = 6
"""The sidecar, the variant and their folder; then the picture's folder, the vault, and the folder that both left."""
COMMITS = 2
"""The plan's, and the confirmation's; pictures in flight share them."""


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How often what is COUNTED is called meanwhile in any thread: a look counts each picture of its batch."""
    seen: list[str] = []  # which takes what threads tell at the same time

    def called(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and (name := COUNTED.get(frame.f_code)):
            given = frame.f_locals
            seen.extend([name] * (len(given["batch"]) if name == "look" else 1))
            seen.extend(["original squeezed"] * (given.get("squeezed") is not None))

    counts: Counter[str] = Counter()
    threading.setprofile(called)
    sys.setprofile(called)
    try:
        yield counts
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    counts.update(seen)


@pytest.fixture
def new_site(tmp_path: Path):
    """Makes sites with these pictures."""

    def made(name: str, pictures: Sequence[bytes]) -> Site:
        site = Site(tmp_path / name).make()
        (site.root / "gate").mkdir()
        for number, picture in enumerate(pictures):
            (site.root / "gate" / f"{number}.jpg").write_bytes(picture)
        return site

    return made


def swept(site: Site) -> tuple[Counter[str], list[Decision]]:
    config = config_of(site)
    with opened(config, Blink()) as house, counted() as counts:
        sweep(house, targets_of(config, []), Sweeping(dry_run=False))
    with open_reader(config.ledger.url) as reader:
        return counts, list(reader.decisions(Wanted()))


def test_a_sweep_looks_only_at_what_a_lazy_search_must_see(new_site):
    counts, decisions = swept(new_site("site", [drawn(seed, (160, 120)) for seed in range(10)]))
    climbed = [len(rungs_seen(decision.quality)) for decision in decisions]
    assert {decision.quality for decision in decisions} == {10, 20}
    assert counts["encode"] == sum(climbed)
    assert counts["transform"] == counts["look"] == sum(1 + rungs for rungs in climbed)
    assert counts["squeeze"] == counts["settle"] == len(decisions)
    # Besides what was looked at: what is squeezed and, where that is an original, the picture that it is compared with.
    assert counts["decode"] == counts["look"] + counts["squeeze"] + 2 * counts["original squeezed"]


def test_an_original_is_squeezed_only_where_it_may_win(new_site):
    coarse, fine = ([drawn(seed, (160, 120), quality=quality) for seed in range(3)] for quality in (15, 95))
    assert swept(new_site("fine", fine))[0]["original squeezed"] == 0
    assert swept(new_site("coarse", coarse))[0]["original squeezed"] == len(coarse)


@pytest.mark.skipif(not available(), reason="strace is not installed, or may not trace")
def test_a_replacement_is_fsynced_as_often_as_it_must_be(new_site):
    one, many = (new_site(str(count), [drawn(seed) for seed in range(count)]) for count in (1, 9))
    few, more = (synced(site) for site in (one, many))
    assert len(below(more, many.root)) - len(below(few, one.root)) == 8 * SYNCS
    assert len(below(more, many.ledger.parent)) <= len(below(few, one.ledger.parent)) + 8 * COMMITS


def synced(site: Site) -> list[Call]:
    command = [sys.executable, "-m", "benchmarks.torture.scenes", "swept", site.folder]
    calls = traced(command, ("fsync", "fdatasync"))
    with open_reader(f"sqlite:///{site.ledger}") as reader:
        assert {decision.rung is not None for decision in reader.decisions(Wanted())} == {True}
    return calls


def below(calls: Sequence[Call], folder: Path) -> list[Call]:
    return [call for call in calls if call.paths[0].startswith(str(folder))]
