"""The paper's tables as rows of text: what was measured here first, what the paper prints below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from study.measuring import LEVEL, Estimate, Measures
from study.published import DEFAULT_GB, HRS_AVERAGE, HRS_GAIN, NETWORKS
from study.report import KEEPERS, SELECTORS, Absent, NetworkReport

INTERVAL: Final = f"{LEVEL:.0%} CI"
_NOT_PRESENT: Final = "  weights not present"

Row = tuple[str, ...]
Reports = Sequence[NetworkReport | Absent]


@dataclass(frozen=True)
class Sheet:
    """A table. The first `words` columns are words, the others numbers."""

    number: str
    """The paper's, such as "7, 8"; empty beyond the paper."""
    title: str
    headers: Row
    rows: tuple[Row, ...]
    words: int = 1

    @property
    def heading(self) -> str:
        return f"Table {self.number}: {self.title}" if self.number else self.title


def sheets(reports: Reports) -> list[Sheet]:
    """Every table of the paper's that a pass gives, and what goes beyond it."""
    return [
        _table_1(reports),
        _table_2(reports),
        _table_6(reports),
        _tables_7_and_8(reports),
        _constant_sheet(reports),
        _confident_sheet(reports),
    ]


def _table_1(reports: Reports) -> Sheet:
    headers = ("network", "default top-1", "HRS top-1", "default top-5", "HRS top-5")
    rows: list[Row] = []
    for one in reports:
        rows += _absent(one, len(headers)) if isinstance(one, Absent) else _accuracies_of_hrs(one)
    for published in NETWORKS:
        default, hrs = published.hrs["default"], published.hrs["hrs"]
        figures = (default.top1, hrs.top1, default.top5, hrs.top5)
        rows.append((f"{published.name} (paper)", *(f"{figure:g}%" for figure in figures)))
    rows.append(("average gain (paper)", "", f"+{HRS_GAIN.top1:g}", "", f"+{HRS_GAIN.top5:g}"))
    return Sheet("1", "HRS against the default, accuracies", headers, tuple(rows))


def _accuracies_of_hrs(one: NetworkReport) -> list[Row]:
    default, hrs, gains = one.selectors["default"], one.selectors["hrs"], one.hrs_gains
    four = (default.top1, hrs.top1, default.top5, hrs.top5)
    return [
        (one.conditions.model, *map(_percent, four)),
        (f"  {INTERVAL}", *map(_percents, four)),
        ("  gain", "", _gain(gains.top1), "", _gain(gains.top5)),
        (f"  {INTERVAL}", "", _percents(gains.top1), "", _percents(gains.top5)),
    ]


def _table_2(reports: Reports) -> Sheet:
    headers = ("network", "default size", "HRS size", "CR", INTERVAL)
    rows = [(row[0], *row[2:]) for row in _size_rows(reports, ("hrs",))]
    rows.append(
        ("average (paper)", f"{DEFAULT_GB:g} GB", f"{HRS_AVERAGE.gigabytes:g} GB", f"{HRS_AVERAGE.ratio:g}", "")
    )
    return Sheet("2", "HRS, sizes", headers, tuple(rows))


def _table_6(reports: Reports) -> Sheet:
    headers = ("network", "selector", "top-1", INTERVAL, "top-5", INTERVAL)
    rows: list[Row] = []
    for one in reports:
        if isinstance(one, Absent):
            rows += _absent(one, len(headers))
        else:
            name = one.conditions.model
            rows += [(name, _name(key), *_accuracies(one.selectors[key])) for key in ("default", "t1k", "t5k", "ttk")]
    for published in NETWORKS:
        name = f"{published.name} (paper)"
        rows += [(name, _name(key), f"{a.top1:g}%", "", f"{a.top5:g}%", "") for key, a in published.keepers.items()]
    return Sheet("6", "T1K and T5K, accuracies", headers, _named_once(rows), words=2)


def _tables_7_and_8(reports: Reports) -> Sheet:
    headers = ("network", "selector", "default size", "new size", "CR", INTERVAL)
    rows = _size_rows(reports, tuple(KEEPERS))
    return Sheet("7, 8", "T1K, T5K and TTK, sizes", headers, _named_once(rows), words=2)


def _size_rows(reports: Reports, selectors: Sequence[str]) -> list[Row]:
    """Network, selector, default size, new size, CR, its interval: those of here, then the paper's."""
    rows: list[Row] = []
    for one in reports:
        if isinstance(one, Absent):
            rows += _absent(one, 6)
            continue
        before = size(one.selectors["default"].bytes.value)
        for key in selectors:
            measures = one.selectors[key]
            rows.append((one.conditions.model, _name(key), before, size(measures.bytes.value), *_ratio(measures.cr)))
    for published in NETWORKS:
        for key in selectors:
            told = published.sizes[key]
            sizes = f"{DEFAULT_GB:g} GB", f"{told.gigabytes:g} GB"
            rows.append((f"{published.name} (paper)", _name(key), *sizes, f"{told.ratio:g}", ""))
    return rows


def _constant_sheet(reports: Reports) -> Sheet:
    headers = ("network", "QF", "top-1", INTERVAL, "top-5", INTERVAL, "CR")
    rows: list[Row] = []
    for one in reports:
        if isinstance(one, Absent):
            rows += _absent(one, len(headers))
            continue
        all_of_them = [("original", one.selectors["default"]), *((str(qf), m) for qf, m in one.constants.items())]
        rows += [(one.conditions.model, qf, *_accuracies(m), f"{m.cr.value:.2f}") for qf, m in all_of_them]
    return Sheet("", "One QF for all pictures (Figure 3)", headers, _named_once(rows))


def _confident_sheet(reports: Reports) -> Sheet:
    headers = ("network", "selector", "top-1", "top-5", "CR", INTERVAL)
    rows: list[Row] = []
    for one in reports:
        if isinstance(one, Absent):
            rows += _absent(one, len(headers))
            continue
        for level, keepers in one.confident.items():
            for key, m in keepers.items():
                figures = _percent(m.top1), _percent(m.top5), *_ratio(m.cr)
                rows.append((one.conditions.model, f"{_name(key)} at {level:g}", *figures))
    return Sheet("", "Keepers that count a label only from min_confidence", headers, _named_once(rows), words=2)


def _absent(one: Absent, columns: int) -> list[Row]:
    return [(text, *[""] * (columns - 1)) for text in (one.name, _NOT_PRESENT)]


def _named_once(rows: Sequence[Row]) -> tuple[Row, ...]:
    """A network's name stands in its first row only."""
    names = [None, *(row[0] for row in rows)]
    return tuple(("" if row[0] == above else row[0], *row[1:]) for above, row in zip(names, rows, strict=False))


def _accuracies(measures: Measures) -> Row:
    top1, top5 = measures.top1, measures.top5
    return _percent(top1), _percents(top1), _percent(top5), _percents(top5)


def _ratio(cr: Estimate) -> Row:
    return f"{cr.value:.2f}", f"{cr.low:.2f}-{cr.high:.2f}"


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:.1%}"


def _percents(estimate: Estimate) -> str:
    return f"{100 * estimate.low:.1f}-{100 * estimate.high:.1f}"


def _gain(estimate: Estimate) -> str:
    return f"{100 * estimate.value:+.1f}"


def _name(selector: str) -> str:
    return selector if selector == SELECTORS[0] else selector.upper()


def size(count: float) -> str:
    """Bytes for people, in the paper's GB where there are so many: "6.70 GB"."""
    for unit, each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= each:
            return f"{count / each:.2f} {unit}"
    return f"{count:.0f} B"
