"""What a legal hold covers, of what the ledger knows of: what is untouched, what can go back, what is gone for good.

A path may have had several decisions: a picture was shrunk and restored, the camera put another one in its place, and
that was shrunk as well. So originals are counted, each by its own times, and not paths.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from daemon.config.schema import Config
from daemon.holding import at_path, of_original, roots_of
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.holds import covers
from storage.ledger.answers import Held
from storage.ledger.concerned import Bereft, Delivered
from storage.ledger.opening import open_reader
from storage.ledger.reader import Reader
from storage.reading import digest_at, trace_at
from storage.records import Claim, Place, VaultEntry
from storage.root import Tree
from storage.time_rules import TimeRules
from storage.times import times_of

_PATIENCE_SECONDS: Final = 5.0
"""How long to wait for the ledger to know of swaps that are done."""
_UNKNOWN: Final = b""
"""Where a hash would be: something that no original can replace."""


@dataclass(frozen=True, slots=True)
class Survey:
    """How many originals a hold covers. Each is counted once."""

    untouched: int
    """They are at their path."""
    restorable: list[VaultEntry]
    """They are in the vault, and at their path is the variant, or nothing."""
    blocked: list[VaultEntry]
    """They are in the vault, and something else is at their path, or not even its folder."""
    released: int
    """They were deleted before: nothing brings them back."""


def survey(config: Config, claim: Claim) -> Survey:
    """Reads the times of each picture that the hold may cover. Raises LedgerError and ConfigurationError."""
    with open_reader(config.ledger.url) as reader, ExitStack() as opened:
        trees = {path: opened.enter_context(Tree(path)) for path in roots_of(config, claim)}
        _wait_for_confirmations(reader)
        return _Surveyor(reader, trees, config.holds.rules, claim).survey()


def _wait_for_confirmations(reader: Reader) -> None:
    """A swap that is done becomes known a moment later. What a crash left is not waited for."""
    until = time.monotonic() + _PATIENCE_SECONDS
    awaited = {planned.decision for planned in reader.pending()}
    while awaited & {planned.decision for planned in reader.pending()} and time.monotonic() < until:
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class _Surveyor:
    reader: Reader
    trees: dict[str, Tree]
    rules: TimeRules
    claim: Claim

    def survey(self) -> Survey:
        held = [entry for entry in self._held() if self._covers(entry.place, self._of_original(entry))]
        # Of several that could go back to an empty path, the newest does.
        restorable = {entry.place: entry for entry in held if self._may_go_back(entry)}
        untouched = (picture.place for picture in self.reader.untouched(self.claim) if self._is_untouched(picture))
        return Survey(
            untouched=sum(place not in restorable for place in untouched),
            restorable=list(restorable.values()),
            blocked=[entry for entry in held if restorable.get(entry.place) != entry],
            released=sum(self._covers(one.place, self._of_bereft(one)) for one in self.reader.released(self.claim)),
        )

    def _held(self) -> list[VaultEntry]:
        """By place, the oldest first. What a second generation was made from is no original: that was released."""
        every = self.reader.held(Held(roots=tuple(self.trees), camera=self.claim.camera, every=True))
        return [entry for entry in every if entry.generation == 1]

    def _covers(self, place: Place, times: Iterable[datetime]) -> bool:
        return place.root in self.trees and covers(self.claim, place, times)

    def _may_go_back(self, entry: VaultEntry) -> bool:
        return self._content(entry.place, entry.decision, entry.sha256_after) in (None, entry.sha256_after)

    def _is_untouched(self, picture: Delivered) -> bool:
        return self._covers(picture.place, self._of_picture(picture)) and self._is_there(picture.place)

    def _of_original(self, entry: VaultEntry) -> Iterator[datetime]:
        yield from of_original(self.trees, entry, self.rules)

    def _of_picture(self, picture: Delivered) -> Iterator[datetime]:
        yield from times_of(picture.place.path, picture.mtime_ns, None, self.rules)
        yield from at_path(self.trees[picture.place.root], picture.place, self.rules)

    def _of_bereft(self, one: Bereft) -> Iterator[datetime]:
        """The variant has the times of its original, while it is at the path."""
        yield from times_of(one.place.path, one.mtime_ns, None, self.rules)
        if self._content(one.place, one.decision, one.sha256_after) == one.sha256_after:
            yield from at_path(self.trees[one.place.root], one.place, self.rules)

    def _content(self, place: Place, decision: int, written: bytes) -> bytes | None:
        """The hash of what is at a path, where a decision wrote something; None where nothing is.

        A file that nobody has touched since is not read.
        """
        known = self.reader.known(place.root, [place.path]).get(place.path)
        try:
            with self.trees[place.root].folder_of(place.path) as where:
                if known and known.decision == decision and _identity_at(*where) == known.identity:
                    return written
                return digest_at(*where)
        except OSError:
            return _UNKNOWN

    def _is_variant(self, place: Place, folder: int, name: str) -> bool:
        """A camera that writes over a variant leaves the mark. Of a file with several names the mark has to do."""
        mark = trace_at(self.trees[place.root], place.path, ())
        return isinstance(mark, Mark) and digest_at(folder, name) in (mark.variant, b"")

    def _is_there(self, place: Place) -> bool:
        """No variant: that may have had a decision since which says nothing of what it is (hard_linked, too_young)."""
        try:
            with self.trees[place.root].folder_of(place.path) as where:
                return _identity_at(*where) is not None and not self._is_variant(place, *where)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # whoever cannot look does not know better than the ledger
            return True


def _identity_at(folder: int, name: str) -> FileIdentity | None:
    """None where nothing is."""
    try:
        return FileIdentity.of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None
