"""The ledger as the pipeline, recovery, the vault and a restore write it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine

from framekeep.reasons import Reason, Standing
from storage.actor import who
from storage.files import FileIdentity
from storage.ledger import (
    adopting,
    aging,
    breakers,
    chores,
    clock,
    events,
    holding,
    journal,
    known_models,
    lookups,
    outcomes,
    restoring,
    second_looks,
    succeeding,
)
from storage.ledger.aging import Aging
from storage.ledger.breakers import Opening
from storage.ledger.faults import told
from storage.ledger.interning import Numbers
from storage.ledger.known_models import ModelFacts
from storage.ledger.second_looks import Agreement
from storage.records import Claim, Draft, Hold, Known, Lineage, Planned, Restoration, Tried, VaultEntry


class Writer:
    """For one thread. Each method is one transaction, durable when it returns; all raise LedgerError."""

    def __init__(self, engine: Engine, ledger: Path, clock: Callable[[], datetime]) -> None:
        self._connection = engine.connect()
        self._ledger = ledger
        self._numbers = Numbers()
        self._clock = clock

    def close(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def know_roots(self, paths: Iterable[str]) -> None:
        """From now on the ledger knows these roots, which have their vaults."""
        with self._transaction() as connection:
            for path in paths:
                self._numbers.root(connection, path)

    def known(self, root: str, paths: Sequence[str]) -> dict[str, Known]:
        """What the ledger last knew of each path that has had a decision; a planned one is none yet."""
        with self._transaction() as connection:
            return lookups.known(connection, root, paths)

    def wrote(self, sha256s: Sequence[bytes]) -> set[bytes]:
        with self._transaction() as connection:
            return lookups.wrote(connection, sha256s)

    def restored(self, sha256s: Sequence[bytes]) -> set[bytes]:
        with self._transaction() as connection:
            return lookups.restored(connection, sha256s)

    def record(self, drafts: Sequence[Draft]) -> list[int]:
        """Kept pictures, one number a draft.

        A reason for later, or a failure, that the path's last decision gave already (same settings, same file) is not
        repeated: that decision's number is returned.
        """
        if any(draft.reason.standing is Standing.REPLACED for draft in drafts):
            raise ValueError("a replacement is planned, not recorded")
        with self._transaction() as connection:
            return journal.record(connection, self._numbers, drafts, self._clock())

    def plan(self, drafts: Sequence[Draft]) -> list[int]:
        """Replacements that are about to happen, one number a draft."""
        if not all(map(_is_replacement, drafts)):
            raise ValueError("only a replacement is planned, with both hashes and its entry in the vault")
        with self._transaction() as connection:
            return journal.plan(connection, self._numbers, drafts)

    def plan_next(self, draft: Draft) -> int | None:
        """A replacement that is to take the place of the one it `succeeds`, whose original is its own from now on.

        None where that original is not in the vault any more, or is about to go back: nothing is planned then. A new
        generation is made from what stands, and has nothing in the vault yet; see `succeeding.may_succeed`.
        """
        if not _is_replacement(draft):
            raise ValueError("only a replacement is planned, with both hashes and its entry in the vault")
        with self._transaction() as connection:
            return journal.plan_next(connection, self._numbers, draft)

    def tried(self, one: Tried) -> None:
        """A later stage that was tried, so that it is not tried again while all that stays the same."""
        with self._transaction() as connection:
            succeeding.tried(connection, self._numbers, one, self._clock())

    def confirm(self, confirmations: Sequence[tuple[int, FileIdentity]]) -> None:
        """These planned replacements happened; the identity is that of the variant, which is at the path now."""
        with self._transaction() as connection:
            outcomes.confirm(connection, confirmations, self._clock())

    def abandon(self, abandonments: Sequence[tuple[int, Reason, str]]) -> None:
        """These planned replacements did not happen: each is a decision to keep now, with this reason and note.

        As in `record`, what the path's last decision says already is not repeated: then the planned one is gone. So is
        one that was to take another one's place.
        """
        with self._transaction() as connection:
            outcomes.abandon(connection, self._numbers, abandonments, self._clock())

    def pending(self) -> list[Planned]:
        with self._transaction() as connection:
            return lookups.pending(connection)

    def entry_of(self, root: str, path: str) -> VaultEntry | None:
        """The newest original of a path that the vault still holds."""
        with self._transaction() as connection:
            return lookups.entry_of(connection, root, path)

    def lineage(self, root: str, path: str, sha256: bytes) -> Lineage | None:
        """Where the variant with this hash at a path comes from; None where no decision in force has put it there."""
        with self._transaction() as connection:
            return succeeding.lineage(connection, root, path, sha256)

    def was_made(self, entry: str, sha256: bytes) -> bool:
        """Whether this content is a variant of the original that the vault holds under this name."""
        with self._transaction() as connection:
            return succeeding.was_made(connection, entry, sha256)

    def is_held(self, decision: int) -> bool:
        """Whether the vault holds this decision's original, and no later stage is about to take it over."""
        with self._transaction() as connection:
            return lookups.entry(connection, decision) is not None

    def due(self, now: datetime, limit: int, roots: Sequence[str], after: VaultEntry | None = None) -> list[VaultEntry]:
        """Originals held in these roots whose time has come, the longest overdue first, or those that follow one."""
        with self._transaction() as connection:
            return lookups.due(connection, now, limit, roots, after)

    def aging(self, root: str, last_stage: float, after: Aging | None, limit: int) -> list[Aging]:
        """Shrunk pictures of a root that can go on to a later stage, the oldest first, or those that follow one."""
        with self._transaction() as connection:
            return aging.aging(connection, root, last_stage, after, limit)

    def held_since(self, before: datetime, roots: Sequence[str], after: int, limit: int) -> list[VaultEntry]:
        """Originals of decisions made before a moment, with a number above `after`, the oldest decision first."""
        with self._transaction() as connection:
            return aging.held_since(connection, before, roots, after, limit)

    def release(self, decisions: Sequence[int], at: datetime, note: str = "") -> None:
        """The vault holds these originals no longer, which frees their bytes. A restored one is left out.

        A note says why, where it is not that their time was over.
        """
        with self._transaction() as connection:
            outcomes.release(connection, decisions, at, note)

    def quarantine(self, decisions: Sequence[int], at: datetime, note: str) -> None:
        """These originals are not what they were and were set aside: held no longer, and nothing is freed."""
        with self._transaction() as connection:
            outcomes.quarantine(connection, decisions, at, note)

    def begin_restoration(self, decision: int, at: datetime) -> bool:
        """From now on `restored` knows the content. False where the vault holds that original no longer."""
        with self._transaction() as connection:
            return restoring.begin(connection, decision, at)

    def forgo(self, decision: int) -> None:
        """A restoration that was begun did not happen: the original is in the vault."""
        with self._transaction() as connection:
            restoring.end(connection, decision)

    def restorations(self) -> Sequence[Restoration]:
        """Those that were begun and not ended."""
        with self._transaction() as connection:
            return restoring.restorations(connection)

    def adopt(self, adopted: Sequence[tuple[Draft, FileIdentity]]) -> None:
        """Replacements that another ledger knew, and what is at each path now."""
        with self._transaction() as connection:
            adopting.adopt(connection, self._numbers, adopted, self._clock())

    def restore(self, decision: int, identity: FileIdentity, at: datetime) -> int:
        """The original of a confirmed replacement is back at its path.

        That decision is undone and leaves the totals of its day; a new one, whose number is returned, tells of a
        picture kept because it was restored, and by its hash `restored` knows the content from now on.
        """
        with self._transaction() as connection:
            return outcomes.restore(connection, self._numbers, decision, identity, at)

    def note(self, kind: str, payload: Mapping[str, Any], decision: int | None = None) -> None:
        """Chains an event that changes no table: `payload` is JSON's, `kind` a word that is none of `Kind`."""
        if kind in set(events.Kind) or events.CHANGED in payload:
            raise ValueError(f"{kind}: a change of the ledger is chained where it is made")
        with self._transaction() as connection:
            told = events.canonical({**payload, events.BY: who()})
            events.append(connection, self._clock(), [events.Happened(kind, decision, told)])

    def add_hold(self, claim: Claim) -> Hold:
        """In force as soon as it returns; whoever waits for swaps under way does so after this."""
        with self._transaction() as connection:
            return holding.add(connection, claim, self._clock())

    def remove_hold(self, number: int, reason: str) -> None:
        """Raises ValueError where no hold of this number is in force."""
        with self._transaction() as connection:
            holding.remove(connection, number, reason, self._clock())

    def last_model(self, name: str) -> ModelFacts | None:
        """As the last start with this name met it."""
        with self._transaction() as connection:
            return known_models.last_model(connection, name)

    def remember_model(self, facts: ModelFacts) -> None:
        """From now on this name has to mean this model."""
        with self._transaction() as connection:
            known_models.remember_model(connection, facts, self._clock())

    def openings(self) -> list[Opening]:
        """Where the breaker is open."""
        with self._transaction() as connection:
            return breakers.openings(connection)

    def open_breaker(self, opening: Opening) -> None:
        with self._transaction() as connection:
            breakers.open_breaker(connection, opening)

    def resume(self, wanted: Sequence[Opening], reason: str) -> None:
        """A person closes these openings of the breaker."""
        with self._transaction() as connection:
            breakers.resume(connection, wanted, reason, self._clock())

    def resumptions(self) -> list[Opening]:
        """When the breaker was last resumed, for each camera or root where it was; `cause` is the person's reason."""
        with self._transaction() as connection:
            return breakers.resumptions(connection)

    def root_bytes(self, day: date) -> dict[str, tuple[int, int]]:
        """By root: the bytes of all pictures as delivered, and of those that were replaced on that day (UTC)."""
        with self._transaction() as connection:
            changed = breakers.changed_on(connection, day)
            return {root: (size, changed.get(root, 0)) for root, size in breakers.known_bytes(connection).items()}

    def observe_clock(self) -> timedelta | None:
        """By how much the wall clock was set since this was last asked: what is held keeps its days, counted anew."""
        with self._transaction() as connection:
            return clock.observe(connection, self._clock())

    def chore_done_at(self, name: str) -> datetime | None:
        with self._transaction() as connection:
            return chores.chore_done_at(connection, name)

    def chore_done(self, name: str) -> None:
        with self._transaction() as connection:
            chores.chore_done(connection, name, self._clock())

    def second_look(self, looks: Sequence[tuple[int, bool]], model: str) -> None:
        """Each: a decision, and whether a second model sees the same in its original and in its variant."""
        with self._transaction() as connection:
            second_looks.second_look(connection, looks, model, self._clock())

    def agreements(self, since: datetime) -> dict[str, Agreement]:
        """What second looks came to, by camera."""
        with self._transaction() as connection:
            return second_looks.agreements(connection, since)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with told(self._ledger):
            try:
                with self._connection.begin():
                    yield self._connection
            except BaseException:
                self._numbers.forget()
                raise


def _is_replacement(draft: Draft) -> bool:
    facts = (draft.bytes_after, draft.sha256_before, draft.sha256_after, draft.vault_entry)
    return draft.reason.standing is Standing.REPLACED and None not in facts
