"""Nothing is told to the ledger before it is durable, and nothing is exchanged before it was planned: seen by strace.

Each act runs in a process of its own, on the real filesystem and the real ledger. The rules are general, so they hold
for folders and files that later versions add: a change that a power cut could undo must be fsynced before the ledger is
next written, and before the process ends.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace as changed
from pathlib import Path

import pytest

from benchmarks.torture import scenes
from benchmarks.torture.drawing import drawn
from benchmarks.torture.refusing import possible
from benchmarks.torture.scenes import ENTRY, LATER, ORIGINAL, PICTURE, VARIANT
from benchmarks.torture.tracing import NEVER, Call, available, traced

pytestmark = pytest.mark.skipif(not available(), reason="strace is not installed, or may not trace")

CHANGES = ("write", "pwrite64", "fchmod", "fchown", "fsetxattr", "utimensat", "ftruncate")
MOVES = ("linkat", "renameat", "renameat2")
WATCHED = ("openat", "mkdir", "mkdirat", "unlink", "unlinkat", "fsync", "fdatasync", *MOVES, *CHANGES)
SEEN = "fsync:delay_enter=1:when=9999"
"""An injection that never happens, with which strace also sees the calls that a filter of the process's own refuses."""
LOCKS = ("lock", "holds.lock", "holds.turn")
SQLITES = ("ledger.sqlite", "-wal", "-shm", "-journal")
"""Files that SQLite sees to itself."""


class Trace:
    """The calls of one or more processes, one after the other, as far as they concern a folder with root and ledger."""

    def __init__(self, folder: Path, *runs: Sequence[Call], lasting: tuple[str, ...] = ("vault",)):
        """`lasting`: in which of framekeep's folders it matters that what goes is gone for good."""
        self.folder = str(folder)
        self.lasting = lasting
        self.calls = [call for number, run in enumerate(runs) for call in _later(run, number)]
        self.synced = [call for call in self.calls if call.name in ("fsync", "fdatasync") and call.succeeded]
        self.ledger = [call for call in self.calls if call.name == "pwrite64" and call.paths[0].endswith("-wal")]
        self.end = runs[-1][-1].ended + (len(runs) - 1) * NEVER + 1

    def exchanges(self) -> list[Call]:
        return [call for call in self.calls if _is_exchange(call) and call.succeeded]

    def unsafe(self) -> list[str]:
        """What a power cut could undo after somebody was told of it."""
        made = [(call, folder) for call in self.calls if call.succeeded for folder in self._folders_changed(call)]
        written = [(call, path) for call in self.calls if call.succeeded for path in _files_changed(call)]
        return [
            f"{path} was not fsynced after {call.name}({call.arguments[:200]})"
            for call, path in made + written
            if path.startswith(self.folder) and not _is_fleeting(call, path)
            if not self._is_synced(path, call.ended, self._told(call, path))
        ]

    def _told(self, change: Call, path: str) -> int:
        """When somebody relies on the change: the file is moved, the ledger is written, or the process ends."""
        moved = [call.began for call in self.calls if call.name in MOVES and path in _moved(call)]
        told = moved + [call.began for call in self.ledger]
        return min((line for line in told if line > change.ended), default=self.end)

    def _is_synced(self, path: str, after: int, before: int) -> bool:
        return any(after < call.began and call.ended < before and call.paths[0] == path for call in self.synced)

    def _folders_changed(self, call: Call) -> list[str]:
        """Which folders have an entry that they had not before, or have lost one that counts."""
        if call.name == "mkdir":
            return [str(Path(call.names[0]).parent)]
        if call.name == "mkdirat" or (call.name == "openat" and "O_CREAT" in call.arguments):
            return [str(Path(_opened(call)).parent)]
        if call.name in MOVES:
            return [path for path in call.paths if path == call.paths[1] or self._lasts(path) or _is_exchange(call)]
        return [path for path in call.paths[:1] if call.name == "unlinkat" and self._lasts(path)]

    def _lasts(self, folder: str) -> bool:
        return Path(folder).name in self.lasting

    def planned_before(self, exchange: Call) -> bool:
        """Whether a row that names the entry was written to the ledger's log, and that fsynced, before."""
        entry = exchange.names[1]
        rows = [call for call in self.ledger if entry in call.arguments and call.ended < exchange.began]
        return any(self._is_synced(row.paths[0], row.ended, exchange.began) for row in rows)


def _later(run: Sequence[Call], number: int) -> Iterator[Call]:
    for call in run:
        yield changed(call, began=call.began + number * NEVER, ended=call.ended + number * NEVER)


