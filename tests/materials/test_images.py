"""Images as libraries and telephones make them: what is kept shows the same, and nothing else."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import pytest
from PIL import Image, ImageOps

from service.kernel import errors
from service.materials.rules import examine
from service.materials.rules.image_reader import read
from tests.materials.files import GPS, chunk, encoded, header, jpeg
from tests.materials.handing_in import LIMITS

pytestmark = pytest.mark.usefixtures("read_apart")

ORIENTATION = 0x0112


def code_of(content, name="a.png", limits=LIMITS):
    try:
        examine(name, content, limits)
    except errors.Invalid as problem:
        return problem.code
    return None


def shown(content):
    """The pixels as a viewer shows them, turned as they say."""
    with Image.open(io.BytesIO(content)) as image:
        turned = ImageOps.exif_transpose(image)
        return turned.mode, turned.size, turned.tobytes()


def photographed(form, orientation):
    """A picture with an orientation and much more in its Exif."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010E] = GPS.decode()
    exif.get_ifd(0x8825)[1] = "N"
    return encoded(form, size=(40, 20), exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("form", "name"), [("PNG", "a.png"), ("JPEG", "a.jpg")])
def test_a_picture_stands_as_it_stood_and_says_nothing_more(form, name, orientation):
    content = photographed(form, orientation)
    assert GPS in content
    kept = examine(name, content, LIMITS).content
    assert shown(kept) == shown(content)
    assert GPS not in kept
    with Image.open(io.BytesIO(kept)) as image:
        told = dict(image.getexif())
    assert told == ({} if orientation == 1 else {ORIENTATION: orientation})
    assert examine(name, kept, LIMITS).content == kept, "once is enough"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", encoded("PNG", "1")),
        ("a.png", encoded("PNG", "P")),
        ("a.png", encoded("PNG", "RGBA")),
        ("a.png", encoded("PNG", "I;16")),
        ("a.jpg", encoded("JPEG", "RGB")),
        ("a.jpg", encoded("JPEG", "CMYK")),
        ("a.jpg", encoded("JPEG", "RGB", progressive=True)),
        ("a.jpg", encoded("JPEG", "RGB", restart_marker_rows=1)),
    ],
    ids=range(8),
)
def test_every_pixel_is_kept(name, content):
    assert shown(examine(name, content, LIMITS).content) == shown(content)


def test_an_image_without_a_picture_is_broken():
    """69 bytes that say ten thousand by ten thousand."""
    wide = replace(LIMITS, pixels=10**8)
    signature = b"\x89PNG\r\n\x1a\n"
    for rows in (b"", b"\x78\x9c\x03\0\0\0\0\1"):
        empty = signature + header(10_000, 10_000) + chunk(b"IDAT", rows) + chunk(b"IEND")
        assert len(empty) < 70
        assert code_of(empty, limits=wide) == "file_broken"


def test_an_image_that_breaks_off_inside_its_picture_is_broken():
    whole = encoded("PNG", "RGB", (200, 200))
    at = whole.index(b"IDAT")
    half = whole[at + 4 : at + 4 + 400]
    cut = whole[: at - 4] + chunk(b"IDAT", half) + chunk(b"IEND")
    assert code_of(cut) == "file_broken"


def test_a_jpeg_that_cannot_be_decoded_is_broken():
    without_tables = jpeg().replace(b"\xff\xdb", b"\xff\xfe")
    assert code_of(without_tables, "a.jpg") == "file_broken"


def test_a_large_photograph_costs_little():
    """Twelve million pixels: what a telephone takes."""
    photograph = encoded("JPEG", "RGB", (4000, 3000), quality=95)
    limits = replace(LIMITS, size=2**25, pixels=10**8)
    began = time.process_time()
    assert examine("a.jpg", photograph, limits).content == photograph
    assert time.process_time() - began < 2


def test_the_reader_by_itself():
    assert read(encoded("PNG"), 10**6) == ""
    assert read(encoded("JPEG"), 10**6) == ""
    assert read(encoded("PNG"), 10) == "file_pixels_too_many"
    assert read(encoded("GIF"), 10**6) == "file_broken"
    assert read(b"", 10**6) == "file_broken"
