"""What a verification can find, and what to do about it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from storage.records import Place


class Kind(Enum):
    """A kind's value is its word. Damage is what breaks a promise; the rest is worth knowing."""

    CHANGED = (
        "changed",
        True,
        (
            "the bytes that framekeep wrote are other ones now: move the file away, then framekeep restore, or take it "
            "from a backup; check the disk"
        ),
    )
    UNDECODABLE = (
        "undecodable",
        True,
        "it no longer decodes without warnings: framekeep restore while the original is held; check the libraries",
    )
    UNREADABLE = "unreadable", True, "it cannot be read: check the disk, and the rights of framekeep's user"
    LABEL_LOST = (
        "label_lost",
        True,
        (
            "the model does not see the same in it any more: framekeep restore while the original is held; check what "
            "changed in the model's libraries or its device"
        ),
    )
    REGION_CHANGED = (
        "region_changed",
        True,
        (
            "an object's coefficients are not those that were recorded: framekeep restore while the original is held; "
            "check what changed in the codec's libraries"
        ),
    )
    ORIGINAL_MISSING = (
        "original_missing",
        True,
        (
            "the original left the vault before its release, so this cannot be undone: find out who deleted it, or "
            "take it from a backup"
        ),
    )
    ORIGINAL_CHANGED = (
        "original_changed",
        True,
        "the vault holds other bytes than the camera's: take the original from a backup; check the disk",
    )
    MISSING = (
        "missing",
        False,
        "somebody deleted or moved it: if that was not meant, framekeep restore while the original is held",
    )
    FOREIGN = "foreign", False, "another file stands there now: the next rescan or sweep decides about it"
    ORPHAN = (
        "orphan",
        False,
        (
            "the vault holds an original that no decision knows, so nobody releases it: copy it out if it is needed; "
            "framekeep ledger rebuild --force adopts it where its sidecar is whole, but forgets holds and restorations"
        ),
    )
    LONE_SIDECAR = "lone_sidecar", False, "its original is gone, so it says nothing: it may be deleted"
    STRANGER = (
        "stranger",
        False,
        "framekeep set a file aside that it did not expect: look at it, and put it back or delete it",
    )

    def __init__(self, word: str, is_damage: bool, remedy: str) -> None:
        self.word = word
        self.is_damage = is_damage
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Finding:
    """`place` is the picture, or the file below `.framekeep`; `entry` the original's name in the vault."""

    kind: Kind
    place: Place
    decision: int | None = None
    entry: str | None = None
    note: str = ""


@dataclass(slots=True)
class Verified:
    """A verification under way, as others may watch it."""

    examined: int = 0
    """Replacements whose file or original was looked at."""
    bytes_read: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    labels_hold: int = 0
    labels_unknown: int = 0
    """Another model than the configured one decided, or the original is released and its label was not kept."""

    @property
    def damaged(self) -> int:
        return sum(count for kind, count in self.kinds.items() if kind.is_damage)
