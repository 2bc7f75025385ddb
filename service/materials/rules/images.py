"""What images of both kinds are held to.

They are sequences of parts that say how long they are. What shows the image is copied, byte for
byte, so that no quality is lost; place, camera, author, comments, thumbnails and whatever follows
the end are left out. Of Exif (CIPA DC-008) the orientation stays. A program of its own then decodes
what is left: there has to be a picture in it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from service.materials.rules.apart import answer_of
from service.materials.rules.kinds import refused

# What a file of another kind begins with, in lower case.
_FOREIGN: Final = (
    b"%pdf-", b"pk\x03\x04", b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?",
    b"#!", b"rar!", b"7z\xbc\xaf", b"\x7felf", b"mz\x90",
)  # fmt: skip
_LONGEST_FOREIGN: Final = 64

UPRIGHT: Final = 1
_ORIENTATION: Final = 0x0112
_ORIENTATIONS: Final = range(1, 9)
_SHORT: Final = 3
_ENTRY_BYTES: Final = 12
_READER: Final = Path(__file__).with_name("image_reader.py")


def hold_pixels(width: int, height: int, *, most: int) -> None:
    """Raise `Invalid` for an image without extent, or one that fills the memory of its reader."""
    if not width or not height:
        raise refused("file_broken")
    if width * height > most:
        raise refused("file_pixels_too_many", maximum=most)


def nothing_foreign(behind: bytes) -> None:
    """Raise `Invalid` where a file of another kind follows an image.

    Cameras append much of their own (a film, a second exposure), which is simply left out.
    """
    if behind[:_LONGEST_FOREIGN].lstrip().lower().startswith(_FOREIGN):
        raise refused("file_of_two_types")


def hold_picture(content: bytes, *, most: int) -> None:
    """Raise `Invalid` where an image cannot be decoded to its end, or not within reason."""
    if code := answer_of(_READER, content, most):
        raise refused(code)


def orientation_of(exif: bytes) -> int:
    """What Exif says of how an image was held, 1 to 8; upright where it cannot be told."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return UPRIGHT
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, at)
        for number in range(entries):
            place = at + 2 + number * _ENTRY_BYTES
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, place)
            if tag == _ORIENTATION:
                shown = kind == _SHORT and value in _ORIENTATIONS
                return int(value) if shown else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def exif_of(orientation: int) -> bytes:
    """Exif that says the orientation and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
