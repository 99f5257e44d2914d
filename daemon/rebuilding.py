"""Rebuilding a lost ledger: sidecars tell what the vault holds, marks tell what framekeep wrote."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from daemon.config.roots import check_roots
from daemon.config.schema import Config
from daemon.lost_ledger import roots_as_far_as_known
from daemon.names import NameFilter
from daemon.walk import walk
from framekeep.errors import UsageError
from framekeep.reasons import Kept, Reason
from storage import renameat2, sidecar, strangers, succession
from storage.attribute import Mark
from storage.files import FileIdentity, inode_at
from storage.ledger.opening import fresh_ledger, ledger_exists
from storage.ledger.writer import Writer
from storage.names import printable
from storage.reading import digest_at, mark_at, read
from storage.records import Draft, Place, Settings
from storage.root import Root
from storage.vault import locked

_AT_ONCE: Final = 500
"""Rows a transaction."""
_UNKNOWN: Final = Settings(
    *("unknown", 0.0, "unknown", 0.0, "unknown"), progressive=False, model="unknown", model_digest=""
)
_LOST: Final = "known by its mark; the ledger that told more is lost"


@dataclass(frozen=True, slots=True)
class _Variant:
    """A file that carries framekeep's mark on the very bytes that it names."""

    place: Place
    identity: FileIdentity
    mark: Mark

    @property
    def draft(self) -> Draft:
        """All that is known where the vault holds no original of it."""
        return Draft(
            place=self.place,
            settings=_UNKNOWN,
            reason=Reason.ADOPTED,
            identity=self.identity,
            decided_at=datetime.now(UTC),
            bytes_after=self.identity.size,
            sha256_before=self.mark.original,
            sha256_after=self.mark.variant,
            note=_LOST,
        )


@dataclass(slots=True)
class Rebuilt:
    """What was found. `faults` are sentences about what could not be used."""

    held: int = 0
    """Originals in the vault that can be restored and are released in time."""
    released: int = 0
    """Replaced pictures whose original the vault holds no longer."""
    faults: list[str] = field(default_factory=list)


def rebuild(config: Config, *, force: bool) -> Rebuilt:
    """Makes a ledger of what lies in the roots; with `force` an existing one is moved aside, not lost.

    Raises UsageError where there is one, AlreadyRunningError beside a daemon, ConfigurationError and LedgerError.
    """
    if ledger_exists(config.ledger.url) and not force:
        raise UsageError(
            "there is a ledger already; --force rebuilds it and keeps the old one beside it, with its legal holds and "
            "all that only a ledger knows"
        )
    check_roots(config)
    rebuilt = Rebuilt()
    with ExitStack() as held:
        known = roots_as_far_as_known(config.ledger.url)
        roots = [held.enter_context(Root(str(path), known)) for path in config.watch.roots]
        for root in roots:
            root.lock()
        writer = held.enter_context(fresh_ledger(config.ledger.url))
        for root in roots:
            with locked(root):
                _rebuild_root(writer, root, config, rebuilt)
        writer.note("rebuilt", {"held": rebuilt.held, "released": rebuilt.released, "faults": len(rebuilt.faults)})
    return rebuilt


def _rebuild_root(writer: Writer, root: Root, config: Config, rebuilt: Rebuilt) -> None:
    _bring_home(root, root.staged)
    _bring_home(root, root.strangers)
    succession.bring_sidecars_home(root)
    drafts = _drafts(root, rebuilt)
    rebuilt.held += len(drafts)
    earlier = {draft.place for draft in drafts.values()}
    found: list[_Variant] = []
    released: list[_Variant] = []
    for variant in _variants(root, config):
        # The last decision of a path is the one whose file stands there: originals of earlier ones come first.
        is_wanted = _is_of(variant, drafts) or variant.place in earlier
        (found if is_wanted else released).append(variant)
        if len(released) == _AT_ONCE:
            _adopt_released(writer, released, rebuilt)
    # Where a variant was moved, its decision is known at the new path; its copies were never decided on.
    found.sort(key=lambda variant: not _is_of(variant, drafts) or variant.place != drafts[variant.mark.entry].place)
    standing: list[tuple[Draft, FileIdentity]] = []
    for variant in found:
        if _is_of(variant, drafts):
            standing.append((replace(drafts.pop(variant.mark.entry), place=variant.place), variant.identity))
        else:
            released.append(variant)
    _adopt(writer, [(draft, draft.identity) for draft in drafts.values()])
    _adopt_released(writer, released, rebuilt)
    _adopt(writer, standing)


