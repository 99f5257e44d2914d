"""Tables as one JSON object; docs/schemas/study_tables.json describes it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from study.data.folder import DataSet
from study.measuring import LEVEL, Estimate, Gains, Measures, Resampling
from study.observations import Observations
from study.published import DEFAULT_GB, HRS_GAIN, NETWORKS
from study.report import Absent, NetworkReport
from study.tables.sheets import Sheet


@dataclass(frozen=True)
class Facts:
    """What all networks share: the set, what was left out of it and why, the resampling."""

    data: DataSet
    left_out: Mapping[str, str]
    seen: Observations
    resampling: Resampling


def document(reports: Sequence[NetworkReport | Absent], facts: Facts, made: Sequence[Sheet]) -> dict[str, Any]:
    """The first network's selectors stand at the top; every network's under `networks`. No path of the machine."""
    networks = {_name(one): _absent(one) if isinstance(one, Absent) else _network(one) for one in reports}
    first = next(one for one in reports if isinstance(one, NetworkReport))
    conditions = first.conditions.document()
    return {
        **_selectors(first),
        "network": first.conditions.model,
        "networks": networks,
        "data": _data(facts),
        "counting": conditions["counting"],
        "ladder": conditions["ladder"],
        "encoder": conditions["encoder"],
        "bootstrap": {**asdict(facts.resampling), "level": LEVEL, "method": "percentile"},
        "checked": ["theorem 1 at every k", "t1k keeps top-1", "t5k keeps top-5", "ttk keeps both"],
        "published": _published(),
        "tables": [
            {"number": s.number, "title": s.title, "headers": s.headers, "rows": s.rows, "words": s.words} for s in made
        ],
    }


def _name(one: NetworkReport | Absent) -> str:
    return one.name if isinstance(one, Absent) else one.conditions.model


def _absent(one: Absent) -> dict[str, Any]:
    return {"measured": False, "why": f"weights not present: {one.why}"}


def _network(one: NetworkReport) -> dict[str, Any]:
    rungs = ["original", *(rung.name for rung in one.conditions.ladder.rungs)]
    return {
        "measured": True,
        "digest": one.conditions.digest,
        "transform": one.conditions.transform,
        "parameters": one.parameters,
        "device": one.device,
        **_selectors(one),
        "hrs_gain": _gains(one.hrs_gains),
        "selected": {name: dict(zip(rungs, counts, strict=True)) for name, counts in one.histograms.items()},
        "constant": {f"q{quality}": _measures(measures) for quality, measures in one.constants.items()},
        "min_confidence": {
            f"{level:g}": {name: _measures(measures) for name, measures in keepers.items()}
            for level, keepers in one.confident.items()
        },
    }


def _selectors(one: NetworkReport) -> dict[str, Any]:
    return {name: _measures(measures) for name, measures in one.selectors.items()}


def _measures(measures: Measures) -> dict[str, Any]:
    return {
        "top1": measures.top1.value,
        "top5": measures.top5.value,
        "bytes": int(measures.bytes.value),
        "cr": measures.cr.value,
        "intervals": {
            "top1": _interval(measures.top1),
            "top5": _interval(measures.top5),
            "bytes": _interval(measures.bytes),
            "cr": _interval(measures.cr),
        },
    }


def _gains(gains: Gains) -> dict[str, Any]:
    both = {"top1": gains.top1, "top5": gains.top5}
    return {name: one.value for name, one in both.items()} | {
        "intervals": {name: _interval(one) for name, one in both.items()}
    }


def _interval(estimate: Estimate) -> list[float]:
    return [estimate.low, estimate.high]


def _data(facts: Facts) -> dict[str, Any]:
    """`digest` is the same for the same pictures with the same labels, whatever they are called."""
    seen = facts.seen
    keys = sorted(f"{sha256.hex()} {label}" for sha256, label in zip(seen.sha256, seen.labels.tolist(), strict=True))
    return {
        "pictures": len(seen),
        "layout": facts.data.layout,
        "digest": hashlib.sha256("\n".join(keys).encode()).hexdigest(),
        "unlabelled": len(facts.data.unlabelled),
        "missing": len(facts.data.missing),
        "left_out": dict(facts.left_out),
    }


def _published() -> dict[str, Any]:
    return {
        "default_gigabytes": DEFAULT_GB,
        "hrs_gain": asdict(HRS_GAIN),
        "networks": {
            one.name: {
                "hrs": {name: asdict(told) for name, told in one.hrs.items()},
                "keepers": {name: asdict(told) for name, told in one.keepers.items()},
                "sizes": {name: asdict(told) for name, told in one.sizes.items()},
            }
            for one in NETWORKS
        },
    }
