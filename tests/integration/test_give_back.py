"""What happens at the path right after the exchange, before a stranger that came out is given back."""

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from framekeep.reasons import Kept
from storage import renameat2
from storage.attribute import Mark
from storage.reading import read
from storage.replacement import Swap, stage, swap_in
from storage.root import Root

ORIGINAL, VARIANT, ENTRY = b"the camera's bytes", b"variant", "entry"


@pytest.fixture
def after_the_exchange(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Has a camera act between the real exchange and what follows: where the kernel may schedule it."""

    def arrange(camera: Callable[[], None]) -> None:
        exchange, actions = renameat2.exchange, itertools.chain([camera], itertools.repeat(lambda: None))

        def exchanged(*places):
            exchange(*places)
            next(actions)()

        monkeypatch.setattr(renameat2, "exchange", exchanged)

    return arrange


def test_a_newer_file_that_got_the_variants_inode_number_is_not_taken_for_it(tmp_path: Path, after_the_exchange):
    """ext4 gives the number of a deleted file to the next that is created; the variant's must not go round so."""
    picture = tmp_path / "gate" / "1.jpg"
    picture.parent.mkdir()
    picture.write_bytes(ORIGINAL)

    def camera():
        picture.unlink()
        for number in range(100):
            picture.with_name(f"{number}.jpg").write_bytes(b"the newest picture")
        reused = [path for path in picture.parent.iterdir() if path.stat().st_ino == variant]
        (reused[0] if reused else picture.with_name("0.jpg")).rename(picture)

    with Root(str(tmp_path)) as root:
        mark = Mark(hashlib.sha256(ORIGINAL).digest(), hashlib.sha256(VARIANT).digest(), ENTRY)
        swap = Swap("gate/1.jpg", read(root, "gate/1.jpg", 1000).identity, mark)
        stage(root, swap, VARIANT)
        variant = (tmp_path / ".framekeep" / "staged" / ENTRY).stat().st_ino
        picture.write_bytes(b"changed after it was read")
        after_the_exchange(camera)
        with pytest.raises(Kept):
            swap_in(root, swap)
    assert picture.read_bytes() == b"the newest picture"
    assert (tmp_path / ".framekeep" / "strangers" / ENTRY).read_bytes() == b"changed after it was read"
    assert not list((tmp_path / ".framekeep" / "staged").iterdir())