def _is_of(variant: _Variant, drafts: Mapping[str, Draft]) -> bool:
    """Whether the vault holds what it was made from. Not of a copy that was made before a later stage."""
    draft = drafts.get(variant.mark.entry)
    return draft is not None and draft.sha256_after == variant.mark.variant


def _adopt_released(writer: Writer, released: list[_Variant], rebuilt: Rebuilt) -> None:
    """Adopts and forgets them."""
    rebuilt.released += len(released)
    _adopt(writer, [(variant.draft, variant.identity) for variant in released])
    released.clear()


def _adopt(writer: Writer, adopted: Sequence[tuple[Draft, FileIdentity]]) -> None:
    for start in range(0, len(adopted), _AT_ONCE):
        writer.adopt(adopted[start : start + _AT_ONCE])


def _bring_home(root: Root, folder: int) -> None:
    """Originals that a crash left elsewhere, before the ledger was lost or after, belong into the vault."""
    for name in filter(sidecar.is_one, os.listdir(folder)):
        entry = sidecar.entry_of(name)
        try:
            draft = sidecar.load(folder, entry, root.path)
        except sidecar.NoSidecarError:
            continue
        home = draft.vault_entry or ""
        if not strangers.is_named(entry, home) or digest_at(folder, entry) != draft.sha256_before:
            continue
        if inode_at(root.vault, home) is None:
            renameat2.move(folder, entry, root.vault, home)
            sidecar.follow(folder, entry, root.vault, home)
            os.fsync(root.vault)


def _drafts(root: Root, rebuilt: Rebuilt) -> dict[str, Draft]:
    """What the vault's sidecars say, by entry, the oldest decision first."""
    drafts: list[Draft] = []
    for entry in os.listdir(root.vault):  # noqa: PTH208 - by descriptor
        if sidecar.is_one(entry):
            continue
        try:
            drafts.append(_checked(root, entry))
        except sidecar.NoSidecarError as error:
            rebuilt.faults.append(f"{root.path}/.framekeep/vault/{printable(entry)} has no sidecar that helps: {error}")
    return {draft.vault_entry or "": draft for draft in sorted(drafts, key=lambda draft: draft.decided_at)}


def _checked(root: Root, entry: str) -> Draft:
    draft = sidecar.load(root.vault, entry, root.path)
    if draft.vault_entry != entry:
        raise sidecar.NoSidecarError(f"it belongs to {draft.vault_entry!r}")
    size = os.stat(entry, dir_fd=root.vault, follow_symlinks=False).st_size
    if size != draft.identity.size:
        raise sidecar.NoSidecarError(f"the original has {size} bytes, but {draft.identity.size} were decided on")
    return draft


def _variants(root: Root, config: Config) -> Iterator[_Variant]:
    names = NameFilter(config.watch.include, config.watch.ignore)
    for files in walk(root.path, names):
        for file in files:
            if mark_at(root, file.path) and (variant := _variant(root, file.path, config)):
                yield variant


def _variant(root: Root, path: str, config: Config) -> _Variant | None:
    try:
        picture = read(root, path, int(config.limits.max_megabytes * 2**20))
    except Kept:
        return None
    if picture.mark is None or not picture.is_marked:
        return None
    return _Variant(Place(root.path, path), picture.identity, picture.mark)
