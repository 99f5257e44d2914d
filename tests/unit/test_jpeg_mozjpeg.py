"""MozJPEG's encoder, which ladder = "best" needs."""

import numpy as np
import pytest
from PIL import Image

from framekeep.jpeg import mozjpeg
from framekeep.jpeg.codec import decode, encode, same_pixels
from framekeep.jpeg.markers import SOS, walk
from framekeep.jpeg.source import Limits, understand
from framekeep.jpeg.squeeze import squeeze
from framekeep.ladder import MOZJPEG, Rung, parse_ladder
from framekeep.reasons import Kept
from framekeep.variants import Encoder, Variant, climb, squeezed_variant

LIMITS = Limits(10**7, 10**7)


def picture(mode: str = "RGB", size: tuple[int, int] = (123, 81)) -> Image.Image:
    bands = [Image.linear_gradient("L").rotate(angle).resize(size) for angle in (0, 90, 180)]
    grain = np.random.default_rng(5).normal(0, 9, (size[1], size[0], 3))
    pixels = np.asarray(Image.merge("RGB", bands)) + grain
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).convert(mode)


@pytest.mark.parametrize("encoder", MOZJPEG)
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("subsampling", "sampling"), [("4:2:0", 2), ("4:4:4", 1)])
def test_it_encodes_what_pillow_decodes(encoder: str, mode: str, subsampling: str, sampling: int):
    data = encode(picture(mode), Rung(60, encoder), subsampling)
    frame = understand(data, LIMITS).layout.frame
    assert walk(data).count((SOS,)) == 1  # baseline
    assert (frame.width, frame.height, len(frame.components)) == (123, 81, 1 if mode == "L" else 3)
    assert mode == "L" or frame.components[0].horizontal == sampling
    decoded = decode(data)
    assert decoded.mode == mode
    assert np.abs(np.asarray(decoded, float) - np.asarray(picture(mode), float)).mean() < 8


def test_the_library_is_the_one_that_knows_mozjpeg_s_tricks():
    assert mozjpeg.is_installed()
    assert mozjpeg.works()


def test_one_quality_is_one_file_and_the_tables_differ():
    files = [encode(picture(), Rung(30, encoder), "4:2:0") for encoder in (*MOZJPEG, *MOZJPEG)]
    assert files[: len(MOZJPEG)] == files[len(MOZJPEG) :]
    assert len(set(files)) == len(MOZJPEG)


@pytest.mark.parametrize("progressive", [True, False])
@pytest.mark.parametrize("encoder", MOZJPEG)
def test_what_is_written_has_the_variant_s_pixels(encoder: str, *, progressive: bool):
    """Pillow would choose other coefficients, so a variant that stays baseline is not encoded by it."""
    file = encode(picture(), Rung(95), "4:4:4")
    original, how = understand(file, LIMITS), Encoder("4:2:0", progressive)
    variant = climb(original, decode(file), Rung(40, encoder), how)
    written = squeezed_variant(original, variant, decode(variant.data), how)
    assert same_pixels(written.data, variant.data)
    assert (walk(written.data).count((SOS,)) > 1) == progressive
    assert written.rung == variant.rung


def test_another_picture_s_pixels_would_be_noticed():
    file = encode(picture(), Rung(95), "4:4:4")
    original, how = understand(file, LIMITS), Encoder("4:2:0", progressive=False)
    claimed = Variant(Rung(40), climb(original, decode(file), Rung(40, "m0"), how).data)
    with pytest.raises(Kept, match="squeezing changed the pixels"):
        squeezed_variant(original, claimed, decode(claimed.data), how)


@pytest.mark.parametrize("rung", [rung for rung in parse_ladder("best").rungs if rung.quality in (5, 96)], ids=str)
def test_noise_can_be_squeezed(rung: Rung):
    noise = Image.fromarray(np.random.default_rng(7).integers(0, 2, (64, 64, 3), dtype=np.uint8) * 255)
    data = encode(noise, rung, "4:4:4")
    assert same_pixels(squeeze(data), data)
