"""A ladder of several encoders, from the configuration to the file at its path."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from daemon.explaining import explain_place
from daemon.trial import Case, _rungs, _work_on
from framekeep.jpeg.codec import same_pixels
from framekeep.jpeg.metadata import segments_of
from framekeep.ladder import MOZJPEG, PLAIN, parse_ladder
from framekeep.reasons import Kept
from storage.records import Place


def textured(size: tuple[int, int] = (160, 120)) -> bytes:
    """A picture with detail of every size, and a comment."""
    rng = np.random.default_rng(4)
    pixels = np.full((size[1], size[0], 3), 128.0)
    for step in (1, 2, 4, 8, 16, 32):
        coarse = rng.integers(0, 256, (size[1] // step + 1, size[0] // step + 1, 3), dtype=np.uint8)
        pixels += (np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)) - 128.0) * step / 48
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=92, comment=b"camera 7")
    return file.getvalue()


ORIGINAL = textured()


def similarity(data: bytes, other: bytes) -> float:
    return structural_similarity(*(np.asarray(Image.open(io.BytesIO(d)).convert("L")) for d in (data, other)))


def plain(quality: int) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(ORIGINAL)).save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.mark.parametrize(("floor", "progressive"), [(10, True), (40, False)])
def test_the_smallest_file_that_is_not_below_the_floor_is_written(site, floor: int, *, progressive: bool):
    selection = {"ladder": "best", "floor_quality": floor}
    site.configure(selection=selection, encoder={"progressive": progressive}, vault={"floor_megabytes": 0})
    path = site.add("gate/1.jpg", ORIGINAL)
    assert site.sweep().tally.replaced == 1
    (decision,) = site.decisions()
    written = path.read_bytes()
    assert len(written) < len(plain(floor))
    assert similarity(ORIGINAL, written) >= similarity(ORIGINAL, plain(floor))
    assert (decision.rung or "").removeprefix(f"q{decision.quality}") in MOZJPEG
    assert segments_of(written) == segments_of(ORIGINAL)
    assert ("progressive" in Image.open(io.BytesIO(written)).info) == progressive
    assert decision.ladder == "best"


def test_explain_chooses_what_the_sweep_wrote_and_tells_of_the_floor(site, steadfast, capsys):
    site.configure(selection={"ladder": "best"}, encoder={"progressive": True}, vault={"floor_megabytes": 0})
    path = site.add("gate/1.jpg", ORIGINAL)
    site.sweep()
    (decision,) = site.decisions()
    told = explain_place(site.config, steadfast(), Place(str(site.root), "gate/1.jpg"))
    assert told.source is not None
    assert told.source.name == "vault"
    assert told.outcome.data == path.read_bytes()
    explanation = told.explanation
    assert explanation is not None
    assert explanation.floor == pytest.approx(similarity(ORIGINAL, plain(10)), abs=1e-6)
    assert explanation.variants[-1].variant.rung.name == decision.rung
    assert all(seen.likeness >= explanation.floor for seen in explanation.variants)
    chosen = next(seen for seen in explanation.variants if seen.variant.rung.name == decision.rung)
    assert same_pixels(chosen.variant.data, path.read_bytes())
    assert chosen.likeness == pytest.approx(similarity(ORIGINAL, path.read_bytes()), abs=1e-6)


def test_explain_tells_both_in_words_and_as_json(site, capsys):
    site.configure(selection={"ladder": [50, 20]}, vault={"floor_megabytes": 0})
    path = site.add("gate/1.jpg", ORIGINAL)
    assert site.run("explain", path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["floor_quality"] == 10
    assert told["floor"] == pytest.approx(similarity(ORIGINAL, plain(10)), abs=1e-5)
    assert [(one["rung"], one["encoder"]) for one in told["variants"]] == [("q50", "plain"), ("q20", "plain")]
    assert told["variants"][1]["ssim"] == pytest.approx(similarity(ORIGINAL, plain(20)), abs=1e-5)
    assert site.run("explain", path) == 0
    words = capsys.readouterr().out
    assert f"SSIM {told['floor']:.4f}" in words
    assert f"{told['variants'][0]['ssim']:.4f}" in words


def test_the_floor_and_the_ladder_are_part_of_what_a_decision_depends_on(site):
    site.add("gate/1.jpg", plain(10))  # which stays as it is, so that it can be looked at again
    for number, selection in enumerate(({}, {"floor_quality": 20}, {"ladder": "fine"}), 1):
        site.configure(selection={"min_saving": 0.9} | selection, vault={"floor_megabytes": 0})
        assert site.sweep().tally.kept == 1
        site.sweep()  # under the same settings it was decided
        assert len(site.decisions()) == number


def test_a_suspect_is_tried_with_every_encoder(tmp_path: Path):
    best = parse_ladder("best")
    tried = list(_rungs(best))
    assert {rung.encoder for rung in tried} == {PLAIN, *MOZJPEG}
    assert all({best.of(encoder)[0], best.of(encoder)[-1]} <= set(tried) for encoder in MOZJPEG)
    (tmp_path / "1.jpg").write_bytes(ORIGINAL)
    case = Case(str(tmp_path), "1.jpg", 10**6, 10**6, "best", "4:2:0")
    _work_on(case, best)
    with pytest.raises(Kept):
        _work_on(replace(case, max_pixels=1), best)
