import io
import re

import numpy as np
import pytest
from PIL import Image

from framekeep.jpeg.codec import decode, encode, encoder_versions, same_pixels
from framekeep.jpeg.markers import APP0, Component, walk
from framekeep.ladder import PAPER, Rung
from framekeep.reasons import Kept, Reason


def picture(mode: str = "RGB", size: tuple[int, int] = (120, 80)):
    bands = [Image.linear_gradient("L").rotate(angle).resize(size) for angle in (0, 90, 180)]
    return Image.merge("RGB", bands).convert(mode)


def noise():
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (256, 256, 3), dtype=np.uint8))


def saved(image: Image.Image, **options: object):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pixels_are_pillow_s(mode: str):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter, which is for viewers to do
    data = saved(picture(mode), exif=exif, comment=b"gate")
    image = decode(data)
    assert (image.mode, image.size) == (mode, (120, 80))
    with Image.open(io.BytesIO(data)) as expected:
        assert image.tobytes() == expected.tobytes()


def test_decode_refuses_what_pillow_cannot_read():
    data = saved(picture())
    table = next(s for s in walk(data).segments if s.marker == 0xC4)
    with pytest.raises(Kept) as kept:
        decode(data[: table.start + 4] + b"\xff" * 16 + data[table.start + 20 :])
    assert kept.value.reason is Reason.DAMAGED


@pytest.mark.parametrize(("subsampling", "luma"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))])
def test_subsampling(subsampling: str, luma: tuple[int, int]):
    frame = walk(encode(picture(), Rung(50), subsampling)).frame
    assert frame.marker == 0xC0
    assert frame.components == (Component(1, *luma), Component(2, 1, 1), Component(3, 1, 1))


def test_gray_stays_gray():
    assert walk(encode(picture("L"), Rung(50), "4:2:0")).frame.components == (Component(1, 1, 1),)


def test_the_quality_is_the_rung_s():
    image = picture()
    assert [encode(image, Rung(q), "4:2:0") for q in PAPER] == [
        saved(image, quality=q, subsampling="4:2:0") for q in PAPER
    ]


def test_the_encoder_adds_no_metadata():
    image = Image.open(io.BytesIO(saved(picture(), comment=b"gate", dpi=(300, 300), icc_profile=b"profile")))
    assert [s.marker for s in walk(encode(image, Rung(50), "4:2:0")).metadata] == [APP0]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_optimized_tables_change_bytes_and_no_pixel(mode: str):
    plain = encode(picture(mode), Rung(30), "4:2:0")
    optimized = encode(picture(mode), Rung(30), "4:2:0", optimize=True)
    assert len(optimized) < len(plain)
    assert walk(optimized).frame.marker == 0xC0
    assert same_pixels(plain, optimized)


def test_noise_that_outgrows_pillow_s_buffer_is_encoded_all_the_same():
    image = noise()
    assert same_pixels(encode(image, Rung(100), "4:4:4", optimize=True), encode(image, Rung(100), "4:4:4"))


def test_same_pixels():
    data = saved(picture(), quality=50)
    assert same_pixels(data, saved(picture(), quality=50, progressive=True))
    assert not same_pixels(data, saved(picture(), quality=40))
    assert not same_pixels(data, saved(picture("L"), quality=50))
    assert not same_pixels(data, data[:-2])


def test_versions_name_every_encoder():
    assert re.fullmatch(r"pillow [\d.]+, libjpeg(-turbo)? [\d.]+, mozjpeg-lossless [\d.]+", encoder_versions())
