"""A trial: one suspect of a crash, alone in a process with limits. Only this process's death convicts it.

The parent passes one JSON object on standard input.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Limits, understand
from framekeep.ladder import MOZJPEG, PLAIN, Ladder, Rung, parse_ladder
from framekeep.reasons import Kept
from framekeep.variants import Encoder, climb
from storage.faults import keeping
from storage.reading import open_picture, read, read_whole
from storage.root import Tree

_OUT_OF_MEMORY: Final = 99
_SECONDS: Final = 120
"""Of processor time."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is tried. `path` is relative to `root`."""

    root: str
    path: str
    max_bytes: int
    max_pixels: int
    ladder: str
    subsampling: str
    entry: str = ""
    """An original in the vault that is tried, too."""
    megabytes: int = 4096
    """Of address space; a picture of the largest allowed size takes far less."""


def survives(case: Case) -> bool:
    """Whether a process of its own survives all that the codec does with the picture."""
    command = [sys.executable, "-I", "-m", "daemon.trial"]
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, input=json.dumps(asdict(case)).encode(), capture_output=True, timeout=4 * _SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return child.returncode >= 0 and child.returncode != _OUT_OF_MEMORY  # negative: a signal ended it


def main() -> None:
    """The child."""
    case = Case(**json.load(sys.stdin))
    resource.setrlimit(resource.RLIMIT_AS, (case.megabytes << 20, case.megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _work_on(case, parse_ladder(case.ladder))
    except Kept:
        return
    except MemoryError:
        sys.exit(_OUT_OF_MEMORY)


def _work_on(case: Case, ladder: Ladder) -> None:
    with Tree(case.root) as tree:
        pictures = [read(tree, case.path, case.max_bytes).data]
        if case.entry:
            pictures.append(_original(tree, case))
    for data in pictures:
        _try(case, ladder, data)


def _original(tree: Tree, case: Case) -> bytes:
    with keeping(), tree.vault_to_read() as vault:
        descriptor = open_picture(vault, case.entry)
        try:
            return read_whole(descriptor, case.max_bytes)
        finally:
            os.close(descriptor)


def _try(case: Case, ladder: Ladder, data: bytes) -> None:
    original = understand(data, Limits(case.max_bytes, case.max_pixels))
    image = decode(data)
    for rung in _rungs(ladder):
        decode(climb(original, image, rung, Encoder(case.subsampling, progressive=True)).data)


def _rungs(ladder: Ladder) -> Iterator[Rung]:
    """Every plain one; of another encoder its largest file and its smallest, since each takes long."""
    yield from ladder.of(PLAIN)
    for encoder in MOZJPEG:
        rungs = ladder.of(encoder)
        yield from rungs[:1] + rungs[-1:]


if __name__ == "__main__":
    main()
