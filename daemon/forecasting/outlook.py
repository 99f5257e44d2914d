"""What a forecast says of each option, in an administrator's measures. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from daemon.forecasting.estimating import Interval
from daemon.forecasting.options import Option
from daemon.forecasting.recommending import Recommendation, recommend
from daemon.forecasting.sample import Sample
from framekeep.keepers.base import Need

_ENOUGH: Final = 20
"""Pictures that a recommendation needs, where the archive has so many."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """For the whole archive: how many times smaller it becomes, the bytes that saves, the seconds of a sweep."""

    option: Option
    ratio: Interval
    saved: Interval
    seconds: float
    recognised: float
    """Of the pictures that models see, the share in which anything is recognised."""


def outlooks(options: Sequence[Option], sample: Sample, confidence: float) -> list[Outlook]:
    """Nothing where no picture was looked at."""
    if not len(sample):
        return []
    size = sum(stratum.bytes for stratum in sample.strata)
    figures = zip(options, sample.ratios(confidence), sample.seconds(), sample.recognised(), strict=True)
    return [
        Outlook(option, ratio, _saved(size, ratio), float(seconds), float(recognised))
        for option, ratio, seconds, recognised in figures
    ]


def recommendation(told: Sequence[Outlook], sample: Sample) -> Recommendation | None:
    """None where too few pictures were looked at."""
    if not told or (len(sample) < _ENOUGH and not sample.has_all):
        return None
    shares = {one.option.need: one.recognised for one in told}
    return recommend(shares[Need.PREDICTION], shares.get(Need.DETECTIONS))


def _saved(size: int, ratio: Interval) -> Interval:
    return Interval(*(size * (1 - 1 / times) for times in (ratio.value, ratio.low, ratio.high)))
