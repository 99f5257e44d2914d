"""What the kernel lets this process do."""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Final

from PIL import Image

from daemon.checks.check import Check, State
from daemon.names import NameFilter
from daemon.walk import walk
from framekeep.jpeg.codec import encode
from framekeep.jpeg.squeeze import squeeze_apart
from framekeep.ladder import Rung

_WATCHES: Final = Path("/proc/sys/fs/inotify/max_user_watches")
_NEARLY: Final = 0.8
"""Of the limit: other programs of the same user watch folders, too."""
_STATUS: Final = Path("/proc/self/status")
_CAPABILITIES: Final = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3}
"""What keeping a foreign file's owner, mode and attributes takes, with the bits of capabilities(7)."""
_SAMPLE: Final = 1000
"""Pictures of each root whose owner is looked at."""


def check_squeezer() -> Check:
    """Squeezes a drawn picture in a process of its own, as originals are."""
    if squeeze_apart(encode(Image.linear_gradient("L"), Rung(90), "4:2:0")) is None:
        sentence = (
            "no child process can be started for it, so originals are not squeezed: look at the limits of processes"
        )
        return Check("squeezer", State.WARNING, sentence)
    return Check("squeezer", State.OK, "a child process squeezes originals")


def check_watches(roots: Sequence[Path], names: NameFilter, limit: Path = _WATCHES) -> Check:
    """Every folder takes one of inotify's watches."""
    folders = sum(1 for root in roots for _ in _folders(root, names))
    try:
        allowed = int(limit.read_text())
    except (OSError, ValueError):  # a container may hide it
        return Check("inotify", State.OK, f"{folders:,} folders to watch; the limit is not to be seen here")
    found = f"{folders:,} folders to watch, and fs.inotify.max_user_watches = {allowed}"
    if folders > _NEARLY * allowed:
        remedy = f"sysctl -w fs.inotify.max_user_watches={max(2 * allowed, 2 * folders)}, and the same in /etc/sysctl.d"
        return Check("inotify", State.WARNING, f"{found}: raise it, with {remedy}")
    return Check("inotify", State.OK, found)


def _folders(root: Path, names: NameFilter) -> Iterator[str]:
    for folder, below, _ in os.walk(root):
        relative = os.path.relpath(folder, root)
        prefix = "" if relative == "." else f"{relative}/"
        below[:] = [name for name in below if names.folder(prefix + name)]
        yield folder


def check_owners(roots: Sequence[Path], names: NameFilter, status: Path = _STATUS) -> Check:
    """Whether each picture can be replaced with its owner."""
    missing = _missing_capabilities(status)
    if not missing:
        return Check("owners", State.OK, "this user may give files any owner, mode and attributes")
    foreign = _foreign_owners(roots, names)
    if foreign:
        sentence = (
            f"pictures belong to other users ({', '.join(map(str, sorted(foreign)))}), and this one lacks "
            f"{', '.join(missing)}: they stay as they are; start framekeep by its systemd unit, which grants them"
        )
        return Check("owners", State.WARNING, sentence)
    return Check("owners", State.OK, "the pictures that were looked at belong to this user")


def _missing_capabilities(status: Path) -> list[str]:
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)$", status.read_text(), re.MULTILINE)
    held = int(effective[1], 16) if effective else 0
    return [name for name, bit in _CAPABILITIES.items() if not held >> bit & 1]


def _foreign_owners(roots: Sequence[Path], names: NameFilter) -> set[int]:
    """User numbers other than this process's."""
    samples = (islice(chain.from_iterable(walk(str(root), names)), _SAMPLE) for root in roots)
    return {found.status.st_uid for sample in samples for found in sample} - {os.geteuid()}