def _is_exchange(call: Call) -> bool:
    return "RENAME_EXCHANGE" in call.arguments


def _files_changed(call: Call) -> list[str]:
    if call.name == "openat" and "O_CREAT" in call.arguments:
        return [_opened(call)]
    return call.paths[:1] if call.name in CHANGES else []


def _opened(call: Call) -> str:
    return str(Path(call.paths[0], call.names[0]))


def _moved(call: Call) -> list[str]:
    return [f"{folder}/{name}" for folder, name in zip(call.paths, call.names, strict=True)]


def _is_fleeting(call: Call, path: str) -> bool:
    """Locks hold nothing, and the marks of pictures in flight tell of a process that died, not of a power cut.

    A second name of an original on its way back is needed by nobody until it has been exchanged.
    """
    name = Path(_opened(call) if call.name == "openat" else path).name
    is_second_name = call.name == "linkat" and call.paths[1].endswith("/staged")
    return name in LOCKS or "/in-flight" in path or is_second_name or any(word in name for word in SQLITES)


@pytest.fixture
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes folders with a picture whose owner, mode, times and attributes have to be copied."""

    def made() -> Path:
        folder = tmp_path_factory.mktemp("site")
        path = folder / "incoming" / PICTURE
        path.parent.mkdir(parents=True)
        path.write_bytes(ORIGINAL)
        path.chmod(0o640)
        os.setxattr(path, "user.note", b"kept")
        os.utime(path, (1_600_000_000, 1_600_000_000))
        return folder

    return made


@pytest.fixture
def folder(new_folder: Callable[[], Path]) -> Path:
    return new_folder()


def run(act: str, folder: Path, *injections: str, on: str = "") -> list[Call]:
    command = [sys.executable, "-m", "benchmarks.torture.scenes", act, folder, *([on] if on else [])]
    return traced(command, WATCHED, *(injections or ([SEEN] if on else [])))


def vault(folder: Path) -> Path:
    return folder / "incoming" / ".framekeep" / "vault"


def test_a_sweep_plans_before_it_exchanges_and_confirms_what_is_durable(folder: Path):
    (folder / "incoming" / PICTURE).write_bytes(drawn(1))
    trace = Trace(folder, run("swept", folder))
    *_, swap = trace.exchanges()
    assert trace.planned_before(swap)
    assert any(call.began > swap.ended for call in trace.ledger)
    assert trace.unsafe() == []


@pytest.mark.parametrize(
    ("act", "exchanges"),
    [("given_back", 2), ("given_back_to_nothing", 1), ("given_back_under_a_newer_one", 3), ("probed", 1)],
)
def test_what_is_given_back_is_durable(folder: Path, act: str, exchanges: int):
    trace = Trace(folder, run(act, folder))
    assert len(trace.exchanges()) == exchanges
    assert trace.unsafe() == []


@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_is_restored_is_durable(folder: Path, is_deleted: bool):
    scenes.main("replaced", folder)
    picture = folder / "incoming" / PICTURE
    if is_deleted:
        picture.unlink()
    trace = Trace(folder, run("restored", folder))
    assert len(trace.exchanges()) == (not is_deleted)
    assert picture.read_bytes() == ORIGINAL
    assert trace.unsafe() == []


@pytest.mark.parametrize("is_changed", [False, True])
def test_what_is_released_or_set_aside_is_durable(folder: Path, is_changed: bool):
    scenes.main("replaced", folder)
    if is_changed:
        with (vault(folder) / ENTRY).open("ab") as file:
            file.write(b"by a late writer")
    trace = Trace(folder, run("released", folder))
    assert not list(vault(folder).iterdir())
    assert (vault(folder).with_name("strangers") / ENTRY).exists() == is_changed
    assert trace.unsafe() == []


def test_what_is_set_aside_is_durable_there_before_it_is_gone_from_the_vault_and_before_the_ledger_is_told(
    folder: Path,
):
    scenes.main("replaced", folder)
    with (vault(folder) / ENTRY).open("ab") as file:
        file.write(b"by a late writer")
    trace = Trace(folder, run("released", folder))
    moved = [call for call in trace.calls if call.name == "renameat2" and call.names[0] in (ENTRY, f"{ENTRY}.json")]
    assert len(moved) == 2  # the original and its sidecar
    since = max(call.ended for call in moved)
    there, gone = (
        next(call for call in trace.synced if call.began > since and call.paths[0] == place)
        for place in (str(vault(folder).with_name("strangers")), str(vault(folder)))
    )
    told = next(call for call in trace.ledger if call.began > since)
    assert there.ended < gone.began
    assert gone.ended < told.began


def test_a_backup_is_durable(folder: Path):
    scenes.main("replaced", folder)
    trace = Trace(folder, run("backed_up", folder))
    assert (folder / "copy.sqlite").stat().st_size
    assert trace.unsafe() == []
    # A journal that came back would have SQLite undo the whole copy.
    *_, gone = (call for call in trace.calls if call.name == "unlink" and call.names[0].endswith("copy.sqlite-journal"))
    assert any(call.began > gone.ended and call.paths[0] == trace.folder for call in trace.synced)


def killed_in_each_call_after(
    act: str, name: str, new_folder: Callable[[], Path], on: str = "", nth: int = 1
) -> Iterator[tuple[Path, list[Call]]]:
    """Folders in which the act was killed, in each call that changes something from the nth of this name on."""
    whole = [call.name for call in run(act, new_folder(), on=on) if call.name in (*MOVES, "unlinkat", "fsync")]
    first = [index for index, called in enumerate(whole) if called == name][nth - 1]
    for index in range(first + 1, len(whole)):
        folder, number = new_folder(), whole[: index + 1].count(whole[index])
        killed = run(act, folder, f"{whole[index]}:signal=KILL:when={number}", on=on)
        assert killed[-1].name == whole[index]
        assert killed[-1].ended == NEVER
        yield folder, killed


def test_a_start_makes_durable_what_a_killed_replacement_did(new_folder: Callable[[], Path]):
    """The kernel still knows what was done, but the disk may not."""
    for folder, killed in killed_in_each_call_after("replaced", "renameat2", new_folder):
        trace = Trace(folder, killed, run("recovered", folder))
        assert (vault(folder) / ENTRY).read_bytes() == ORIGINAL
        assert trace.unsafe() == [], killed[-1]


def test_a_start_makes_durable_what_a_killed_restoration_did(new_folder: Callable[[], Path]):
    def replaced() -> Path:
        folder = new_folder()
        scenes.main("replaced", folder)
        return folder

    for folder, killed in killed_in_each_call_after("restored", "linkat", replaced):
        trace = Trace(folder, killed, run("recovered", folder), lasting=("vault", "staged"))
        places = (vault(folder) / ENTRY, folder / "incoming" / PICTURE)
        assert ORIGINAL in [place.read_bytes() for place in places if place.exists()]
        assert not list(vault(folder).with_name("staged").iterdir())
        assert len(list(vault(folder).iterdir())) in (0, 2)  # an original with its sidecar, or neither
        assert trace.unsafe() == [], killed[-1]


def test_a_later_stage_plans_before_it_exchanges_and_confirms_what_is_durable(folder: Path):
    scenes.main("replaced", folder)
    trace = Trace(folder, run("succeeded", folder))
    (swap,) = trace.exchanges()
    assert trace.planned_before(swap)
    gone = next(call for call in trace.calls if call.name == "unlinkat" and call.began > swap.ended)
    assert any(trace._is_synced(row.paths[0], row.ended, gone.began) for row in trace.ledger if row.began > swap.ended)
    assert (folder / "incoming" / PICTURE).read_bytes() == LATER
    assert trace.unsafe() == []


def test_a_start_makes_durable_what_a_killed_later_stage_did(new_folder: Callable[[], Path]):
    def replaced() -> Path:
        folder = new_folder()
        scenes.main("replaced", folder)
        return folder

    left = []
    for folder, killed in killed_in_each_call_after("succeeded", "renameat", replaced):
        trace = Trace(folder, killed, run("recovered", folder))
        left.append((folder / "incoming" / PICTURE).read_bytes())
        assert (vault(folder) / ENTRY).read_bytes() == ORIGINAL
        told = json.loads((vault(folder) / f"{ENTRY}.json").read_text())
        assert told["sha256_after"] == hashlib.sha256(left[-1]).hexdigest()
        assert not list(vault(folder).with_name("staged").iterdir())
        assert trace.unsafe() == [], killed[-1]
        scenes.main("restored", folder)
        assert (folder / "incoming" / PICTURE).read_bytes() == ORIGINAL
    assert set(left) == {VARIANT, LATER}


def test_a_sidecar_that_follows_its_original_at_a_start_is_durable(folder: Path):
    scenes.main("replaced", folder)
    card = vault(folder) / f"{ENTRY}.json"
    card.rename(vault(folder).with_name("staged") / card.name)
    trace = Trace(folder, run("recovered", folder))
    assert card.exists()
    assert trace.unsafe() == []


def test_what_a_rebuilt_ledger_knows_is_in_the_vault(folder: Path):
    """The crash came before the original was in the vault, and then the ledger was lost."""
    run("replaced", folder, "renameat2:signal=KILL:when=2")
    for file in (folder / "var").iterdir():
        file.unlink()
    trace = Trace(folder, run("rebuilt", folder))
    assert (vault(folder) / ENTRY).read_bytes() == ORIGINAL
    assert trace.unsafe() == []


# In two steps, where a filesystem cannot exchange two files.

refusing = pytest.mark.skipif(not possible(), reason="this machine has no seccomp")


@pytest.fixture
def new_plain_folder(new_folder: Callable[[], Path]) -> Callable[[], Path]:
    """The same without attributes, which such filesystems do not keep."""

    def made() -> Path:
        folder = new_folder()
        os.removexattr(folder / "incoming" / PICTURE, "user.note")
        return folder

    return made


@refusing
@pytest.mark.parametrize("on", ["exfat", "nfs"])
@pytest.mark.parametrize("act", ["replaced", "put_back", "restored"])
def test_what_is_done_in_two_steps_is_durable(new_plain_folder: Callable[[], Path], act: str, on: str):
    folder = new_plain_folder()
    if act == "restored":
        scenes.main("replaced", folder)
    trace = Trace(folder, run(act, folder, on=on), lasting=("vault", "staged"))
    assert (vault(folder) / ENTRY).exists() == (act == "replaced")
    assert (folder / "incoming" / PICTURE).read_bytes() == (VARIANT if act == "replaced" else ORIGINAL)
    assert trace.exchanges() == []
    assert trace.unsafe() == []
    assert early_removals(trace) == []
    if act == "restored":  # the variant goes when nothing can bring the original back to the vault
        *_, put_in = (
            call for call in trace.calls if call.name in MOVES and call.succeeded and call.names[1] == "1.jpg"
        )
        gone = next(call for call in trace.calls if call.name == "unlinkat" and call.paths[0].endswith("/staged"))
        assert all(trace._is_synced(place, put_in.ended, gone.began) for place in put_in.paths)


def early_removals(trace: Trace) -> list[Call]:
    """Of a file's first name, when its second was not durable yet; or such that a power cut could undo."""
    links = [call for call in trace.calls if call.name == "linkat" and call.succeeded and call.names[1] == "1.jpg"]
    removals = [
        (link, call)
        for link in links
        for call in trace.calls
        if call.name == "unlinkat" and call.succeeded and _moved(link)[0] == _opened(call) and call.began > link.ended
    ]
    return [
        removal
        for link, removal in removals
        if not trace._is_synced(link.paths[1], link.ended, removal.began)
        or not trace._is_synced(removal.paths[0], removal.ended, trace.end)
    ]


