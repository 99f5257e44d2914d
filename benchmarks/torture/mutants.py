"""Mutants: each safeguard of the replacement taken away, one at a time; a test must fail for each.

usage: python -m benchmarks.torture.mutants [NAME…]

Works on a copy of the tree. Every fsync in storage/ and daemon/ is a mutant of its own, found by its syntax; the others
are named below. A safeguard that has changed its wording makes this fail, so that the list is kept true.
"""

import ast
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.torture.record import Run, append

REPOSITORY: Final = Path(__file__).parents[2]
_COPIED: Final = ("framekeep", "storage", "daemon", "cli", "benchmarks", "tests", "pyproject.toml", "config.toml")
_ORDER: Final = "tests/integration/test_fsync_order.py"
_FILES: Final = ("tests/integration/test_replacement.py", "tests/integration/test_give_back.py")
_RECOVERY: Final = "tests/integration/test_recovery.py"
_VAULT: Final = ("tests/integration/test_vault.py",)
_STAGES: Final = ("tests/integration/test_stage_recovery.py",)
_RACY: Final = ("tests/integration/test_racy.py", "tests/integration/test_racy_recovery.py")
EQUIVALENT: Final = {("storage/ledger/backup.py", "os.fsync(descriptor)")}
"""SQLite has fsynced that file itself, so nobody could notice."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is taken away: `old` becomes `new`, each standing just once in the file; and the tests that must notice."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]

    def applied(self, source: str) -> str:
        """The mutated file. Raises ValueError where the safeguard is not found."""
        for old, new in self.changes:
            if source.count(old) != 1:
                raise ValueError(f"{self.name}: {self.file} does not hold just once: {old}")
            source = source.replace(old, new)
        compile(source, self.file, "exec")
        return source


NAMED: Final = (
    Mutant(
        "the re-hash of what came out",
        "storage/replacement.py",
        (("hashlib.sha256(read_whole(descriptor, swap.read.size)).digest() == due", "True"),),
        _FILES,
    ),
    Mutant(
        "the compare of what came out with what was read",
        "storage/replacement.py",
        (("if not FileIdentity.of(status).same_content_as(swap.read) or", "if"),),
        _FILES,
    ),
    Mutant(
        "every look at what came out",
        "storage/replacement.py",
        (("if is_original(root.staged, swap, variant) and not somebody_waits():", "if True:"),),
        _FILES,
    ),
    Mutant(
        "the question whether somebody waits to write the original",
        "storage/replacement.py",
        ((" and not somebody_waits()", ""),),
        _FILES,
    ),
    Mutant(
        "the compare right before the exchange",
        "storage/replacement.py",
        (("    _check_unchanged(os.fstat(original), swap)\n", ""),),
        _FILES,
    ),
    Mutant(
        "the exchange back",
        "storage/replacement.py",
        (("            give_back(root, swap.mark.entry, (folder, name), inode_of(variant))\n", ""),),
        _FILES,
    ),
    Mutant(
        "the exchange back at a start",
        "storage/recovery.py",
        (("                give_back(root, entry, (folder, name), inode_of(variant))\n", ""),),
        (_RECOVERY,),
    ),
    Mutant(
        "the pin on the variant's inode",
        "storage/replacement.py",
        (
            (
                "os.fstat(pinned(opened, root.staged, entry))",
                "os.stat(entry, dir_fd=root.staged, follow_symlinks=False)",
            ),
        ),
        _FILES,
    ),
    Mutant(
        "the plan's durability",
        "storage/ledger/opening.py",
        (("synchronous=FULL", "synchronous=OFF"),),
        (_ORDER,),
    ),
    Mutant(
        "the plan before the exchange",
        "daemon/replacing.py",
        (
            ("        decision = await self._journal.plan(draft)\n", ""),
            ("self._journal.confirm(decision,", "self._journal.confirm(await self._journal.plan(draft),"),
        ),
        (_ORDER,),
    ),
    Mutant(
        "the hash of an original before it is restored",
        "storage/vault.py",
        (("if hashlib.sha256(data).digest() != held.sha256_before:", "if False:"),),
        _VAULT,
    ),
    Mutant(
        "the hash of an original before it is released",
        "storage/vault.py",
        (("            if not _is_original(descriptor, held):", "            if False:"),),
        (_ORDER,),
    ),
    Mutant(
        "every look at what a restored original replaces",
        "storage/vault.py",
        (
            ("    if not _is_variant(variant, way.held):", "    if False:"),
            (
                "inode_at(*way.staged) != inode or not _is_variant(variant, way.held) or somebody_waits()",
                "False",
            ),
        ),
        _VAULT,
    ),
    Mutant(
        "every look at what came out in two steps",
        "storage/racy.py",
        (("if not is_original(root.vault, swap, variant) or somebody_waits():", "if False:"),),
        _RACY,
    ),
    Mutant(
        "every look at what a restored original replaces in two steps",
        "storage/racy.py",
        (("                if is_unwanted():\n                    _refuse(OTHER)\n", ""),),
        _RACY,
    ),
    Mutant(
        "putting back what came out and could not be replaced",
        "storage/racy.py",
        (("                put_back(root, root.vault, entry, place)\n", ""),),
        _RACY,
    ),
    Mutant(
        "putting back what is out at a start",
        "storage/recovery.py",
        (
            (
                "            racy.put_back(root, root.vault, entry, place)\n        remove",
                "            pass\n        remove",
            ),
        ),
        _RACY,
    ),
    Mutant(
        "the question, before a release, whether a later stage has claimed the original",
        "daemon/releasing.py",
        (("writer.is_held(held.decision) and ", ""),),
        _STAGES,
    ),
    Mutant(
        "the claim of a later stage on its original",
        "storage/ledger/lookups.py",
        (("        .where(DecisionRow.id.not_in(claimed()))\n", ""),),
        _STAGES,
    ),
    Mutant(
        "the claim of a restoration, which a later stage heeds",
        "storage/ledger/succeeding.py",
        ((" and connection.scalar(begun) is None", ""),),
        _STAGES,
    ),
    Mutant(
        "the look for the original before a later stage's exchange",
        "storage/succession.py",
        (("        if inode_at(root.vault, entry) is None:", "        if False:"),),
        _STAGES,
    ),
    Mutant(
        "the sidecar that tells of a later stage, at a start",
        "storage/recovery.py",
        (("        succession.keep_sidecar(root, entry)\n", ""),),
        _STAGES,
    ),
    Mutant(
        "the hash of what a later stage's variant takes the place of",
        "storage/replacement.py",
        (
            (
                "due = swap.stood or swap.mark.original",
                "due = hashlib.sha256(read_whole(descriptor, swap.read.size)).digest()",
            ),
        ),
        _STAGES,
    ),
    Mutant(
        "a move that does not replace, where renames know no flags",
        "storage/renameat2.py",
        (
            (
                "        os.link(name_a, name_b, src_dir_fd=folder_a, dst_dir_fd=folder_b, follow_symlinks=False)\n",
                "        os.rename(name_a, name_b, src_dir_fd=folder_a, dst_dir_fd=folder_b)\n        return\n",
            ),
        ),
        _RACY,
    ),
)


def mutants() -> list[Mutant]:
    """All of them."""
    return [*NAMED, *(mutant for file in sources() for mutant in _fsyncs(file))]


def sources() -> list[Path]:
    """Where files are changed."""
    return sorted(path for room in ("storage", "daemon") for path in (REPOSITORY / room).rglob("*.py"))


def _fsyncs(path: Path) -> Iterator[Mutant]:
    source, file = path.read_text(encoding="utf-8"), str(path.relative_to(REPOSITORY))
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        call = ast.unparse(node)
        if isinstance(node, ast.Call) and call.startswith("os.fsync(") and (file, call) not in EQUIVALENT:
            line = lines[node.lineno - 1]
            changed = line.replace(call, "None")
            old, new = ("".join((*lines[: node.lineno - 1], middle)) for middle in (line, changed))
            yield Mutant(f"{call} on line {node.lineno} of {file}", file, ((old, new),), (_ORDER,))


def copied(folder: Path) -> Path:
    """A copy of the tree, as it is now."""
    tree = folder / "tree"
    tree.mkdir()
    for name in _COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        else:
            shutil.copy(source, tree / name)
    return tree


def passes(tree: Path, tests: Sequence[str]) -> bool:
    """Whether the tests pass. Raises RuntimeError where they could not be run."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the tests did not run: {done.stdout}{done.stderr}")
    return done.returncode == 0


def is_killed(tree: Path, mutant: Mutant) -> bool:
    """Whether a test fails without the safeguard; the copy is as before in the end."""
    file = tree / mutant.file
    source = file.read_text(encoding="utf-8")
    file.write_text(mutant.applied(source), encoding="utf-8")
    try:
        return not passes(tree, mutant.tests)
    finally:
        file.write_text(source, encoding="utf-8")


def main(names: Sequence[str]) -> int:
    wanted, began = [mutant for mutant in mutants() if not names or mutant.name in names], time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        tree = copied(Path(scratch))
        if not passes(tree, sorted({test for mutant in wanted for test in mutant.tests})):
            sys.exit("the tests fail without any mutant")
        survivors = [mutant for mutant in wanted if not _told(mutant, killed=is_killed(tree, mutant))]
    facts = {"survived": len(survivors)}
    append(Run("mutants", len(wanted), 0, 0, 0, seed=0, seconds=round(time.monotonic() - began, 1), facts=facts))
    return 1 if survivors else 0


def _told(mutant: Mutant, *, killed: bool) -> bool:
    print("killed  " if killed else "SURVIVED", mutant.name, flush=True)
    return killed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
