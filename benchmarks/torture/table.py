"""Writes the table of docs/reliability.md from the record: one row a test, its runs added up.

usage: python -m benchmarks.torture.table [--print]
"""

import importlib
import sys
from collections.abc import Iterable, Sequence
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
    """Counts are added up; what is called "most_…" is as large as it ever was."""
    facts: dict[str, int] = {}
    for run in group:
        for key, value in run.facts.items():
            there = facts.get(key, 0)
            facts[key] = max(value, there) if key.startswith("most_") else value + there
    return ", ".join(f"{key.replace('_', ' ')} {value:,}" for key, value in facts.items())


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
