"""What a hold tells of pictures that have had several decisions: each original is counted once, by its own times."""

import io
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

from storage.ledger.opening import open_reader

OLD = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
NOTHING = {"untouched": 0, "restorable": 0, "restored": 0, "blocked": 0, "released_before": 0}


@dataclass(frozen=True)
class Shots:
    """Pictures of the camera gate whose only time is in their EXIF."""

    site: object
    capsys: object

    def take(self, name, month, seed=1):
        """The camera puts a picture of this month at a path, whatever is there."""
        tags, file = Image.Exif(), io.BytesIO()
        tags[Base.DateTime] = f"2026:{month:02}:15 12:00:00"
        noise = np.random.default_rng(seed).normal(128, 20, (96, 128, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noise).save(file, "JPEG", quality=95, exif=tags)
        path = self.site.path(f"gate/{name}.jpg")
        path.unlink(missing_ok=True)
        self.site.add(f"gate/{name}.jpg", file.getvalue())
        os.utime(path, (OLD, OLD))
        return file.getvalue()

    def told(self, *words, code=0):
        """What a new hold on the camera tells, but what is 0."""
        self.capsys.readouterr()
        assert self.site.run("hold", "add", "--camera", "gate", "--reason", "why", "--json", *words) == code
        told = json.loads(self.capsys.readouterr().out.splitlines()[-1])
        with open_reader(self.site.config.ledger.url) as reader:
            number = reader.holds()[-1].number
        assert self.site.run("hold", "remove", str(number), "--reason", "told", "--yes") == 0
        return {name: count for name, count in told.items() if name in NOTHING and count}

    def of(self, month, *words, code=0):
        return self.told("--from", f"2026-{month:02}-15", "--to", f"2026-{month:02}-15", *words, code=code)


@pytest.fixture
def shots(site, capsys):
    site.configure(vault={"days": 0, "floor_megabytes": 0, "follow_deletes": False})
    return Shots(site, capsys)


def test_each_original_of_a_path_is_judged_by_its_own_times(shots):
    shots.take("1", month=3)
    shots.site.sweep()
    second = shots.take("1", month=4, seed=2)
    shots.site.sweep()
    assert shots.of(3) == {"blocked": 1}
    assert shots.of(4) == {"restorable": 1}
    assert shots.of(5) == {}
    assert shots.told() == {"restorable": 1, "blocked": 1}
    assert shots.told("--restore", code=3) == {"restored": 1, "blocked": 1}
    assert shots.site.path("gate/1.jpg").read_bytes() == second


def test_what_is_blocked_can_be_restored_when_the_path_is_empty(shots):
    first = shots.take("1", month=3)
    shots.site.sweep()
    shots.take("1", month=4, seed=2)
    shots.site.sweep()
    shots.site.path("gate/1.jpg").unlink()
    assert shots.told() == {"restorable": 1, "blocked": 1}
    assert shots.of(3, "--restore") == {"restored": 1}
    assert shots.site.path("gate/1.jpg").read_bytes() == first


def test_shrunk_restored_replaced_by_the_camera_and_shrunk_again(shots):
    shots.take("1", month=3)
    shots.site.sweep()
    assert shots.site.run("restore", shots.site.path("gate/1.jpg")) == 0
    assert shots.of(3) == {"untouched": 1}
    shots.take("1", month=4, seed=2)
    assert shots.told() == {"untouched": 1}
    shots.site.sweep()
    assert shots.told() == {"restorable": 1}
    assert shots.site.run("release") == 0
    assert shots.told() == shots.of(4) == {"released_before": 1}
    assert shots.of(3) == {}


def test_each_original_that_was_released_counts(shots):
    for month in (3, 4):
        shots.take("1", month, seed=month)
        shots.site.sweep()
        assert shots.site.run("release") == 0
    assert shots.told() == {"released_before": 2}
    assert shots.of(4) == {"released_before": 1}  # of the other not even the times are left
    shots.take("1", month=5, seed=5)
    shots.site.sweep()
    assert shots.told() == {"restorable": 1, "released_before": 2}


def test_a_variant_that_somebody_touched_or_copied_is_no_untouched_picture(shots):
    shots.take("1", month=3)
    shots.site.sweep()
    variant = shots.site.path("gate/1.jpg")
    variant.touch()
    shots.site.path("gate/copy.jpg").write_bytes(variant.read_bytes())
    assert shots.site.sweep().tally.reasons == {"already_shrunk": 2}
    assert shots.told() == {"restorable": 1}
    assert shots.told("--restore") == {"restored": 1}


def test_a_variant_that_was_not_looked_at_again_is_no_untouched_picture(shots):
    shots.take("1", month=3)
    shots.site.sweep()
    assert shots.site.run("release") == 0
    variant, second = shots.site.path("gate/1.jpg"), shots.site.folder / "second"
    second.hardlink_to(variant)
    assert shots.site.sweep().tally.reasons == {"hard_linked": 1}
    assert shots.told() == {"released_before": 1}


def test_a_picture_that_was_written_over_or_whose_folder_is_gone_is_blocked(shots):
    shots.take("1", month=3)
    shots.take("2", month=3, seed=2)
    shots.site.sweep()
    shots.site.path("gate/1.jpg").write_bytes(b"somebody's")
    assert shots.told() == {"restorable": 1, "blocked": 1}
    shots.site.path("gate").rename(shots.site.folder / "elsewhere")
    assert shots.told() == {"blocked": 2}


def test_a_kept_picture_that_was_deleted_is_not_untouched(shots):
    shots.site.add("gate/text.jpg", b"no picture")
    shots.site.add("gate/other.jpg", b"no picture either")
    shots.site.sweep()
    shots.site.path("gate/text.jpg").unlink()
    assert shots.told() == {"untouched": 1}


def test_after_a_rebuilt_ledger_what_has_no_original_counts_as_deleted(shots):
    shots.take("1", month=3)
    shots.site.sweep()
    assert shots.site.run("release") == 0
    shots.take("2", month=3, seed=2)
    shots.site.sweep()
    assert shots.site.run("ledger", "rebuild", "--force") == 0
    assert shots.of(3) == {"restorable": 1, "released_before": 1}
