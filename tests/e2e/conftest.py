"""Real framekeep processes on real folders, as an administrator would have them."""

import fcntl
import io
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from PIL import Image, ImageDraw, ImageFilter

from framekeep.reasons import Standing
from storage.ledger.answers import Decision, Wanted
from storage.ledger.opening import open_reader

FRAMEKEEP = Path(sys.executable).parent / "framekeep"
SETTLE = 0.5
PATIENCE = 120.0
"""Seconds: a start takes four, on a busy machine more."""
ENVIRONMENT = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if key in os.environ}


def _until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    give_up = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up, f"waited in vain until {what}"
        time.sleep(0.05)
    return found


def _drawn(seed: int, size: tuple[int, int] = (256, 192), **saving: Any) -> bytes:
    chance = np.random.default_rng(seed)
    width, height = size
    gradient = np.linspace(60, 200, height)[:, None, None] * np.ones((height, width, 3)) * chance.uniform(0.7, 1, 3)
    picture = Image.fromarray(gradient.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(5):
        x, y = (int(chance.integers(0, side)) for side in size)
        r = int(chance.integers(15, 60))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(v) for v in chance.integers(0, 256, 3)))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(1.5))) + chance.normal(0, 3, (height, width, 3))
    file = io.BytesIO()
    Image.fromarray(soft.clip(0, 255).astype(np.uint8)).save(file, "JPEG", **{"quality": 95} | saving)
    return file.getvalue()


def _read_all(terminal: int) -> str:
    text = b""
    try:
        while part := os.read(terminal, 4096):
            text += part
    except OSError:  # a pseudo-terminal's way to say that nobody writes any more
        pass
    return text.decode()


@dataclass(frozen=True)
class Site:
    """A folder with a configuration, a watched root and a ledger."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "incoming"

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/var/ledger.sqlite"

    @property
    def vault(self) -> Path:
        return self.root / ".framekeep" / "vault"

    @property
    def staged(self) -> Path:
        return self.root / ".framekeep" / "staged"

    def configure(self, **sections: Any) -> None:
        """Writes a configuration of these sections over the tests' own."""
        watch = {"settle_seconds": SETTLE} | sections.pop("watch", {})
        self.config.write_text(tomli_w.dumps({"watch": watch, "service": {"log_format": "json"}} | sections))

    def put(self, name: str, data: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def run(self, verb: str, *arguments: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [*options.pop("before", ()), FRAMEKEEP, *verb.split(), "--config", self.config, *arguments]
        settings = {"capture_output": True, "text": True, "timeout": PATIENCE, "stdin": subprocess.DEVNULL}
        return subprocess.run(command, cwd=self.folder, env=ENVIRONMENT, check=False, **settings | options)

    def start(self, verb: str, *arguments: Any, **options: Any) -> subprocess.Popen[str]:
        command = [FRAMEKEEP, *verb.split(), "--config", self.config, *arguments]
        environment = ENVIRONMENT | options.pop("environment", {})
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, **options)

    def on_terminal(self, verb: str, *arguments: Any, columns: int = 80) -> tuple[int, str]:
        """Runs a command on a terminal. Returns its exit code and all that is seen there."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = self.start(verb, *arguments, stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = _read_all(ours)
        os.close(ours)
        return process.wait(PATIENCE), shown

    def decisions(self, name: str | None = None) -> list[Decision]:
        """What the ledger holds, oldest first."""
        if not (self.folder / "var/ledger.sqlite").exists():
            return []
        with open_reader(self.url) as reader:
            found = list(reader.decisions(Wanted()))[::-1]
        return [decision for decision in found if name in (None, decision.place.path)]

    def pending(self) -> int:
        with open_reader(self.url) as reader:
            return reader.pending_count()

    def decided(self, name: str) -> Decision:
        """The newest decision about a picture, which is waited for."""
        return _until(lambda: self.decisions(name), f"{name!r} is decided")[-1]

    def replaced(self, name: str) -> Decision:
        decision = self.decided(name)
        assert decision.reason.standing is Standing.REPLACED, decision
        return decision


class Daemon:
    """A `framekeep run` with somebody who listens as systemd would."""

    def __init__(self, site: Site, listener: socket.socket) -> None:
        self.messages: list[str] = []
        self._log = site.folder / "daemon.log"
        self._listener = listener
        address = os.fsdecode(listener.getsockname()).replace("\0", "@")
        with self._log.open("wb") as log:
            environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000"}
            self.process = site.start("run", environment=environment, stderr=log)
        threading.Thread(target=self._listen, daemon=True).start()

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = map(json.loads, filter(lambda line: line.startswith("{"), self._log.read_text().splitlines()))
        return [line for line in lines if line["event"] == event]

    def status(self) -> str:
        """The last that was told to systemd for people to read."""
        lines = "\n".join(self.messages).splitlines()
        return next((line for line in reversed(lines) if line.startswith("STATUS=")), "")

    def told(self, message: str) -> bool:
        return message in "\n".join(self.messages).splitlines()

    def waits_until(self, condition: Callable[[], Any], what: str) -> Any:
        """As `until`, but a daemon that has ended is waited for no longer."""

        def found() -> Any:
            ended = self.process.poll() is not None
            return condition() or (ended and pytest.fail(f"the daemon ended before {what}: {self._log.read_text()}"))

        return _until(found, what)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def _listen(self) -> None:
        while message := self._listener.recv(4096):
            self.messages.append(message.decode())


@contextmanager
def _serving(site: Site) -> Iterator[Daemon]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0framekeep-{os.getpid()}-{time.monotonic_ns()}")
        daemon = Daemon(site, listener)
        try:
            daemon.waits_until(lambda: daemon.told("READY=1"), "it is ready")
            yield daemon
        finally:
            daemon.process.kill()
            daemon.process.wait()
            listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="session")
def serving() -> Callable[[Site], AbstractContextManager[Daemon]]:
    """Starts a daemon and waits until it is ready; kills it at the end where the test has not stopped it."""
    return _serving


@pytest.fixture(scope="session")
def drawn() -> Callable[..., bytes]:
    """Makes a JPEG of soft shapes over a gradient with a camera's noise: it shrinks as photographs do."""
    return _drawn


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Waits for something true and returns it."""
    return _until


@pytest.fixture(scope="session")
def new_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Site]:
    def made() -> Site:
        site = Site(tmp_path_factory.mktemp("site"))
        site.root.mkdir()
        site.configure()
        return site

    return made


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Site:
    return new_site()
