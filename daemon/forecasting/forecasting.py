"""A forecast: pictures are drawn and tried until what they tell of the archive is certain enough."""

import asyncio
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random
from types import FrameType
from typing import Final

from daemon.config.policy import Policy, PolicyBook
from daemon.config.schema import Config
from daemon.forecasting.judging import Tried
from daemon.forecasting.listing import Target, list_pictures
from daemon.forecasting.options import Models, Option, options_for
from daemon.forecasting.progress import Progress
from daemon.forecasting.sample import Sample, Stopping
from daemon.forecasting.sampling import Archive, Turn, in_order
from daemon.forecasting.trying import Bench, Terms
from daemon.log import log
from daemon.models import open_detection, open_model
from daemon.rules import check_encoders, limits_of
from daemon.sweep import stages_of
from framekeep.errors import ConfigurationError, FramekeepError, ModelUnavailableError, UsageError
from framekeep.keepers.base import Need
from framekeep.keepers.naming import compares_objects
from framekeep.reasons import Kept, Reason
from framekeep.variants import Encoder
from storage.reading import read
from storage.root import Tree

_PATIENCE_SECONDS: Final = 0.2
_DAY_NS: Final = 86_400 * 10**9
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What came of it. `sample` is None where the pictures were not even counted."""

    archive: Archive
    models: Mapping[Need, str]
    """Their names."""
    options: Sequence[Option]
    sample: Sample | None
    progress: Progress


def open_models(config: Config) -> Models:
    """The configured classifier, and the detector, where it is here. Raises FramekeepError."""
    models = {Need.PREDICTION: open_model(config.selection)}
    try:
        models[Need.DETECTIONS] = open_detection(config)
    except ModelUnavailableError as error:
        if any(map(compares_objects, config.keepers)):
            raise
        log.warning("forecast_without_objects", why=str(error))
    return models


def forecast(
    config: Config, models: Models, targets: Sequence[Target], confidence: float, progress: Progress
) -> Forecast:
    """Changes nothing. SIGINT and SIGTERM end it with what is known by then. Raises FramekeepError."""
    archive = Archive(Random())  # noqa: S311 - a sample, no secret
    options = options_for(models, config.detection.regions)
    policies = PolicyBook(config)
    for policy in policies.policies:
        for one in (policy, *policy.later):
            check_encoders(one.ladder)
    names = {need: model.name for need, model in models.items()}
    with _interruptible(progress), ExitStack() as held:
        trees = [held.enter_context(_opened(target)) for target in targets]
        list_pictures(config, targets, archive, progress)
        if progress.interrupted:
            return Forecast(archive, names, options, None, progress)
        sample = Sample(archive.strata(), len(options))
        progress.begin()
        with stages_of(config) as stages:
            trial = _Trial(config, policies, trees, Bench(stages, models, options))
            asyncio.run(_fill(sample, trial, Stopping(confidence), progress))
    return Forecast(archive, names, options, sample, progress)


@contextmanager
def _interruptible(progress: Progress) -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        progress.interrupted = True

    before = [(number, signal.signal(number, interrupt)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _opened(target: Target) -> Tree:
    try:
        return Tree(target.place.root)
    except ConfigurationError as error:
        raise UsageError(f"{target.place.root} cannot be read: {error.__cause__}") from error


async def _fill(sample: Sample, trial: "_Trial", stopping: Stopping, progress: Progress) -> None:
    for k in in_order(sample.strata):
        tried = await _unless_interrupted(asyncio.create_task(trial.of(sample.next_turn(k))), progress)
        if tried is None:
            return
        sample.add(k, tried)
        progress.looked = len(sample)
        if stopping.is_enough(sample):
            return
        progress.reach = stopping.reach
        if progress.time_is_over() or trial.is_stuck:
            return


async def _unless_interrupted(trying: asyncio.Task[Tried], progress: Progress) -> Tried | None:
    """A person does not wait for a picture that takes minutes. Time that is over does: it would miss the slow ones."""
    while not (await asyncio.wait({trying}, timeout=_PATIENCE_SECONDS))[0] and not progress.interrupted:
        pass
    if not progress.interrupted:
        return trying.result()
    trying.cancel()
    await asyncio.wait({trying})
    return None


class _Trial:
    """Reads pictures and has them tried on the terms of their policies."""

    def __init__(self, config: Config, policies: PolicyBook, trees: Sequence[Tree], bench: Bench) -> None:
        self._encoder = Encoder(config.encoder.subsampling, config.encoder.progressive)
        self._limits = limits_of(config)
        self._policies = policies
        self._trees = trees
        self._bench = bench

    @property
    def is_stuck(self) -> bool:
        return self._bench.is_stuck

    async def of(self, turn: Turn) -> Tried:
        """A failure with one picture leaves it as it is, as in a sweep. Raises FramekeepError."""
        try:
            return await self._tried(turn)
        except FramekeepError:
            raise
        except Kept as kept:
            return self._bench.unchanged(kept.reason)
        except Exception:  # noqa: BLE001 - one picture's failure must not stop the forecast
            log.exception("picture_failed", path=turn.path)
            return self._bench.unchanged(Reason.ERROR)

    async def _tried(self, turn: Turn) -> Tried:
        policy = self._policies.for_path(turn.path)
        if policy.exclude:
            raise Kept(Reason.EXCLUDED)
        picture = read(self._trees[turn.tree], turn.path, self._limits.max_bytes, quietly=True)
        if picture.is_marked:
            raise Kept(Reason.ALREADY_SHRUNK)
        policy = _stage(policy, time.time_ns() - picture.identity.mtime_ns)
        return await self._bench.tried(picture.data, Terms(policy, self._encoder, self._limits))


def _stage(policy: Policy, age_ns: int) -> Policy:
    """What holds for a picture of an age."""
    reached = [later for later in policy.later if later.from_days * _DAY_NS <= age_ns]
    return reached[-1] if reached else policy
