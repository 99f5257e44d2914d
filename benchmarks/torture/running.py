"""How a long form runs: arguments, a scratch folder, the checker as a process of its own, a line in the record."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeVar

from benchmarks.torture.record import Run, append
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import BAD, STOPPED, Verdict

T = TypeVar("T")
Torture = Callable[[Path, int, int], Verdict]
"""Takes a scratch folder, how many trials to make, and a seed (or the number of a piece). Counts its "trials"."""

_REPOSITORY: Final = Path(__file__).parents[2]
_CLEAN, _UNCLEAN = 0, 1
_SHOWN: Final = 40
"""Findings."""
_LEAST_REPLACED: Final = 0.03
"""Variants a trial; in races, the long form with the fewest, it is 0.1: most cameras there undo the replacement."""


def checked(site: Site, *, crashed: bool = False, racy: bool = False) -> Verdict:
    """What the checker says, which knows nothing of this process. Raises RuntimeError where the breaker had opened."""
    options = [*["--crashed"] * crashed, *["--racy"] * racy]
    command = [sys.executable, "-m", "benchmarks.torture.checker", str(site.folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_REPOSITORY)  # noqa: S603 - ours
    if done.returncode not in {_CLEAN, _UNCLEAN} or not done.stdout:
        raise RuntimeError(f"the checker failed: {done.stderr}")
    told = json.loads(done.stdout)
    verdict = Verdict(Counter(told["counts"]), tuple(told["findings"]))
    if stopped := verdict.counts[STOPPED]:
        raise RuntimeError(f"{site.folder}: the breaker stopped {stopped} replacements, so nothing is proved")
    return verdict


def check_worth(verdict: Verdict) -> None:
    """Raises RuntimeError where so little was replaced that nothing is proved."""
    replaced, trials = verdict.counts["variant"], verdict.counts["trials"]
    if replaced < _LEAST_REPLACED * trials:
        raise RuntimeError(f"in {trials} trials only {replaced} variants were found, so nothing is proved")


def main(name: str, torture: Torture, count: int) -> int:
    """Runs a long form from its command line and records it. A folder with something bad in it is kept."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.torture.{name}")
    parser.add_argument("--count", type=int, default=count, help="how many trials (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other trials (default: %(default)s)")
    parser.add_argument("--unrecorded", action="store_true", help="a trial run that the record is not to know of")
    given = parser.parse_args()
    folder, began = Path(tempfile.mkdtemp(prefix=f"torture-{name}-")), time.monotonic()
    verdict = torture(folder, given.count, given.seed)
    check_worth(verdict)
    run = run_of(name, verdict, given.seed, time.monotonic() - began)
    if not given.unrecorded:
        append(run)
    print(json.dumps(asdict(run)), *verdict.findings[:_SHOWN], sep="\n")
    if run.is_clean:
        subprocess.run(["rm", "-rf", folder], check=True)  # noqa: S603, S607 - ours; faster than Python's own
        return _CLEAN
    print(f"kept: {folder}")
    return _UNCLEAN


def piece(trials: Sequence[T], count: int, number: int) -> Sequence[T]:
    """The so many trials that this piece of a long walk makes. Raises ValueError past the end."""
    chosen = trials[(number - 1) * count : number * count]
    if not chosen:
        raise ValueError(f"there are only {len(trials)} trials: piece {number} of {count} holds none")
    return chosen


def run_of(name: str, verdict: Verdict, seed: int, seconds: float) -> Run:
    bad = {kind: verdict.counts[kind] for kind in BAD}
    facts = {kind: verdict.counts[kind] for kind in sorted(verdict.counts.keys() - bad.keys() - {"trials"})}
    return Run(name, verdict.counts["trials"], **bad, seed=seed, seconds=round(seconds, 1), facts=facts)
