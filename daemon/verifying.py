"""Verifying: is what the ledger promises still so, in the archive and in the vault? Changes nothing, needs no lock.

A daemon may be at work meanwhile. So what seems wrong is asked of the ledger again and looked at a second time.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from daemon.apart import Apart
from daemon.findings import Finding, Kind, Verified
from daemon.labels import LabelCheck, Labels
from framekeep.errors import UsageError
from framekeep.jpeg.source import Limits, understand
from framekeep.reasons import Kept, Reason
from framekeep.regions.rule import regions_of
from framekeep.regions.shrinking import digested
from storage import sidecar
from storage.ledger.promises import Promise
from storage.ledger.reader import Reader
from storage.reading import Picture, read
from storage.records import Place
from storage.root import OWN, Tree
from storage.vault import original_of

_AT_ONCE: Final = 500
"""Promises that are asked of the ledger at once."""
_PATIENCE: Final = 120
"""Seconds in which a picture's coefficients are read, or never."""
_A_MOMENT: Final = 0.2
"""Seconds that are more than a replacement or a restoration under way needs."""
_UNDECODABLE: Final = (Reason.NOT_JPEG, Reason.TRUNCATED, Reason.DAMAGED)
_NOT_OURS: Final = (Reason.SYMLINK, Reason.NOT_A_FILE, Reason.TOO_LARGE, Reason.HARD_LINKED, Reason.UNSETTLED)
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Scope:
    """What is verified. A place's path may be a folder, or "" for all of a root with its vault."""

    targets: Sequence[Place]
    limits: Limits
    share: float = 1.0
    """Of the replacements, drawn at random."""
    labels: LabelCheck | None = None
    paced: Callable[[int], None] = lambda _size: None
    """Is told how many bytes were read, each time; may sleep, and may raise to end it all."""


def verify(reader: Reader, scope: Scope, verified: Verified) -> Iterator[Finding]:
    """What is found, as it is found; `verified` counts. Raises LedgerError, ConfigurationError, UsageError."""
    for target in scope.targets:
        with Tree(target.root) as tree, Apart(_PATIENCE) as apart:
            listed = _listed(tree, "vault")
            for finding in _pictures(_Look(tree, scope, verified, apart), reader, target):
                verified.kinds[finding.kind] += 1
                yield finding
            if target.path == "":
                for finding in _own_files(tree, reader, listed):
                    verified.kinds[finding.kind] += 1
                    yield finding


def _pictures(look: "_Look", reader: Reader, target: Place) -> Iterator[Finding]:
    last = 0
    while promises := reader.promises(target, last, _AT_ONCE):
        last = promises[-1].decision
        for promise in promises:
            if random.random() < look.scope.share:  # noqa: S311 - nobody gains by foreseeing it
                yield from _surely(look, reader, promise)


