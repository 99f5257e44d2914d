"""A watched root, held by descriptors: whoever may write in it cannot lead framekeep out of it.

ROOT/.framekeep/        mode 0700, framekeep's own
    lock                one instance at a time
    holds.lock          where legal holds and swaps meet; holds.turn lets a hold in between
    staged/             variants on their way to their path
    vault/              originals whose decisions can be undone, each with its sidecar
    strangers/          files that nobody expected, never deleted
    in-flight/          which pictures are being worked on: after a crash, its suspects
"""

import errno
import fcntl
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from framekeep.errors import AlreadyRunningError, ConfigurationError
from storage import renameat2

OWN: Final = ".framekeep"
_NO_LINKS: Final = renameat2.UNKNOWN | {errno.EPERM, errno.EMLINK}
"""What a filesystem answers that gives no file a second name."""
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree:
    """A watched root that is only read. Close it, or use it as a context manager."""

    def __init__(self, path: str) -> None:
        """Opens the root. Raises ConfigurationError."""
        self.path = path
        with ExitStack() as opened:
            try:
                self._open(opened)
            except OSError as error:
                raise ConfigurationError(f"{path} cannot be used as a watched root: {_plain(error)}") from error
            self._opened = opened.pop_all()

    def _open(self, opened: ExitStack) -> None:
        self.descriptor = _hold(opened, self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Whatever the system answers: it closes all the same, and nothing was written through these descriptors."""
        with suppress(OSError):
            self._opened.close()

    def is_at_its_path(self) -> bool:
        """False where another folder stands there now: the root was made anew, mounted, or unmounted."""
        try:
            return os.path.samestat(Path(self.path).lstat(), os.fstat(self.descriptor))
        except OSError:
            return False

    @contextmanager
    def folder_of(self, path: str) -> Iterator[tuple[int, str]]:
        """The open folder of a picture and the picture's name in it; no link is followed on the way.

        Raises OSError: ENOENT or ENOTDIR where the folder is gone or is a link now.
        """
        *folders, name = path.split("/")
        if OWN in folders or ".." in folders or name in {"", ".", ".."}:
            raise OSError(errno.ENOENT, "not a picture's path", path)
        with ExitStack() as opened:
            descriptor = self.descriptor
            for folder in folders:
                descriptor = _hold(opened, folder, descriptor)
            yield descriptor, name

    @contextmanager
    def vault_to_read(self) -> Iterator[int]:
        """The vault's open folder, which is not made where it is missing. Raises OSError."""
        with ExitStack() as opened:
            yield _hold(opened, "vault", _hold(opened, OWN, self.descriptor))

    def check_vault(self) -> None:
        """Of a root that the ledger knows: raises ConfigurationError where it has no vault.

        In an empty mount point all originals would seem to be deleted, and what a crash interrupted to be done.
        Raises OSError where it cannot be opened.
        """
        try:
            with self.vault_to_read():
                return
        except FileNotFoundError:
            own = f"{self.path}/{OWN}"
            raise ConfigurationError(
                f"{self.path} has no {OWN}/vault, though the ledger knows that it had one: is its disk mounted? If "
                f"its vault was removed on purpose, so that no original can come back, or if another disk is mounted "
                f"there now, make an empty one as the user that runs framekeep: install -d -m 700 {own} {own}/vault"
            ) from None


class Root(Tree):
    """A watched root whose pictures may be replaced, with its folders below `.framekeep`, which are made if missing."""

    def __init__(self, path: str, known: Collection[str] = ()) -> None:
        """`known`: the roots that the ledger knows. They have a vault, unless their disk is not mounted.

        Raises ConfigurationError, and for one of them without its vault before anything is made.
        """
        self._is_known = path in known
        super().__init__(path)

    def _open(self, opened: ExitStack) -> None:
        super()._open(opened)
        if self._is_known:
            self.check_vault()
        self.own = _hold(opened, _made(OWN, self.descriptor), self.descriptor)
        check_own(self.path, os.fstat(self.own))
        self.staged = _hold(opened, _made("staged", self.own), self.own)
        self.vault = _hold(opened, _made("vault", self.own), self.own)
        self.strangers = _hold(opened, _made("strangers", self.own), self.own)
        self.in_flight = _hold(opened, _made("in-flight", self.own), self.own)

    def lock(self) -> None:
        """Takes the root for this process until it is closed. Raises AlreadyRunningError."""
        descriptor = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=self.own)
        self._opened.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(
                f"another framekeep works on {self.path}: stop it first, or wait until it is done"
            ) from None
        except OSError as error:  # ENOLCK: a network mount whose server locks nothing
            raise ConfigurationError(f"{self.path} cannot be locked against a second framekeep: {error}") from error

    @cached_property
    def exchanges(self) -> bool:
        """What `probe` found out, once."""
        return self.probe()

    def probe(self) -> bool:
        """Whether this filesystem exchanges two files in one step; else files can be moved without replacing others.

        One that exchanges but knows no hard links (FAT) counts as one that does not. Tries it with scratch files, as a
        replacement would. Raises OSError where it can do neither.
        """
        return probe(self.staged)


def probe(folder: int) -> bool:
    """The same in any open folder."""
    names = [f"probe-{os.getpid()}-{letter}" for letter in "abc"]
    try:
        for name in names[:2]:
            _make_scratch(folder, name)
        exchanges = _can_exchange(folder, names)
        os.fsync(folder)
        return exchanges
    finally:
        for name in names:
            remove(folder, name)


def _make_scratch(folder: int, name: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _can_exchange(folder: int, names: Sequence[str]) -> bool:
    """The first two are there, the third is not. A restoration needs a second name for a file, too."""
    taken, other, free = names
    try:
        renameat2.exchange(folder, taken, folder, other)
        os.link(taken, free, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS or not _can_move(folder, other, (taken, free)):
            raise
        return False
    return True


def _can_move(folder: int, name: str, targets: tuple[str, str]) -> bool:
    """Whether it can be moved to the second, and not to the first, which is taken."""
    taken, free = targets
    try:
        with suppress(FileExistsError):
            renameat2.move(folder, name, folder, taken)
            return False
        renameat2.move(folder, name, folder, free)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def remove(folder: int, name: str) -> None:
    """Deletes a name that may be gone already."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _hold(opened: ExitStack, path: str, folder: int | None = None) -> int:
    descriptor = os.open(path, _FOLDER, dir_fd=folder)
    opened.callback(os.close, descriptor)
    return descriptor


def _made(name: str, folder: int) -> str:
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=folder)
    os.fsync(folder)  # also where it is there: who made it may have been killed before it had done so
    return name


def check_own(path: str, status: os.stat_result) -> None:
    """Whoever else could write in `.framekeep` could swap originals. Raises ConfigurationError."""
    if status.st_uid != os.geteuid():
        raise ConfigurationError(f"{path}/{OWN} belongs to user {status.st_uid}: run framekeep as that user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise ConfigurationError(f"{path}/{OWN} is open to others: chmod 700 it, after a look at who changed it")


def _plain(error: OSError) -> str:
    return f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
