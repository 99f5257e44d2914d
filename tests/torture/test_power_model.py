"""The model of a disk that loses power: it follows the real one, and without an fsync it finds what is then lost."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.torture.cuts import left, losses
from benchmarks.torture.disk import ROOT, Content, Cutting, Disk, Naming, Operation, Syncing, Writing
from benchmarks.torture.powercut import Cut, survived
from benchmarks.torture.recording import Recording, record
from benchmarks.torture.scenario import SCENARIOS, Workshop
from benchmarks.torture.verdict import Verdict

FOLDER, OTHER, FILE = 1, 2, 3


def chance() -> random.Random:
    return random.Random(1)  # noqa: S311 - chance, not secrecy


def disk() -> Disk:
    """Two folders, and a file that has no name yet."""
    return Disk({(ROOT, "a"): FOLDER, (ROOT, "b"): OTHER}, {ROOT, FOLDER, OTHER}, {FILE: Content()})


def outcomes(*done: Operation) -> set[tuple[str | None, bytes]]:
    """Under which name the file may be after a cut, and what may be in it."""
    disks = [left(disk(), done, loss) for loss in losses(done, chance())]
    return {(name_of(disk), disk.contents[FILE].data) for disk in disks}


def name_of(disk: Disk) -> str | None:
    names = [f"{'ab'[folder - 1]}/{name}" for (folder, name), inode in disk.names.items() if inode == FILE]
    assert len(names) < 2
    return names[0] if names else None


CREATED = Naming(((FOLDER, "x", FILE),))
MOVED = Naming(((OTHER, "x", FILE), (FOLDER, "x", None)))


def test_nothing_is_there_for_sure_before_an_fsync():
    assert outcomes(CREATED, Writing(FILE, 0, b"data")) == {
        *((None, data) for data in (b"", b"data")),
        *(("a/x", data) for data in (b"", b"da", b"data")),
    }


def test_an_fsync_of_the_file_says_nothing_about_its_name():
    assert outcomes(CREATED, Writing(FILE, 0, b"data"), Syncing(FILE)) == {(None, b"data"), ("a/x", b"data")}


def test_an_fsync_of_the_folder_says_nothing_about_the_file():
    assert outcomes(CREATED, Syncing(FOLDER), Writing(FILE, 0, b"data")) == {
        ("a/x", data) for data in (b"", b"da", b"data")
    }


def test_a_rename_needs_both_folders_and_is_whole():
    assert outcomes(CREATED, Syncing(FOLDER), MOVED, Syncing(OTHER)) == {("a/x", b""), ("b/x", b"")}
    assert outcomes(CREATED, Syncing(FOLDER), MOVED, Syncing(OTHER), Syncing(FOLDER)) == {("b/x", b"")}


def test_what_comes_later_in_a_folder_takes_along_what_came_before():
    created = Naming(((OTHER, "y", 4),))
    assert outcomes(CREATED, MOVED, created, Syncing(OTHER)) == {("b/x", b"")}


def test_later_writes_may_be_there_without_earlier_ones():
    assert (None, b"\0\0cd") in outcomes(Writing(FILE, 0, b"ab"), Writing(FILE, 2, b"cd"))
    assert outcomes(Writing(FILE, 0, b"abcd"), Syncing(FILE), Cutting(FILE, 2)) == {(None, b"abcd"), (None, b"ab")}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    return record(Workshop(tmp_path_factory.mktemp("workshop")), SCENARIOS[0])


def test_the_model_follows_the_real_disk(recording: Recording):
    model = recording.disk.copy()
    for operation in recording.done:
        model.apply(operation)
    real = Disk.below(recording.site.folder, ("incoming", "var"))
    assert files(model) == files(real)


def files(disk: Disk, folder: int = ROOT, before: str = "") -> dict[str, Content]:
    found: dict[str, Content] = {}
    for (parent, name), inode in disk.names.items():
        if parent == folder:
            found |= (
                files(disk, inode, f"{before}{name}/")
                if inode in disk.folders
                else {before + name: disk.contents[inode]}
            )
    return found


def exchange_of(recording: Recording) -> int:
    """The number of the first exchange of a picture with its variant."""
    gives = [number for number, operation in enumerate(recording.done) if swaps(operation)]
    return gives[1]  # the first was the probe's


def swaps(operation: Operation) -> bool:
    return isinstance(operation, Naming) and len(operation.bindings) == 2 and None not in operation.bindings[1]


def survivals(recording: Recording, is_left_out: Callable[[Operation], bool]) -> Verdict:
    """What cuts just after the exchange do where some operations had been left out before it."""
    after = 1 + exchange_of(recording)
    done = [operation for operation in recording.done[:after] if not is_left_out(operation)]
    total = Verdict()
    for loss in list(losses(done, chance()))[:12]:
        total += survived(Cut(replace(recording, done=done), loss))
    return total


def test_a_cut_after_the_exchange_takes_nothing(recording: Recording):
    assert survivals(recording, lambda _operation: False).is_clean


def test_without_an_fsync_of_the_variant_it_would_be_half_written(recording: Recording):
    variant = next(inode for _, name, inode in recording.done[exchange_of(recording)].bindings if name == "0.jpg")
    assert survivals(recording, lambda operation: operation == Syncing(variant)).counts["half_written"]


def test_without_an_fsync_of_the_ledger_its_plan_would_be_missing(recording: Recording):
    logs = [inode for (_, name), inode in recording_end(recording).names.items() if name == "ledger.sqlite-wal"]
    assert survivals(recording, lambda operation: isinstance(operation, Syncing) and operation.inode in logs).counts[
        "damaged"
    ]


def recording_end(recording: Recording) -> Disk:
    """As the process saw it at the exchange."""
    left = recording.disk.copy()
    for operation in recording.done[: exchange_of(recording)]:
        left.apply(operation)
    return left