def _surely(look: "_Look", reader: Reader, promise: Promise) -> list[Finding]:
    """What is found at a second look, too, and not because the daemon was at work."""
    look.verified.examined += 1
    found = look.at(promise)
    if not found:
        return []
    if any(finding.kind.is_damage for finding in found):
        time.sleep(_A_MOMENT)
    now = reader.promise(promise.decision)
    return look.at(now) if now else []


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks at the files of one promise."""

    tree: Tree
    scope: Scope
    verified: Verified
    apart: Apart

    def at(self, promise: Promise) -> list[Finding]:
        original, found = self._original(promise)
        picture, more = self._variant(promise) if promise.identity else (None, [])
        found = found + more
        if picture and not more:
            found += self._regions(promise, picture)
            found += self._labels(promise, picture, original)
        return [Finding(kind, promise.place, promise.decision, _entry(promise), note) for kind, note in found]

    def _original(self, promise: Promise) -> tuple[bytes | None, list[tuple[Kind, str]]]:
        if promise.held is None:
            return None, []
        try:
            data = original_of(self.tree, promise.held)
        except Kept as kept:
            if kept.reason is Reason.NOT_PERMITTED:
                raise UsageError(
                    f"the vault of {self.tree.path} is not open to this user: run framekeep verify as framekeep's own"
                ) from kept
            kinds = {Reason.GONE: Kind.ORIGINAL_MISSING, Reason.ERROR: Kind.UNREADABLE}
            return None, [(kinds.get(kept.reason, Kind.ORIGINAL_CHANGED), kept.note)]
        self._count(len(data))
        return data, []

    def _variant(self, promise: Promise) -> tuple[Picture | None, list[tuple[Kind, str]]]:
        try:
            picture = read(self.tree, promise.place.path, max(self.scope.limits.max_bytes, promise.bytes_after))
        except Kept as kept:
            return None, [_unread(kept)]
        self._count(len(picture.data))
        if picture.sha256 != promise.sha256_after:
            return None, [(_changed_or_foreign(promise, picture), "")]
        return picture, self._decoding(picture)

    def _decoding(self, picture: Picture) -> list[tuple[Kind, str]]:
        try:
            understand(picture.data, self.scope.limits)
        except Kept as kept:
            if kept.reason in _UNDECODABLE:
                return [(Kind.UNDECODABLE, kept.note)]
        return []

    def _labels(self, promise: Promise, picture: Picture, original: bytes | None) -> list[tuple[Kind, str]]:
        check = self.scope.labels
        if check is None or (promise.held and original is None):
            return []
        said, why = check.judge(promise, picture.data, original)
        self.verified.labels_hold += said is Labels.HOLD
        self.verified.labels_unknown += said is Labels.UNKNOWN
        was = f"; it was {promise.label}" if promise.label else ""
        return [(Kind.LABEL_LOST, f"{why}{was}")] if said is Labels.LOST else []

    def _regions(self, promise: Promise, picture: Picture) -> list[tuple[Kind, str]]:
        """Whether protected objects are as they were recorded, which needs no original."""
        if promise.regions is None:
            return []
        try:
            regions = regions_of(promise.regions)
            now = self.apart.run(partial(digested, picture.data, regions))
        except OSError as error:
            return [(Kind.UNREADABLE, f"no room for a copy of it: {error.strerror}")]
        except (ValueError, TypeError, Kept) as error:
            return [(Kind.REGION_CHANGED, str(error))]
        return [(Kind.REGION_CHANGED, was.label) for was, found in zip(regions, now, strict=True) if was != found]

    def _count(self, size: int) -> None:
        self.verified.bytes_read += size
        self.scope.paced(size)


def _unread(kept: Kept) -> tuple[Kind, str]:
    if kept.reason is Reason.GONE:
        return Kind.MISSING, ""
    return (Kind.FOREIGN if kept.reason in _NOT_OURS else Kind.UNREADABLE), str(kept)


def _changed_or_foreign(promise: Promise, picture: Picture) -> Kind:
    """Our own file with other bytes carries our mark, or looks as we left it; whatever a camera made does neither."""
    has_mark = picture.mark is not None and picture.mark.variant == promise.sha256_after
    looks_untouched = promise.identity is not None and promise.identity.same_content_as(picture.identity)
    return Kind.CHANGED if has_mark or looks_untouched else Kind.FOREIGN


def _own_files(tree: Tree, reader: Reader, listed: set[str]) -> Iterator[Finding]:
    """What lies below `.framekeep` and belongs to nothing. `listed` is what the vault held at the beginning."""
    known = reader.entries(tree.path)
    there = _listed(tree, "vault")
    for name in sorted(listed & there):
        entry = sidecar.entry_of(name)
        if sidecar.is_one(name) and entry not in there:
            yield _own(tree, Kind.LONE_SIDECAR, "vault", name)
        elif not sidecar.is_one(name) and name not in known:
            yield _own(tree, Kind.ORPHAN, "vault", name)
    for name in sorted(_listed(tree, "strangers")):
        yield _own(tree, Kind.STRANGER, "strangers", name)


def _own(tree: Tree, kind: Kind, folder: str, name: str) -> Finding:
    return Finding(kind, Place(tree.path, f"{OWN}/{folder}/{name}"), entry=name if folder == "vault" else None)


def _listed(tree: Tree, name: str) -> set[str]:
    """The names in one of framekeep's own folders; none where there is no such folder, or it is not open to us."""
    with ExitStack() as opened:
        descriptor = tree.descriptor
        try:
            for folder in (OWN, name):
                descriptor = os.open(folder, _FOLDER, dir_fd=descriptor)
                opened.callback(os.close, descriptor)
            return set(os.listdir(descriptor))  # noqa: PTH208 - by descriptor, so that no link leads elsewhere
        except OSError:
            return set()


def _entry(promise: Promise) -> str | None:
    return promise.held.entry if promise.held else None
