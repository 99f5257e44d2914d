"""Each system call of the replacement, of the ledger meanwhile, and of repairs fails with each errno that it can have.

usage: python -m benchmarks.torture.faults [--count FAILURES] [--seed PIECE]

strace makes one call fail, or that one and all later ones of its name ("for good"). The process must go on or end as
documented: a picture's failure is a decision and stops nothing, a ledger's is exit code 13. Then a start with nothing
in its way must repair. PIECE 1 is the first FAILURES of all, 2 the next, and so on. Of calls in a row that do the same
to the same file (pages that go into the ledger) the first and the last fail. Real: all but the model (blink.py) and the
threads, whose work is done at once so that calls come in a known order.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from benchmarks.torture.attaching import Call
from benchmarks.torture.driving import PARTIAL, ended, forked
from benchmarks.torture.running import checked, main, piece
from benchmarks.torture.scenario import SCENARIOS, Scenario, Workshop, started
from benchmarks.torture.verdict import Verdict, found
from framekeep.errors import ConfigurationError, FramekeepError, LedgerError

_DISK: Final = ("EIO", "ENOSPC", "EDQUOT", "EROFS")
_NAMES: Final = ("EACCES", "EPERM", "ENOENT", "EIO", "EROFS", "EINTR")
ERRNOS: Final = {
    "openat": ("EACCES", "EPERM", "ENOENT", "ELOOP", "EMFILE", "ENFILE", "ENOMEM", "EINTR", *_DISK),
    "newfstatat": ("EACCES", "ENOENT", "ENOMEM", "EIO"),
    "read": ("EIO", "EINTR"),
    "pread64": ("EIO", "EINTR"),
    "write": ("EFBIG", "EPERM", "EINTR", *_DISK),
    "pwrite64": ("EFBIG", "EPERM", "EINTR", *_DISK),
    "ftruncate": ("EPERM", "EINTR", *_DISK),
    "fsync": ("EINTR", *_DISK),
    "fdatasync": ("EINTR", *_DISK),
    "close": ("EIO", "ENOSPC", "EDQUOT", "EINTR"),
    "renameat2": ("EXDEV", "EINVAL", "ENOSYS", "EBUSY", "EEXIST", "ENOSPC", "EDQUOT", *_NAMES),
    "linkat": ("EPERM", "EMLINK", "EEXIST", "ENOSPC", "EDQUOT", *_NAMES),
    "renameat": ("EXDEV", "EBUSY", "ENOSPC", "EDQUOT", *_NAMES),
    "unlink": (*_NAMES, "EBUSY"),
    "unlinkat": (*_NAMES, "EBUSY"),
    "mkdirat": (*_NAMES, "ENOSPC", "EDQUOT"),
    "fchmod": ("EPERM", "EIO", "EROFS"),
    "fchown": ("EPERM", "EIO", "EROFS", "EDQUOT"),
    "utimensat": ("EPERM", "EACCES", "EIO", "EROFS"),
    "fsetxattr": ("EOPNOTSUPP", "EPERM", *_DISK),
    "fgetxattr": ("EOPNOTSUPP", "EACCES", "EIO"),
    "flistxattr": ("EOPNOTSUPP", "EACCES", "EIO"),
    "getdents64": ("EIO", "ENOENT"),
    "fcntl": ("EMFILE", "EAGAIN", "EACCES", "ENOLCK", "EINTR", "EIO"),
    "flock": ("EINTR", "ENOLCK"),
    "mmap": ("ENOMEM", "EAGAIN"),
}
FOR_GOOD: Final = frozenset(("EIO", "ENOSPC", "EROFS", "EMFILE"))
"""What does not pass by itself. But for a lock: then SQLite waits for as long as it was told to."""
_READS: Final = frozenset(("openat", "newfstatat", "read", "mmap", "getdents64"))
"""Where these fail for good Python cannot even load its own modules: then the process may end with a trace."""
_PIPES: Final = frozenset(("write",))
"""Where these fail for good, they fail on the pipes to Python's own processes too: likewise."""
_LOCKS: Final = ("/lock", ".lock", ".turn")
"""A close that fails closes all the same, but strace's does not: the lock would be held for ever."""
_OPEN: Final = ("EIO", "ENOMEM")
_OURS: Final = "/.framekeep/"
"""Nobody but framekeep takes anything away from there, so what it put there cannot be missing."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One call that fails in one way."""

    scenario: Scenario
    call: Call
    errno: str
    for_good: bool

    @property
    def injection(self) -> str:
        return f"{self.call.name}:error={self.errno}:when={self.call.ordinal}{'+' * self.for_good}"

    def __str__(self) -> str:
        return f"{self.scenario.name}, {self.injection} ({self.call.paths[0]})"


def torture(folder: Path, failures: int, part: int) -> Verdict:
    workshop = Workshop(folder)
    total = Verdict()
    for failure in piece(list(_failures(workshop)), failures, part):
        total += _failed(workshop, failure)
    return total


def _failures(workshop: Workshop) -> Iterator[Failure]:
    for scenario in SCENARIOS:
        for call in _telling(workshop.window(scenario)):
            for errno in _errnos(call):
                yield Failure(scenario, call, errno, for_good=False)
                if errno in FOR_GOOD and call.name not in {"fcntl", "close"}:
                    yield Failure(scenario, call, errno, for_good=True)


def _errnos(call: Call) -> Iterator[str]:
    if "AT_EMPTY_PATH" in call.arguments:  # an open file's own state
        return iter(_OPEN)
    if call.name == "close" and call.paths[0].endswith(_LOCKS):
        return iter(())
    missing = "ENOENT" if any(_OURS in path for path in call.paths) and call.name in _READS else ""
    return (errno for errno in ERRNOS.get(call.name, ()) if errno != missing)


def _telling(calls: Sequence[Call]) -> Iterator[Call]:
    """Of a row of calls that do the same to the same file (pages that go into the ledger): the first and the last."""
    for _, row in groupby(calls, lambda call: (call.name, call.paths)):
        first, *others = row
        yield first
        yield from others[-1:]


def _failed(workshop: Workshop, failure: Failure) -> Verdict:
    """Failed, looked at, started again, looked at strictly."""
    site = workshop.site(failure.scenario)
    trial = workshop.run(failure.scenario, site, failure.injection)
    if not any(call.is_injected for call in trial.calls):
        return found("damaged", "nothing was injected").during(str(failure))
    verdict = found("trials") + _ended(failure, trial.code)
    verdict += checked(site, crashed=True, racy=failure.scenario.is_racy)
    code = ended(forked(site, lambda: started(site, failure.scenario.filesystem)))
    if code != 0:
        verdict += found("damaged", f"the next start ended with exit code {code}")
    return (verdict + checked(site)).during(str(failure))


def _ended(failure: Failure, code: int) -> Verdict:
    """As documented: a repair's own files count as the ledger's, since what cannot be repaired must not be watched."""
    concerns_ledger = not any("/incoming" in path for path in failure.call.paths)
    documented = {0, PARTIAL}
    if concerns_ledger or failure.for_good or failure.scenario.crash or failure.scenario.fresh:
        documented |= {LedgerError.exit_code, ConfigurationError.exit_code}
    if failure.for_good and failure.call.name in _READS | _PIPES:
        documented |= {FramekeepError.exit_code}
    if code in documented:
        return found(f"exit_{code}")
    return found("damaged", f"ended with exit code {code}")


if __name__ == "__main__":
    sys.exit(main("faults", torture, 10_000))
