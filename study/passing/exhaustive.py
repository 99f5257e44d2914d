"""One exhaustive pass over a data set: a network looks at all n+1 variants of every picture, once and for all.

What `observe` returns is all that a table or a figure needs; it reads from the cache what was seen before.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Self

from framekeep.errors import ModelUnavailableError, UsageError
from framekeep.evidence import Evidence
from framekeep.jpeg.codec import encoder_versions
from framekeep.keepers.labels import prediction_of
from framekeep.ladder import Ladder
from framekeep.models.base import Model
from framekeep.reasons import Kept
from study.data.folder import DataSet, Labelled
from study.observations import TOP, Conditions, Counting, Observations
from study.passing.cache import Cache, Key, Row
from study.passing.counting import ENCODER, Tried, read, try_out

_SHARD: Final = 100
"""Pictures that a shard holds, which is what an interruption costs at most."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a pass is made. `pictures` are in one batch; `threads` read, encode and decode."""

    ladder: Ladder
    counting: Counting
    cache: Path
    pictures: int
    threads: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Pictures that are done, of them those that the cache had already, and those that are left out."""

    done: int
    cached: int
    left_out: int
    total: int


Told = Callable[[Progress], None]


@dataclass(frozen=True)
class Observed:
    """What a pass came to: the observations, and why each picture that has none was left out."""

    observations: Observations
    left_out: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Met:
    """A picture that was read. `tried` is None where the cache has it; `why` tells why it is left out."""

    picture: Labelled
    key: Key | None = None
    tried: Tried | None = None
    why: str = ""


def conditions_of(model: Model, ladder: Ladder, counting: Counting) -> Conditions:
    """What the rows of a pass depend on."""
    encoder = f"{encoder_versions()}, {ENCODER.subsampling}"
    return Conditions(model.name, model.digest, model.transform, ladder, encoder, counting, len(model.class_names))


def observe(data: DataSet, model: Model, setting: Setting, told: Told) -> Observed:
    """Looks at what the cache does not have yet, and returns all of it.

    Raises UsageError where the cache cannot be written and where no picture can be looked at, ModelUnavailableError
    where the model fails.
    """
    cache = Cache.at(setting.cache, conditions_of(model, setting.ladder, setting.counting))
    known = cache.keys()
    wanted: list[tuple[str, Key]] = []
    left_out: dict[str, str] = {}
    cached = 0
    with _Shards(cache) as shards:
        for group in _grouped(_met(data, model, setting, known), setting.pictures):
            shards.add(_rows([(met.picture, met.tried) for met in group if met.tried is not None], model))
            cached += sum(met.tried is None and met.key is not None for met in group)
            wanted += [(met.picture.path, met.key) for met in group if met.key is not None]
            left_out |= {met.picture.path: met.why for met in group if met.key is None}
            told(Progress(len(wanted) + len(left_out), cached, len(left_out), len(data.pictures)))
    if not wanted:
        raise UsageError(f"no picture in {data.folder} could be looked at: {next(iter(left_out.values()))}")
    return Observed(cache.observations(wanted, model.class_names), left_out)


class _Shards:
    """Rows on their way to the cache; what is left goes there at the end, also where something stopped the pass."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._rows: list[Row] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def add(self, rows: Sequence[Row]) -> None:
        self._rows += rows
        if len(self._rows) >= _SHARD:
            self._write()

    def _write(self) -> None:
        if self._rows:
            self._cache.add(self._rows)
            self._rows = []


def _met(data: DataSet, model: Model, setting: Setting, known: set[Key]) -> Iterator[_Met]:
    """Every picture in order, read and tried out by threads that are no more than a batch ahead."""

    def meet(picture: Labelled) -> _Met:
        try:
            content, sha256 = read(data.folder / picture.path)
            key = (sha256, picture.label)
            if key in known:
                return _Met(picture, key)
            tried = try_out(content, sha256, setting.ladder, setting.counting, model.prepare)
            return _Met(picture, key, tried)
        except Kept as kept:
            return _Met(picture, why=kept.note or kept.reason.sentence)

    ahead = setting.threads + setting.pictures
    with ThreadPoolExecutor(setting.threads, thread_name_prefix="study") as pool:
        waiting: deque[Future[_Met]] = deque()
        try:
            for picture in data.pictures:
                waiting.append(pool.submit(meet, picture))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _grouped(mets: Iterable[_Met], pictures: int) -> Iterator[list[_Met]]:
    """Until so many are to be looked at, or many more are not."""
    group: list[_Met] = []
    waiting = 0
    for met in mets:
        group.append(met)
        waiting += met.tried is not None
        if waiting == pictures or len(group) >= _SHARD:
            yield group
            group, waiting = [], 0
    yield group


def _rows(tried: Sequence[tuple[Labelled, Tried]], model: Model) -> list[Row]:
    if not tried:
        return []
    try:
        seen = iter(model.look([variant for _, one in tried for variant in one.prepared]))
    except FloatingPointError as error:
        raise ModelUnavailableError(f"{error}: such a network cannot be studied") from error
    return [_row(picture, one, list(islice(seen, len(one.prepared)))) for picture, one in tried]


def _row(picture: Labelled, tried: Tried, seen: Sequence[Evidence]) -> Row:
    predictions = [prediction_of(evidence) for evidence in seen]
    tops = [prediction.top(TOP) for prediction in predictions]
    return Row(
        sha256=tried.sha256,
        label=picture.label,
        originals=tried.original,
        sizes=tried.sizes,
        eligible=tried.eligible,
        ranks=[prediction.rank(picture.label) for prediction in predictions],
        truth=[float(prediction.probabilities[picture.label]) for prediction in predictions],
        top=[k for top in tops for k, _ in top],
        probabilities=[probability for top in tops for _, probability in top],
    )
