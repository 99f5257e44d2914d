"""Legal holds: what they cover is neither touched nor released.

A hold and a swap meet at one lock of the root. Who exchanges or deletes a file holds it shared, and asks for holds
meanwhile. Who adds a hold makes it durable first, and then waits until everybody who may not have seen it is done.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Final

from pathspec import GitIgnoreSpec

from storage.faults import keeping
from storage.ledger.reader import Reader
from storage.patterns import compiled, folded
from storage.records import Claim, Hold, Place, VaultEntry
from storage.root import Root, Tree
from storage.time_rules import TimeRules
from storage.times import HEAD, exif_of, times_of

_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def check_claim(claim: Claim) -> None:
    """Raises ValueError with a sentence for a claim that covers nothing, or everything."""
    if claim.camera is None and claim.pattern is None:
        raise ValueError("a hold needs a camera or a path pattern: a pattern such as '**' covers every picture")
    if claim.pattern is not None:
        if claim.pattern.startswith("!"):
            raise ValueError("the path pattern of a hold tells what is covered: it cannot begin with !")
        compiled([claim.pattern])
    if claim.since and claim.until and claim.since > claim.until:
        raise ValueError(f"nothing lies between {claim.since.isoformat()} and {claim.until.isoformat()}")


def covers(claim: Claim, place: Place, times: Iterable[datetime]) -> bool:
    """Whether a picture at this place is held: any of its times lies in the claim's. Takes no more than it needs."""
    return concerns(claim, place) and (is_timeless(claim) or any(_within(claim, time) for time in times))


def concerns(claim: Claim, place: Place) -> bool:
    """Whether pictures at this place are held, if their times say so."""
    return (
        claim.root in (None, place.root)
        and claim.camera in (None, place.camera)
        and (claim.pattern is None or _spec(claim.pattern).match_file(folded(place.path)))
    )


def is_timeless(claim: Claim) -> bool:
    """Whether a picture's times do not matter."""
    return claim.since is None and claim.until is None


def _within(claim: Claim, time: datetime) -> bool:
    return (claim.since is None or claim.since <= time) and (claim.until is None or time <= claim.until)


@lru_cache
def _spec(pattern: str) -> GitIgnoreSpec:
    return compiled([pattern])


class HoldBook:
    """The holds in force at each moment. Threads may share it. Every method raises LedgerError."""

    def __init__(self, reader: Reader, rules: TimeRules) -> None:
        self._reader = reader
        self._rules = rules

    def over_picture(self, place: Place, mtime_ns: int, data: bytes) -> Hold | None:
        """A hold that covers the picture with these bytes (those of a variant do: metadata is the same)."""
        return self._first(place, lambda: times_of(place.path, mtime_ns, exif_of(data), self._rules))

    def over_original(self, tree: Tree, held: VaultEntry) -> Hold | None:
        """A hold that covers this original in the vault. Raises OSError where its times cannot be read."""
        return self._first(held.place, lambda: times_of_original(tree, held, self._rules))

    def over_either(
        self, tree: Tree, place: Place, file: tuple[int, bytes] | None, held: VaultEntry | None
    ) -> Hold | None:
        """A hold over the file at a place, by its mtime in ns and its bytes, or over the original that it comes from.

        Somebody may have changed the time of a variant's file. Raises Kept where the original's times cannot be read.
        """
        hold = self.over_picture(place, *file) if file else None
        if hold is None and held:
            with keeping():
                hold = self.over_original(tree, held)
        return hold

    def _first(self, place: Place, times: Callable[[], list[datetime]]) -> Hold | None:
        concerning = [hold for hold in self._reader.holds() if concerns(hold.claim, place)]
        if not concerning or is_timeless(concerning[0].claim):
            return concerning[0] if concerning else None
        known = times()
        return next((hold for hold in concerning if covers(hold.claim, place, known)), None)


def times_of_original(tree: Tree, held: VaultEntry, rules: TimeRules) -> list[datetime]:
    """Those of an original in the vault; of one that is gone, what its name tells. Raises OSError."""
    try:
        with tree.vault_to_read() as vault:
            return times_at((vault, held.entry), held.place.path, rules)
    except FileNotFoundError:
        return times_of(held.place.path, None, None, rules)


def times_at(where: tuple[int, str], path: str, rules: TimeRules) -> list[datetime]:
    """Those of a file, by its open folder and name, which is or was at this path. Raises OSError."""
    folder, name = where
    descriptor = os.open(name, _READ, dir_fd=folder)
    try:
        return times_of(path, os.fstat(descriptor).st_mtime_ns, exif_of(os.pread(descriptor, HEAD, 0)), rules)
    finally:
        os.close(descriptor)


@contextmanager
def unheld_while(root: Root) -> Iterator[None]:
    """While this lasts no hold comes into force unseen: whoever adds one waits for its end."""
    with ExitStack() as opened:
        with _opened(root, "holds.turn") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)  # so that swaps, which overlap, let someone in who adds a hold
            lock = opened.enter_context(_opened(root, "holds.lock"))
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def wait_for_swaps(root: Root) -> None:
    """Returns when all that began before has ended. What begins later sees the holds of now."""
    with _opened(root, "holds.turn") as turn, _opened(root, "holds.lock") as lock:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(lock, fcntl.LOCK_EX)


@contextmanager
def _opened(root: Root, name: str) -> Iterator[int]:
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=root.own)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
