"""SIGKILL before each system call that changes a file, from staging to confirmation, in repairs, and in a first start.

usage: python -m benchmarks.torture.killcalls [--count KILLS] [--seed PIECE]

strace kills the process as it enters the call. PIECE 1 is the first KILLS calls of all scenarios, 2 the next, and so
on. Real: all but the model (blink.py) and the threads, whose work is done at once so that calls come in a known order.
"""

import signal
import sys
from pathlib import Path
from typing import Final

from benchmarks.torture.attaching import Call
from benchmarks.torture.driving import PARTIAL, ended, forked
from benchmarks.torture.running import checked, main, piece
from benchmarks.torture.scenario import SCENARIOS, Scenario, Workshop, started
from benchmarks.torture.verdict import Verdict, found

CHANGES: Final = frozenset(
    (
        *("fchmod", "fchown", "fsetxattr", "ftruncate", "linkat", "mkdir", "mkdirat", "pwrite64", "rename", "renameat"),
        *("renameat2", "unlink", "unlinkat", "utimensat", "write"),
    )
)


def torture(folder: Path, kills: int, part: int) -> Verdict:
    workshop = Workshop(folder)
    total = Verdict()
    for scenario, call in piece(_kills(workshop), kills, part):
        total += _killed(workshop, scenario, call)
    return total


def _kills(workshop: Workshop) -> list[tuple[Scenario, Call]]:
    return [(scenario, call) for scenario in SCENARIOS for call in workshop.window(scenario) if changes(call)]


def changes(call: Call) -> bool:
    return call.name in CHANGES or (call.name == "openat" and "O_CREAT" in call.arguments)


def _killed(workshop: Workshop, scenario: Scenario, call: Call) -> Verdict:
    """Killed, looked at, started again, looked at strictly."""
    site = workshop.site(scenario)
    trial = workshop.run(scenario, site, f"{call.name}:signal=KILL:when={call.ordinal}")
    if trial.code != -signal.SIGKILL or trial.calls[-1].name != call.name:
        return found("damaged", f"{scenario.name}: ended with {trial.code} instead of being killed in {call.name}")
    verdict = found("trials") + checked(site, crashed=True, racy=scenario.is_racy)
    code = ended(forked(site, lambda: started(site, scenario.filesystem)))
    if code not in {0, PARTIAL}:
        verdict += found("damaged", f"{scenario.name}: exit code {code} after a kill in {call.name}")
    return (verdict + checked(site)).during(f"{scenario.name}, killed before {call.name} {call.ordinal}")


if __name__ == "__main__":
    sys.exit(main("killcalls", torture, 1000))
