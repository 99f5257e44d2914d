"""Hears of pictures as they arrive below the watched roots: inotify, by watchdog.

watchdog 7.1 watches a folder that is created or moved in, reports what was in it already, and watches anew after the
kernel dropped events. It says nothing where the kernel refuses a watch or drops events, and it would watch the vault;
`_Reader` sees to these. Whatever is lost, the rescan finds: it calls `rearm` first and walks the roots then.
"""

import errno
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

from daemon.faults import Faults, fault
from daemon.names import NameFilter
from storage.files import Inode, inode_of

_HEARD: Final[list[type[FileSystemEvent]]] = [FileCreatedEvent, FileModifiedEvent, FileClosedEvent, FileMovedEvent]
"""Not opened, nor closed without writing: framekeep's own looks would be events."""

_NO_WATCH: Final = WatchDescriptor(-1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a watcher does with what it hears.

    It calls from threads of its own: both calls must be thread-safe and quick, raise nothing, and not call the watcher.
    """

    names: NameFilter
    deliver: Callable[[str, str], None]
    """Takes a root, as configured, and a picture's path relative to it."""
    overflowed: Callable[[], None]
    """Events were lost: a rescan is wanted."""


class Watcher:
    """Delivers the path of each picture that is created, written, closed or moved to below the roots.

    A path may come many times, and what it names may be gone, or be a link, when it is looked at. Nothing here stops
    the daemon: where something cannot be watched, `degraded` and one line of the log say so. `start`, `rearm` and
    `stop` are thread-safe and may block for as long as listing all folders takes.
    """

    def __init__(self, roots: Sequence[str], hearing: Hearing) -> None:
        self._roots = tuple(roots)
        self._hearing = hearing
        self._faults = Faults()
        self._lock = threading.Lock()
        self._running = False
        self._session: _Session | None = None

    @property
    def degraded(self) -> str | None:
        """What is not heard, and what to do about it; None while everything is."""
        return self._faults.text

    def start(self) -> None:
        with self._lock:
            self._running = True
            self._open()

    def rearm(self) -> None:
        """Watches anew if anything went wrong: a root came, went or was mounted, a limit was reached, events were lost.

        Otherwise it costs one stat a root. Does nothing before `start` and after `stop`.
        """
        with self._lock:
            if self._running and not (self._session and self._session.is_sound()):
                self._close()
                self._open()

    def stop(self) -> None:
        with self._lock:
            self._running = False
            self._close()

    def _open(self) -> None:
        with self._faults.reviewed():
            try:
                self._session = _Session(self._roots, self._hearing, self._faults)
            except OSError as error:
                self._faults.add(fault("pictures", error))

    def _close(self) -> None:
        if self._session:
            self._session.close()
            self._session = None


class _Session:
    """One inotify instance and its threads. When anything goes wrong with it, another takes its place."""

    def __init__(self, roots: Sequence[str], hearing: Hearing, faults: Faults) -> None:
        # It happens whenever a tree appears quickly, and is harmless: the callback is the same.
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
        listeners = [_Listener(root, hearing) for root in roots]
        self._faults = faults
        self._reader = _Reader(listeners, hearing.overflowed, faults)
        self._observer = BaseObserver(InotifyEmitter, inotify_fd=self._reader)
        self._reader.start()
        self._observer.start()
        self._identities = {listener.root: self._listen(listener) for listener in listeners}

    def is_sound(self) -> bool:
        threads = (self._reader, self._observer, *self._observer.emitters)
        return (
            not self._reader.shaken
            and all(thread.is_alive() for thread in threads)
            and all(_identity(root) == identity for root, identity in self._identities.items())
        )

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()
        self._reader.stop()
        self._reader.join()

    def _listen(self, listener: "_Listener") -> Inode | None:
        """The identity of the root that is watched now; None where it cannot be."""
        identity = _identity(listener.root)
        try:
            self._observer.schedule(listener, listener.folder, recursive=True, event_filter=_HEARD)
        except (OSError, RecursionError) as error:  # Python 3.11's os.walk recurses into a hostile depth of folders
            self._faults.add(fault(f"pictures below {listener.root}", error), root=listener.root)
            return None
        return identity


class _Listener(FileSystemEventHandler):
    """Takes the events of one root from watchdog."""

    def __init__(self, root: str, hearing: Hearing) -> None:
        self.root = root
        self.folder = os.path.realpath(root)  # watchdog would watch a link instead of the folder behind it
        self._prefix = self.folder.rstrip("/") + "/"
        self._hearing = hearing

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.dest_path or event.src_path).removeprefix(self._prefix)
        if self._hearing.names.picture(path):
            self._hearing.deliver(self.root, path)

    def leaves_out(self, folder: str) -> bool:
        """Whether a folder (absolute) lies below this root and is not to be entered."""
        return folder.startswith(self._prefix) and not self._hearing.names.folder(folder.removeprefix(self._prefix))


class _Reader(InotifyFD):
    """watchdog's reader of inotify; tells what watchdog keeps to itself, and keeps it out of ignored folders."""

    def __init__(self, listeners: Sequence[_Listener], overflowed: Callable[[], None], faults: Faults) -> None:
        super().__init__()
        self._listeners = listeners
        self._overflowed = overflowed
        self._faults = faults
        self.shaken = False
        """Whether something may go unheard from now on."""

    def add_callback(self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId) -> WatchDescriptor:
        """Watches a folder. watchdog passes a folder by where this raises OSError, but for a root."""
        folder = os.fsdecode(path)
        if any(listener.leaves_out(folder) for listener in self._listeners):
            raise OSError(errno.ECANCELED, "left out by its name")
        try:
            descriptor = super().add_callback(path, mask, callback, id_)
            if descriptor == _NO_WATCH:  # so watchdog takes EACCES, and registers it as if it were a watch
                self.remove_callbacks([(descriptor, id_)])
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            self._refused(folder, error)
            raise
        return descriptor

    def handle_event(self, event: InotifyEvent) -> None:
        try:
            super().handle_event(event)
        except Exception as error:  # what watchdog stumbles over must not leave the daemon deaf
            trace = not isinstance(error, RecursionError)  # hostile folders, no bug, and a thousand lines long
            log.exception("watch_event_failed", watch_event=repr(event), error=repr(error), exc_info=trace)
            self._lost()
        if event.is_queue_overflow:
            log.warning("events_lost", sysctl="fs.inotify.max_queued_events")
            self._lost()
        if event.mask & InotifyConstants.IN_UNMOUNT:
            self.shaken = True

    def _refused(self, folder: str, error: OSError) -> None:
        """A folder that vanished is no loss, and a root's error reaches who asked for its watch."""
        is_root = any(listener.folder == folder for listener in self._listeners)
        if error.errno in {errno.ENOSPC, errno.EACCES} and not is_root:
            self.shaken = True
            self._faults.add(fault("pictures in some folders", error), first=folder)

    def _lost(self) -> None:
        self.shaken = True
        self._overflowed()


def _identity(folder: str) -> Inode | None:
    try:
        return inode_of(os.stat(folder))  # noqa: PTH116 - one call for each root, on strings
    except OSError:
        return None
