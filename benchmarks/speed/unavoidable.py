"""How far a T1K sweep is from the limit: its time over what its stages cost by themselves, spread over all cores.

usage: python -m benchmarks.speed.unavoidable [DIR]

The limit: decode the original, encode, decode, transform and look at each variant that a lazy search must see, squeeze
and write one; each stage alone on one core (stages.py), looks in batches as the pipeline's. In brackets, a sweep's
processor time over the same, which depends less on what else the machine does: it has what a sweep does beyond the
limit, and not what it waits for. Then what each stage costs, by size of picture.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.speed import album
from benchmarks.speed.rows import begin, row, told
from benchmarks.speed.running import ran, script
from benchmarks.speed.site import Swept, swept
from benchmarks.speed.stages import STAGES

_MADE: Final = ((0.2, 300), (1, 150), (6, 48), (12, 32))
"""Megapixels, and how many pictures: a pipeline must have time to fill."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A picture's stages: seconds of one core, and how often each is done."""

    seconds: Mapping[str, float]
    runs: Mapping[str, float]

    @classmethod
    def of(cls, folder: Path, sweep: Swept) -> "Limit":
        """Of the pictures of a folder of which a copy was swept."""
        qualities = {decision["path"]: decision["quality"] for decision in sweep.decisions}
        with TemporaryDirectory() as scratch:
            decisions = Path(scratch, "qualities.json")
            decisions.write_text(json.dumps(qualities))
            costs: dict[str, Any] = json.loads(ran(script("stages", folder, decisions)).output)
        count = costs["pictures"]
        return cls(*({name: costs[part][name] / count for name in STAGES} for part in ("seconds", "runs")))

    @property
    def all_stages(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class Measured:
    """A sweep and its limit."""

    name: str
    sweep: Swept
    limit: Limit

    def tell(self, cores: int) -> None:
        spread = self.limit.all_stages / cores
        beyond = self.sweep.processor / self.limit.all_stages
        told(
            f"T1K sweep of {self.name} pictures over the unavoidable on {cores} cores",
            f"{self.sweep.seconds / spread:.2f} (processor time: {beyond:.2f})",
            "≤ 1.3",
        )

    def profile(self, cores: int) -> tuple[str, ...]:
        limit = self.limit
        stages = (f"{1000 * limit.seconds[name]:.1f} ({limit.runs[name]:.1f})" for name in STAGES)
        return self.name, *stages, f"{1000 * limit.all_stages / cores:.1f}", f"{1000 * self.sweep.seconds:.1f}"


def main(given: Path | None = None) -> None:
    cores = len(os.sched_getaffinity(0))
    begin()
    found = []
    for name, megapixels, count in [(given.name, 0, 0)] if given else [(f"{size:g} Mpx", size, n) for size, n in _MADE]:
        with nullcontext(given) if given else album.made(count, megapixels) as folder:
            sweep = swept(folder, selection={"keeper": "t1k"})
            found.append(Measured(name, sweep, Limit.of(folder, sweep)))
        found[-1].tell(cores)
    print("\nMilliseconds of one core a picture (how often a picture); the last two are of all cores:\n")
    row("pictures", *STAGES, "unavoidable", "swept")
    row(*["---"] * (len(STAGES) + 3))
    for measured in found:
        row(*measured.profile(cores))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
