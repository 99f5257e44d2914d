"""A camera: a process that drops, uploads slowly, replaces, rewrites, appends to and deletes pictures in its folder."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from benchmarks.torture.diary import Diary
from benchmarks.torture.driving import ended, forked
from benchmarks.torture.site import Site

BUSY: Final = 0.03
"""Seconds, at most, between two deeds of a camera that is always at it."""
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Studio:
    """What cameras go by."""

    cameras: int
    negatives: Sequence[bytes]
    longest_pause: float = BUSY
    """Seconds between two deeds."""


class Camera:
    """Its choices follow from the seed; the moments at which they fall do not."""

    def __init__(self, site: Site, name: str, studio: Studio, seed: int) -> None:
        self._site = site
        self._name = name
        self._studio = studio
        self._chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._diary = Diary(site, name)
        self._taken = 0
        self._holds: dict[str, bytes] = {}
        (site.root / name).mkdir(exist_ok=True)

    def act(self) -> None:
        """Does one thing, at random."""
        deeds: list[Callable[[], None]] = [self._drop, self._upload]
        if len(self._holds) > _PARTS:
            deeds += [self._rename_over, self._rewrite, self._append, self._delete]
        self._chance.choice(deeds)()

    def pause(self) -> None:
        time.sleep(self._chance.uniform(0, self._studio.longest_pause))

    def _drop(self) -> None:
        name, picture = self._new_name(), self._picture()
        with self._going_to(name, picture) as path:
            path.write_bytes(picture)

    def _upload(self) -> None:
        """Slowly and in parts, through one descriptor; now and then with something behind the picture's end."""
        name, picture = self._new_name(), self._picture()
        picture += self._chance.choice([b"", b"", b"behind the end"])
        with self._going_to(name, b"") as path:
            file = path.open("wb", buffering=0)
        with file:
            for part in _parts(picture):
                self.pause()
                with self._going_to(name, self._holds[name] + part):
                    file.write(part)

    def _rename_over(self) -> None:
        name, picture = self._old_name(), self._picture()
        with self._going_to(name, picture) as path:
            fresh = path.with_name(f".{name}.part")
            fresh.write_bytes(picture)
            fresh.rename(path)

    def _rewrite(self) -> None:
        name, picture = self._old_name(), self._picture()
        with self._going_to(name, picture) as path:
            path.write_bytes(picture)

    def _append(self) -> None:
        name = self._old_name()
        tail = b"tail %d" % self._chance.getrandbits(30)
        with self._site.acting(), suppress(FileNotFoundError), _opened_to_append(self._path(name)) as file:
            self._note(name, self._holds[name] + tail)
            file.write(tail)

    def _delete(self) -> None:
        name = self._old_name()
        with self._site.acting():
            self._note(name, None)
            try:
                self._path(name).unlink()
            except FileNotFoundError:  # it is out
                self._note(name, self._holds[name])
                return
        del self._holds[name]

    @contextmanager
    def _going_to(self, name: str, content: bytes | None) -> Iterator[Path]:
        """Notes what the path is about to hold; the checker looks only when this is over."""
        with self._site.acting():
            self._note(name, content)
            yield self._path(name)

    def _note(self, name: str, content: bytes | None) -> None:
        self._diary.note(f"{self._name}/{name}", content)
        if content is not None:
            self._holds[name] = content

    def _path(self, name: str) -> Path:
        return self._site.root / self._name / name

    def _new_name(self) -> str:
        self._taken += 1
        return f"{self._taken:05}.jpg"

    def _old_name(self) -> str:
        return self._chance.choice(list(self._holds))

    def _picture(self) -> bytes:
        """One that was never taken before: a comment makes a known negative unique."""
        comment = b"%s %d" % (self._name.encode(), self._chance.getrandbits(60))
        negative = self._chance.choice(self._studio.negatives)
        return negative[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + negative[2:]


def _opened_to_append(path: Path) -> BinaryIO:
    """Raises FileNotFoundError where nothing stands there, as for an instant where files are replaced in two steps."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), "wb", buffering=0)


def _parts(picture: bytes) -> list[bytes]:
    step = -(-len(picture) // _PARTS)
    return [picture[start : start + step] for start in range(0, len(picture), step)]


@contextmanager
def cameras(site: Site, studio: Studio, seed: int) -> Iterator[None]:
    """Runs cameras in processes of their own; at the end each finishes what it is doing."""
    made = [Camera(site, f"camera{number}", studio, seed * 100 + number) for number in range(studio.cameras)]
    processes = [forked(site, partial(_work, camera)) for camera in made]
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGTERM)
        for process in processes:
            if ended(process) != 0:
                raise RuntimeError(site.log.read_text())


def _work(camera: Camera) -> int:
    ending: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ending.append(number))
    while not ending:
        camera.act()
        camera.pause()
    return 0
