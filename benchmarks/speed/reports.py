"""What people ask a large ledger: how long the answers take, start-up included, and how large it is.

usage: python -m benchmarks.speed.reports [--count N]

One day's decisions go through the ledger's Writer; the other days are copies of that one (multiplying.py).
"""

import argparse
import json
from datetime import UTC, datetime
from typing import Final

from benchmarks.speed.filling import fill_with_replacements
from benchmarks.speed.multiplying import multiply
from benchmarks.speed.rows import begin, median, told
from benchmarks.speed.site import made

_A_DAY: Final = 20_000
_ROUNDS: Final = 3
_QUESTIONS: Final = (
    ("report",),
    ("report", "--by", "camera"),
    ("report", "--by", "day"),
    ("decisions", "--limit", "100"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.reports")
    parser.add_argument("--count", type=int, default=1_000_000, help="how many decisions (default: %(default)s)")
    count = parser.parse_args().count
    days = max(1, count // _A_DAY)
    begin()
    with made() as site:
        fill_with_replacements(site, count // days, datetime(2026, 3, 1, tzinfo=UTC))
        multiply(site.ledger, days)
        assert json.loads(site.framekeep("report", "--json").output)["pictures"] == count // days * days
        for question in _QUESTIONS:
            ran = [site.framekeep(*question) for _ in range(_ROUNDS)]
            seconds, spent = (median(getattr(one, name) for one in ran) for name in ("seconds", "processor"))
            measured = f"{seconds:.2f} s (processor time: {spent:.2f})"
            told(f"`{' '.join(question)}` on {count:,} decisions of {days} days", measured, "< 2 s")
        told("the ledger's size", f"{site.ledger.stat().st_size / (count // days * days):.0f} bytes a decision", "-")


if __name__ == "__main__":
    main()
