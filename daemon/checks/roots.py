"""Whether pictures below a root can be heard of and replaced."""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from daemon.checks.check import Check, State
from daemon.checks.filesystem import filesystem_of, is_remote
from framekeep.errors import ConfigurationError
from storage.root import OWN, Root, Tree, check_own, probe

_SCARCE: Final = 0.05
"""Of a filesystem, free. The vault holds originals beside their variants for days."""
_NO_EXCHANGE: Final = "no exchange of two files in one step below {}"
_WEAKER: Final = (
    "pictures are replaced in two steps, since [watch] allow_racy_rename is set: for an instant no file stands at a "
    "picture's path, and after a crash in that instant none does until the next start"
)
_REMEDY: Final = (
    "watch a folder on ext4, xfs, btrfs or tmpfs, or set [watch] allow_racy_rename = true and accept that for an "
    "instant no file stands at a picture's path"
)


def check_vault(root: Path, known: Collection[str]) -> Check:
    """Whether the root's originals are there; `known`: the roots that the ledger knows. Makes nothing."""
    vault = f"{root}/{OWN}/vault"
    try:
        with Tree(str(root)) as tree:
            if str(root) in known:
                tree.check_vault()
            else:
                with tree.vault_to_read():
                    pass
    except FileNotFoundError:
        return Check("vault", State.OK, f"there is none, and no ledger knows of one: the first start makes {vault}")
    except ConfigurationError as error:
        return Check.failed("vault", error)
    except OSError as error:
        refused = f"{vault} cannot be opened ({error.strerror}): it must be a folder of the user that runs framekeep"
        return Check.failed("vault", ConfigurationError(f"{refused}, as whom doctor has to be run, too"))
    return Check("vault", State.OK, f"{vault} is there")


def check_root(
    root: Path, rescan_minutes: float, floor_megabytes: float, *, allow_racy_rename: bool = False
) -> Iterator[Check]:
    """A root that is there."""
    yield _filesystem(root, rescan_minutes)
    yield _exchange(root, allow_racy_rename=allow_racy_rename)
    yield _space(root, floor_megabytes)


def _filesystem(root: Path, rescan_minutes: float) -> Check:
    kind = filesystem_of(root)
    if is_remote(kind):
        sentence = (
            f"{root} lies on {kind}: what other machines write there is found by the rescan alone, every "
            f"{rescan_minutes:g} minutes; lower rescan_minutes, or run framekeep where the files are"
        )
        return Check("filesystem", State.WARNING, sentence)
    return Check("filesystem", State.OK, f"{root} lies on {kind}")


def _exchange(root: Path, *, allow_racy_rename: bool) -> Check:
    try:
        exchanges = _probe(root)
    except ConfigurationError as error:
        return Check.failed("exchange", error)
    except OSError as error:
        fault = ConfigurationError(
            f"two files below {root} cannot be exchanged in one step ({error.strerror}): let this user write there, "
            "or watch a folder on ext4, xfs, btrfs or tmpfs"
        )
        return Check.failed("exchange", fault)
    if exchanges:
        return Check("exchange", State.OK, f"files below {root} are exchanged in one step, and fsync works")
    if not allow_racy_rename:
        return Check.failed("exchange", ConfigurationError(f"{_NO_EXCHANGE.format(root)}; {_REMEDY}"))
    return Check("exchange", State.WARNING, f"{_NO_EXCHANGE.format(root)}: {_WEAKER}")


def _probe(root: Path) -> bool:
    """Leaves nothing behind: framekeep's own folder must belong to its user, who need not be the one who asks here.

    A vault that is gone is not made anew: the next start is to miss it, and a ledger that cannot be read tells nobody.
    """
    own = root / OWN
    if (own / "vault").exists():
        with Root(str(root)) as opened:
            return opened.probe()
    if own.exists():
        check_own(str(root), own.lstat())
    with tempfile.TemporaryDirectory(prefix=f"{OWN}-", dir=root) as scratch, Tree(scratch) as opened:
        return probe(opened.descriptor)


def _space(root: Path, floor_megabytes: float) -> Check:
    usage = shutil.disk_usage(root)
    free = f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB are free at {root}"
    if usage.free < floor_megabytes * 2**20:
        remedy = f"that is less than [vault] floor_megabytes = {floor_megabytes:g}, so nothing is replaced: free some"
        return Check("space", State.WARNING, f"{free}: {remedy}")
    if usage.free < _SCARCE * usage.total:
        remedy = "free some, or lower [vault] days: originals are held so long beside their variants"
        return Check("space", State.WARNING, f"{free}: {remedy}")
    return Check("space", State.OK, free)