@refusing
@pytest.mark.parametrize(("act", "first", "nth"), [("replaced", "renameat", 2), ("put_back", "linkat", 1)])
def test_a_start_makes_durable_what_a_killed_replacement_in_two_steps_did(
    new_plain_folder, act: str, first: str, nth: int
):
    """The first name that a replacement changes is that of the staged variant, when it is whole."""
    for folder, killed in killed_in_each_call_after(act, first, new_plain_folder, "nfs", nth):
        trace = Trace(folder, killed, run("recovered", folder, on="nfs"))
        picture, kept = folder / "incoming" / PICTURE, vault(folder) / ENTRY
        assert (kept if picture.read_bytes() == VARIANT else picture).read_bytes() == ORIGINAL
        assert not list(vault(folder).with_name("staged").iterdir())
        assert trace.unsafe() == [], killed[-1]
        assert early_removals(trace) == [], killed[-1]


@refusing
def test_a_start_makes_durable_what_a_killed_restoration_in_two_steps_did(new_plain_folder):
    def replaced() -> Path:
        folder = new_plain_folder()
        scenes.main("replaced", folder)
        return folder

    for folder, killed in killed_in_each_call_after("restored", "renameat2", replaced, "exfat"):
        trace = Trace(folder, killed, run("recovered", folder, on="exfat"), lasting=("vault", "staged"))
        picture, kept = folder / "incoming" / PICTURE, vault(folder) / ENTRY
        assert (kept if picture.read_bytes() == VARIANT else picture).read_bytes() == ORIGINAL
        assert not list(vault(folder).with_name("staged").iterdir())
        assert len(list(vault(folder).iterdir())) in (0, 2)
        assert trace.unsafe() == [], killed[-1]
