"""Bad inputs: files that broke decoders, truncations at every 97th byte, bit flips, splices.

usage: python -m benchmarks.torture.inputs [--count INPUTS] [--seed SEED]

Real: everything from reading to replacing, in one process for all inputs, whose memory is watched. Fake: the model,
which answers at once (blink.py). Each input must end as it was, or as a variant that another decoder (simplejpeg's
libjpeg-turbo) finds to be what plain Pillow makes of the original at the ledger's quality, or the very same pixels.
"""

import ctypes
import io
import itertools
import random
import resource
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from benchmarks.torture.blink import Blink
from benchmarks.torture.diary import Diary, read_diaries
from benchmarks.torture.driving import config_of
from benchmarks.torture.racers import FORK
from benchmarks.torture.running import checked, main
from benchmarks.torture.site import Site
from benchmarks.torture.spoiling import hostile, sound, spoiled, truncations
from benchmarks.torture.stepping import Nobody, passed
from benchmarks.torture.verdict import Verdict, found
from daemon.house import opened
from daemon.log import configure

INPUTS_A_SITE: Final = 500
SECONDS_A_PICTURE: Final = 10
_WARM: Final = 4
"""Sites after which caches and pools have grown to their size."""
_C: Final = ctypes.CDLL(None)
_PAGE: Final = resource.getpagesize()
_QUALITIES: Final = """
    SELECT file.path, decision.quality FROM decision JOIN file ON file.id = decision.file_id
    WHERE decision.state = 1 AND decision.sha256_after IS NOT NULL
"""


def torture(folder: Path, inputs: int, seed: int) -> Verdict:
    total, pages = Verdict(), []
    with _worker() as worker:
        for number, batch in enumerate(_batches(inputs, seed)):
            site = _delivered(Site(folder / str(number)), batch)
            worker.send(site)
            if not worker.poll(len(batch) * SECONDS_A_PICTURE):
                return total + found("damaged", f"{site.folder}: the process hangs")
            try:
                pages.append(worker.recv())
            except EOFError:
                return total + found("damaged", f"{site.folder}: the process died")
            total += found("trials", count=len(batch)) + checked(site) + _pixels(site)
    warm, last = (pages[at] * _PAGE // 2**20 for at in (min(_WARM, len(pages) - 1), -1))
    return total + found("most_mib_when_warm", count=warm) + found("most_mib_in_the_end", count=last)


def _batches(inputs: int, seed: int) -> Iterator[list[bytes]]:
    """Another seed begins the truncations elsewhere: a short run has some of everything."""
    chance, pictures = random.Random(seed), sound()  # noqa: S311 - chance, not secrecy
    cut = list(truncations(pictures))
    chance.shuffle(cut)
    files = hostile()
    lists = itertools.chain(files, _alternating(cut, spoiled(pictures, chance)))
    left = itertools.islice(lists, inputs)
    while batch := list(itertools.islice(left, INPUTS_A_SITE)):
        yield batch


def _alternating(cut: Sequence[bytes], others: Iterator[bytes]) -> Iterator[bytes]:
    """A truncation after every two others, and only others when all truncations were made."""
    for one in cut:
        yield from (one, next(others), next(others))
    yield from others


def _delivered(site: Site, batch: Sequence[bytes]) -> Site:
    site.make()
    (site.root / "gate").mkdir()
    diary = Diary(site, "gate")
    for number, data in enumerate(batch):
        diary.note(f"gate/{number:04}.jpg", data)
        (site.root / "gate" / f"{number:04}.jpg").write_bytes(data)
    return site


@contextmanager
def _worker() -> Iterator[Connection]:
    """A process that passes over one site after the other, and tells how many pages of memory it really needs then."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_work, args=(theirs, ours))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(SECONDS_A_PICTURE)
        process.kill()


def _work(sites: Connection, inherited: Connection) -> None:
    inherited.close()
    configure("json", "critical")
    while True:
        try:
            site = sites.recv()
        except EOFError:
            return
        with opened(config_of(site, limits={"max_seconds": SECONDS_A_PICTURE}), Blink()) as house:
            passed(house, Nobody())
        _C.malloc_trim(0)  # what the C library keeps for the next large picture is no leak, and a matter of luck
        sites.send(int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]))


def _pixels(site: Site) -> Verdict:
    """Each replaced picture, looked at with another decoder."""
    history, total = read_diaries(site), Verdict()
    with closing(sqlite3.connect(f"file:{site.ledger}?mode=ro", uri=True)) as connection:
        rows = connection.execute(_QUALITIES).fetchall()
    for name, quality in rows:
        path = name.decode()
        if not _is_as_promised(history[path][-1] or b"", (site.root / path).read_bytes(), quality):
            total += found("damaged", f"{path}: another decoder sees other pixels than were promised")
    return total + found("decoded_again", count=len(rows))


def _is_as_promised(before: bytes, after: bytes, quality: int | None) -> bool:
    if quality is None:
        return np.array_equal(_decoded(before), _decoded(after))
    promised = io.BytesIO()
    with Image.open(io.BytesIO(before)) as image:
        chroma = {} if image.mode == "L" else {"subsampling": "4:2:0"}
        image.save(promised, "JPEG", quality=quality, **chroma)
    return np.array_equal(_decoded(promised.getvalue()), _decoded(after))


def _decoded(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False, strict=True))


if __name__ == "__main__":
    sys.exit(main("inputs", torture, 20_000))
