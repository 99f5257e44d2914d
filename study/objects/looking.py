"""One pass over a folder's pictures: original and all rungs are made and looked at once, then every rule is judged."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from framekeep.errors import ModelUnavailableError, UsageError
from framekeep.models.both import Both
from framekeep.reasons import Kept
from study.objects.figures import Figures, Tally
from study.objects.judging import judged
from study.objects.rules import Bounds, Looked, rules_of
from study.passing.counting import Tried, read, try_out

SEED: Final = 2021

_AT_ONCE: Final = 4
"""The most pictures whose variants are held: a detector may want them in full size, which is 30 MB a megapixel."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Pictures by their paths relative to the folder; `of` is how many there were to draw from."""

    folder: Path
    paths: tuple[str, ...]
    of: int


@dataclass(frozen=True)
class Compared:
    """What a pass came to: figures by camera and rule, and why each picture that was not looked at was left out."""

    sample: Sample
    bounds: Bounds
    models: Both
    cameras: dict[str, dict[str, Figures]]
    left_out: dict[str, str]


def sampled(folder: Path, paths: Sequence[str], limit: int | None) -> Sample:
    """All pictures, or `limit` of them, always the same, in the order of their paths."""
    if limit is None or limit >= len(paths):
        return Sample(folder, tuple(paths), len(paths))
    drawn = np.sort(np.random.default_rng(SEED).choice(len(paths), limit, replace=False))
    return Sample(folder, tuple(paths[k] for k in drawn), len(paths))


def camera_of(path: str) -> str:
    """The first folder; "." for a picture that is in none."""
    head, slash, _ = path.partition("/")
    return head if slash else "."


def compare(sample: Sample, models: Both, bounds: Bounds, threads: int, told: Callable[[int], None]) -> Compared:
    """Looks at each picture and keeps only sums.

    At most `threads` read, encode and decode, few pictures ahead; `told` is told how many are done.
    Raises UsageError where no picture can be looked at, ModelUnavailableError where a model fails.
    """
    rules, tally = rules_of(bounds), Tally()
    left_out: dict[str, str] = {}
    for done, (path, tried) in enumerate(_tried(sample, models, bounds, threads), 1):
        if isinstance(tried, Kept):
            left_out[path] = tried.note or tried.reason.sentence
        else:
            for rule, figures in judged(tried.original, _looked(tried, models), rules, bounds):
                tally.add(camera_of(path), rule, figures)
        told(done)
    if len(left_out) == len(sample.paths):
        raise UsageError(f"no picture in {sample.folder} could be looked at: {next(iter(left_out.values()))}")
    return Compared(sample, bounds, models, tally.cameras, left_out)


def _looked(tried: Tried, models: Both) -> Looked:
    try:
        return Looked(tried.sizes, tried.eligible, tuple(models.look(tried.prepared)))
    except FloatingPointError as error:
        raise ModelUnavailableError(f"{error}: such a model cannot be studied") from error


def _tried(sample: Sample, models: Both, bounds: Bounds, threads: int) -> Iterator[tuple[str, Tried | Kept]]:
    """Every picture in order, with its variants or why it has none."""

    def meet(path: str) -> Tried | Kept:
        try:
            data, sha256 = read(sample.folder / path)
            return try_out(data, sha256, bounds.ladder, bounds.counting, models.prepare)
        except Kept as kept:
            return kept

    at_once = min(threads, _AT_ONCE)
    with ThreadPoolExecutor(at_once, thread_name_prefix="study") as pool:
        waiting: deque[tuple[str, Future[Tried | Kept]]] = deque()
        try:
            for path in sample.paths:
                waiting.append((path, pool.submit(meet, path)))
                if len(waiting) == at_once:
                    yield _result(*waiting.popleft())
            while waiting:
                yield _result(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _result(path: str, trying: Future[Tried | Kept]) -> tuple[str, Tried | Kept]:
    return path, trying.result()
