"""Counts what is lost, damaged or half-written, from outside: plain files, plain SQL, no code of framekeep's own.

usage: python -m benchmarks.torture.checker FOLDER [--crashed [--racy]]

It knows what the cameras delivered and asks of each path: is it what was delivered last, or a variant of that which
the ledger knows and whose original is in the vault? Then it goes through vault, staged/ and strangers/. `--crashed`:
nothing was repaired yet, so a plan may stand for a confirmed row and staged/ for the vault. `--racy`: a filesystem that
cannot exchange two files, so nothing may stand at a path whose plan is open if just what is missing is in the vault.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.torture.facts import Facts, Row, gather, sha
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import STOPPED, Verdict, found

FINE: Final = ("original", "variant", "deleted")


def check(site: Site, *, crashed: bool = False, racy: bool = False) -> Verdict:
    """Call it while no camera acts and no framekeep runs."""
    facts = gather(site, crashed=crashed)
    total = found(STOPPED, count=facts.stopped)
    for part in (_paths(facts, racy=racy), _held(facts), _own(facts), _uninvited(facts)):
        for verdict in part:
            total += verdict
    return total


def _paths(facts: Facts, *, racy: bool) -> Iterator[Verdict]:
    for path, contents in facts.history.items():
        due, there = contents[-1], facts.pictures.get(path)
        if due is None:
            yield _deleted(facts, path, there)
        elif racy and there is None and _is_out(facts, path, due):
            yield found("out")
        else:
            yield _judged(facts, path, due, there)


def _is_out(facts: Facts, path: str, due: bytes) -> bool:
    """Whether a crash came between the two steps: a plan is open, and its entry in the vault is what was there."""
    return facts.crashed and any(row.is_planned and facts.vault.get(row.entry or "") == due for row in facts.of(path))


def _deleted(facts: Facts, path: str, there: bytes | None) -> Verdict:
    """A picture may come back when it was deleted during the very exchange: then it is one that was delivered."""
    if there is None:
        return found("deleted")
    earlier = [content for content in facts.history[path] if content is not None]
    if there in earlier or any(
        _stands_for(facts, row, content, there) for content in earlier for row in facts.of(path)
    ):
        return found("returned", f"{path}: came back after it was deleted")
    return found("damaged", f"{path}: deleted, and now holds {sha(there)[:12]}")


def _judged(facts: Facts, path: str, due: bytes, there: bytes | None) -> Verdict:
    if there == due:
        return found("original")
    if there is not None:
        for row in facts.of(path):
            if kind := _stands_for(facts, row, due, there):
                return found(kind, *([f"{path}: a late writer's bytes are in the vault"] if kind == "late" else []))
    return _wrong(facts, path, due, there)


def _stands_for(facts: Facts, row: Row, due: bytes, there: bytes) -> str | None:
    """Whether a path holds the row's variant of what is due, and the original is kept.

    What came out of an exchange that a crash interrupted counts as kept, too.
    What a camera appended may stand behind the variant (it opened the path after the exchange) or behind the original
    (it had opened the file before: "late").
    """
    if sha(there[: row.bytes_after]) != row.sha256_after:
        return None
    appended, kept = there[row.bytes_after :], facts.entry(row)
    if sha(due[: row.bytes_before]) == row.sha256_before:
        if kept is None:
            return "variant" if row.released and due[row.bytes_before :] == appended else None
        if kept + appended == due:
            return "variant" if len(kept) == row.bytes_before else "late"
    came_out = facts.staged.get(row.entry or "") if facts.crashed else None
    return "late" if due in (kept, came_out) and not appended else None


def _wrong(facts: Facts, path: str, due: bytes, there: bytes | None) -> Verdict:
    holds = "nothing" if there is None else f"{len(there)} bytes {sha(there)[:12]}"
    told = f"{path}: {len(due)} bytes {sha(due)[:12]} were delivered last, now it holds {holds}"
    if not facts.is_somewhere(due):
        return found("lost", told)
    if there is not None and (due.startswith(there) or not there.endswith(b"\xff\xd9")):
        return found("half_written", told)
    return found("damaged", told)


def _held(facts: Facts) -> Iterator[Verdict]:
    """Each confirmed row that says the vault holds its original, also where the path has moved on since."""
    for row in facts.rows:
        if not row.is_held:
            continue
        kept = facts.entry(row)
        if kept is not None and sha(kept[: row.bytes_before]) == row.sha256_before:
            continue
        if kept is not None and kept in facts.history.get(row.path, ()):
            yield found("late", f"{row.path}: the vault's entry {row.entry} was written over by a late writer")
        elif sha(facts.pictures.get(row.path, b"")) != row.sha256_before:
            yield found("lost", f"{row.path}: the vault's entry {row.entry} is not its original")


def _own(facts: Facts) -> Iterator[Verdict]:
    """What is left over below .framekeep, and what the ledger has left open."""
    known = {row.entry for row in facts.rows}
    for name in facts.vault.keys() - known:
        yield found("orphaned", f"vault/{name}: no row knows it")
    for name, content in facts.strangers.items():
        yield found("set_aside") if facts.was_delivered(content) else found("damaged", f"strangers/{name} is nobody's")
    if facts.crashed:
        yield found("open_plans", count=sum(row.is_planned for row in facts.rows))
        return
    for name in facts.staged:
        yield found("damaged", f"staged/{name} is left over")
    for row in facts.rows:
        if row.is_planned:
            yield found("damaged", f"{row.path}: its plan is left open")


def _uninvited(facts: Facts) -> Iterator[Verdict]:
    for path in facts.pictures.keys() - facts.history.keys():
        yield found("damaged", f"{path}: nobody delivered it")


def main() -> int:
    parser = argparse.ArgumentParser(description="Counts what is lost, damaged or half-written.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--crashed", action="store_true", help="nothing was repaired yet")
    parser.add_argument("--racy", action="store_true", help="files are replaced in two steps")
    given = parser.parse_args()
    verdict = check(Site(given.folder), crashed=given.crashed, racy=given.racy)
    print(json.dumps({"counts": verdict.counts, "findings": verdict.findings}))
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
