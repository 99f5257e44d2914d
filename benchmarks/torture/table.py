"""Writes the table of docs/reliability.md from the record: one row a test, its runs added up.

usage: python -m benchmarks.torture.table [--print]
"""

import importlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from benchmarks.torture.record import Run, runs

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN: Final = "<!-- made by python -m benchmarks.torture.table: -->"
END: Final = "<!-- end of what was made -->"
_HEAD: Final = (
    "| test | command | runs | count | lost | damaged | half-written | also counted |",
    "|---|---|---|---|---|---|---|---|",
)


def table(record: Sequence[Run]) -> str:
    """Markdown; the tests in the order in which they first ran."""
    names = list(dict.fromkeys(run.name for run in record))
    ordered = sorted(record, key=lambda run: names.index(run.name))
    return "\n".join((*_HEAD, *(_row(name, list(group)) for name, group in groupby(ordered, lambda run: run.name))))


def _row(name: str, group: Sequence[Run]) -> str:
    sums = [sum(getattr(run, what) for run in group) for what in ("count", "lost", "damaged", "half_written")]
    cells = [_title(name), f"`{name}`", str(len(group)), *(f"{number:,}" for number in sums), _facts(group)]
    return f"| {' | '.join(cells)} |"


def _title(name: str) -> str:
    """The first line of the test's own description."""
    try:
        text = importlib.import_module(f"benchmarks.torture.{name}").__doc__ or name
    except ModuleNotFoundError:  # a test that is no more; what it counted stays true
        text = name
    return text.splitlines()[0].rstrip(".")


def _facts(group: Iterable[Run]) -> str:
    """Numbers that are counts are added up; others (a rate, a size) are as large as they ever were."""
    totals: Counter[str] = Counter()
    peaks: dict[str, float] = {}
    for run in group:
        for key, value in run.facts.items():
            if isinstance(value, int):
                totals[key] += value
            elif isinstance(value, float):
                peaks[key] = max(value, peaks.get(key, value))
    return ", ".join(_words(totals.items(), peaks.items()))


def _words(totals: Iterable[tuple[str, int]], peaks: Iterable[tuple[str, float]]) -> Iterator[str]:
    for key, total in totals:
        yield f"{key.replace('_', ' ')} {total:,}"
    for key, peak in peaks:
        yield f"{key.replace('_', ' ')} at most {peak:,.1f}"


def put_into(page: str, made: str) -> str:
    """The page with what stands between the markers replaced. Raises ValueError where they are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no lines {BEGIN} and {END}")
    return f"{before}{begin}\n\n{made}\n\n{end}{after}"


def main() -> None:
    made = table(runs())
    if "--print" in sys.argv[1:]:
        print(made)
    else:
        PAGE.write_text(put_into(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
