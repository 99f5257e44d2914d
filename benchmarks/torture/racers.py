"""Who races with framekeep: a camera that does one deed when it is told to, and a viewer that never stops looking.

Both are processes of their own: no lock of Python's stands between them and framekeep.
"""

import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks.torture.diary import Diary
from benchmarks.torture.site import Site

FORK: Final = multiprocessing.get_context("fork")
TAIL: Final = b"what a camera appends"
MODE: Final = 0o604
INSIDE: Final = "inside.jpg"
_PATIENCE: Final = 0.5
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Order:
    """A deed on a path (relative to the root), after a delay in seconds, with a picture at hand."""

    deed: str
    path: str
    delay: float
    picture: bytes


class Racer:
    """Notes in its diary what the path is to hold, and does it. What others have done to the path is no matter."""

    def __init__(self, site: Site, name: str) -> None:
        self._site = site
        self._diary = Diary(site, name)

    def act(self, order: Order) -> None:
        _spin(order.delay)
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                DEEDS[order.deed](self, self._site.root / order.path, order)
            except FileNotFoundError:  # for an instant nothing stands there, where files are replaced in two steps
                if time.monotonic() < give_up:
                    continue
            return

    def note(self, path: str, content: bytes | None) -> None:
        self._diary.note(path, content)

    def outside(self) -> Path:
        return self._site.folder / "outside.jpg"


def _rewrite(racer: Racer, path: Path, order: Order) -> None:
    racer.note(order.path, order.picture)
    path.write_bytes(order.picture)


def _append(racer: Racer, path: Path, order: Order) -> None:
    """To what it delivered, as far as it knows."""
    racer.note(order.path, order.picture + TAIL)
    with path.open("r+b", buffering=0) as file:
        file.seek(0, os.SEEK_END)
        file.write(TAIL)


def _append_slowly(racer: Racer, path: Path, order: Order) -> None:
    """Keeps the file open for a while before it writes."""
    racer.note(order.path, order.picture + TAIL)
    with path.open("r+b", buffering=0) as file:
        file.seek(0, os.SEEK_END)
        time.sleep(0.003)
        file.write(TAIL)


def _rename_over(racer: Racer, path: Path, order: Order) -> None:
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_bytes(order.picture)
    racer.note(order.path, order.picture)
    fresh.rename(path)


def _delete(racer: Racer, path: Path, order: Order) -> None:
    racer.note(order.path, None)
    path.unlink()


def _symlink(racer: Racer, path: Path, order: Order) -> None:
    racer.note(order.path, None)
    fresh = path.with_name(f".{path.name}.part")
    fresh.symlink_to(racer.outside())
    fresh.rename(path)


def _folder(racer: Racer, path: Path, order: Order) -> None:
    racer.note(order.path, None)
    racer.note(f"{order.path}/{INSIDE}", order.picture)
    _insist(lambda: _make_room(path))
    _insist(lambda: (path / INSIDE).write_bytes(order.picture))


def _make_room(path: Path) -> None:
    """The camera's own folder may be there: a first attempt's, which framekeep took out and put back."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
        path.mkdir()


def _insist(deed: Callable[[], object]) -> None:
    """For an instant a variant may stand where the camera has just made room: it comes to nothing, or is in the way."""
    while True:
        try:
            deed()
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
        return


def _hard_link(racer: Racer, path: Path, _order: Order) -> None:
    (racer.outside().parent / path.name).hardlink_to(path)


def _chmod(_racer: Racer, path: Path, _order: Order) -> None:
    path.chmod(MODE)


DEEDS: Final[dict[str, Callable[[Racer, Path, Order], None]]] = {
    "rewrite": _rewrite,
    "append": _append,
    "append_slowly": _append_slowly,
    "rename_over": _rename_over,
    "delete": _delete,
    "symlink": _symlink,
    "folder": _folder,
    "hard_link": _hard_link,
    "chmod": _chmod,
}
IN_PLACE: Final = ("rewrite", "append", "append_slowly")
"""Deeds that a viewer may see half done: the camera's own doing."""


@contextmanager
def racers(site: Site, count: int) -> Iterator[list[Connection]]:
    """Each takes orders through a pipe, and answers when it has begun and when it has ended."""
    pipes = [FORK.Pipe() for _ in range(count)]
    commanders = [ours for ours, _ in pipes]
    processes = [
        FORK.Process(target=_obey, args=(site, f"racer{number}", theirs, commanders), daemon=True)
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    try:
        yield commanders
    finally:
        for commander in commanders:
            commander.send(None)
        for process in processes:
            process.join()


def _obey(site: Site, name: str, orders: Connection, inherited: Sequence[Connection]) -> None:
    for commander in inherited:
        commander.close()  # else nobody would hear that the commander is gone
    racer = Racer(site, name)
    while order := orders.recv():
        orders.send("begun")
        racer.act(order)
        orders.send("ended")


@contextmanager
def viewer(site: Site, paths: Sequence[str], seen: dict[str, set[bytes]]) -> Iterator[None]:
    """Looks at the paths while this lasts; in the end `seen` holds all that it saw at each."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_view, args=(site, paths, theirs), daemon=True)
    process.start()
    try:
        yield
    finally:
        ours.send("enough")
        seen.update(ours.recv())
        process.join()


def _view(site: Site, paths: Sequence[str], orders: Connection) -> None:
    seen: dict[str, set[bytes]] = {path: set() for path in paths}
    parent = os.getppid()
    while not orders.poll() and os.getppid() == parent:
        path = random.choice(paths)  # noqa: S311 - chance, not secrecy
        try:
            seen[path].add((site.root / path).read_bytes())
        except OSError:  # deleted, or a folder by now
            continue
    orders.send(seen)


def _spin(seconds: float) -> None:
    """Waits more exactly than sleep(2) does."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        continue
