"""A forecast as a table and as JSON."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, Final

import typer

from cli.paths import as_text
from cli.tables import cell, facts, show, size, table
from daemon.forecasting.estimating import Interval
from daemon.forecasting.forecasting import Forecast
from daemon.forecasting.outlook import Outlook, outlooks, recommendation
from daemon.forecasting.sample import NARROW
from daemon.walk import PassedOver
from framekeep.keepers.base import Need
from framekeep.reasons import Standing

_WIDTH: Final = 80
_UNITS: Final = (("s", 1, 100), ("min", 60, 6000), ("h", 3600, math.inf))
"""Of time: each with its seconds, and those from which on the next is told."""
_PARTIAL: Final = 3
_INTERRUPTED: Final = 130


def document(found: Forecast, confidence: float) -> dict[str, Any]:
    """As docs/schemas/forecast.json has it."""
    sample, progress = found.sample, found.progress
    told = outlooks(found.options, sample, confidence) if sample else []
    advised = recommendation(told, sample) if sample else None
    return {
        "pictures": found.archive.pictures,
        "bytes": found.archive.bytes,
        "cameras": _cameras(found),
        "looked": progress.looked,
        "left_alone": {reason.word: count for reason, count in sample.kept.items()} if sample else {},
        "confidence": confidence,
        "narrow": _is_narrow(told),
        "seconds": round(progress.seconds(), 3),
        "interrupted": progress.interrupted,
        "passed_over": {why.value: progress.passed_over[why] for why in PassedOver},
        "classifier": found.models.get(Need.PREDICTION),
        "detector": found.models.get(Need.DETECTIONS),
        "forecasts": [_forecast(one) for one in told],
        "recommendation": {"advice": advised.advice.value, "sentence": advised.sentence} if advised else None,
    }


def _cameras(found: Forecast) -> list[dict[str, Any]]:
    looked = found.sample.looked() if found.sample else {}
    return [
        {"camera": as_text(name), "pictures": camera.pictures, "bytes": camera.bytes, "looked": looked.get(name, 0)}
        for name, camera in sorted(found.archive.cameras.items())
    ]


def _forecast(one: Outlook) -> dict[str, Any]:
    return {
        "keeper": one.option.keeper,
        "min_confidence": one.option.min_confidence,
        "regions": one.option.regions,
        "ratio": _interval(one.ratio, 4),
        "bytes_saved": _interval(one.saved, 0),
        "recognised": round(one.recognised, 4),
        "hours": round(one.seconds / 3600, 4),
    }


def _interval(interval: Interval, digits: int) -> dict[str, float | None]:
    """`high` is null where nothing bounds it."""
    bounds = {"estimate": interval.value, "low": interval.low, "high": interval.high}
    return {
        name: None if math.isinf(bound) else round(bound, digits) if digits else round(bound)
        for name, bound in bounds.items()
    }


def show_forecast(found: Forecast, confidence: float) -> None:
    """Prints at most 80 columns."""
    sample = found.sample
    told = outlooks(found.options, sample, confidence) if sample else []
    _show_facts(found)
    if not told or sample is None:
        return
    typer.echo()
    shown = table(
        *(columns := ("keeper", "smaller", f"{100 * confidence:g}% interval", "saves", "takes", "recognised")),
        right=columns[1:],
    )
    for one in told:
        shown.add_row(one.option.name, *_cells(one))
    show(shown)
    advised = recommendation(told, sample)
    sentence = advised.sentence if advised else "too few pictures were looked at to recommend anything"
    typer.echo("\n" + textwrap.fill(f"Recommended: {sentence}.", _WIDTH))


def _show_facts(found: Forecast) -> None:
    archive, sample = found.archive, found.sample
    shown = facts()
    shown.add_row("pictures", f"{archive.pictures:,} of {len(archive.cameras):,} cameras, {size(archive.bytes)}")
    shown.add_row("looked at", f"{found.progress.looked:,} of them, in {found.progress.seconds():.0f} s")
    if sample and sample.kept:
        whys = ", ".join(f"{count} {reason.word}" for reason, count in sample.kept.most_common())
        for k, line in enumerate(textwrap.wrap(whys, _WIDTH - 12)):
            shown.add_row("" if k else "left alone", cell(line))
    show(shown)


def _cells(one: Outlook) -> tuple[str, ...]:
    low, high = one.ratio.low, one.ratio.high
    between = f"{low:.2f} to {high:.2f}" if high < 1000 else f"{low:.2f} or more"  # noqa: PLR2004 - as good as unbounded
    return (
        f"{one.ratio.value:.2f}x",
        between,
        size(round(one.saved.value)),
        _duration(one.seconds),
        f"{one.recognised:.0%}",
    )


def _duration(seconds: float) -> str:
    """Such as "40 s", "7 min" or "1,200 h"."""
    unit, length = next(one for one in _UNITS if seconds < one[2])[:2]
    return f"{seconds / length:,.0f} {unit}"


def _is_narrow(told: Sequence[Outlook]) -> bool:
    return bool(told) and all(one.ratio.reach <= NARROW for one in told)


def tell_shortcomings(found: Forecast, confidence: float) -> None:
    """On stderr: what stands in the way of a forecast, or of a better one."""
    progress, sample = found.progress, found.sample
    if unreadable := progress.passed_over[PassedOver.UNREADABLE]:
        typer.echo(f"{unreadable} folders or files could not be read (passed_over above)", err=True)
    if mounts := progress.passed_over[PassedOver.OTHER_FILESYSTEM]:
        typer.echo(f"{mounts} folders are on another filesystem (passed_over above): name them, too", err=True)
    if sample is None or (progress.interrupted and not len(sample)):
        typer.echo("interrupted before a picture was looked at: nothing can be told", err=True)
    elif not found.archive.cameras:
        typer.echo("there are no pictures to look at", err=True)
    elif not _is_narrow(outlooks(found.options, sample, confidence)):
        typer.echo(
            f"the intervals are wider than {NARROW:.0%} to both sides: a larger --max-minutes makes them narrower",
            err=True,
        )


def exit_code(found: Forecast) -> int:
    if found.progress.interrupted:
        return _INTERRUPTED
    failed = found.sample is not None and any(why.standing is Standing.FAILED for why in found.sample.kept)
    return _PARTIAL if failed or found.progress.passed_over[PassedOver.UNREADABLE] else 0
