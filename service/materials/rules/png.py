"""PNG (W3C PNG, third edition) without texts, times and what applications add.

Of Exif the orientation stays.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from service.materials.rules.images import (
    UPRIGHT,
    exif_of,
    hold_pixels,
    nothing_foreign,
    orientation_of,
)
from service.materials.rules.kinds import refused

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS: Final = 50_000
_AROUND: Final = 12
_HEADER: Final = struct.Struct(">IIBBBBB")
_EXIF: Final = b"eXIf"
_ANCILLARY: Final = 0x20
_KEPT: Final = frozenset(
    b"IHDR PLTE IDAT IEND cHRM cICP gAMA iCCP sBIT sRGB mDCV cLLI bKGD hIST tRNS pHYs".split()
)

Chunk = tuple[bytes, int, int]
"""A type, and where the chunk begins and ends, its length and check sum included."""


def clean_png(content: bytes, *, most_pixels: int) -> bytes:
    """A PNG of which what shows the image is left; an animated one stands still.

    Raises `Invalid` where it is broken, has too many pixels, or hides another file behind its end.
    """
    kept, end = [_SIGNATURE], 0
    seen: set[bytes] = set()
    for kind, start, end in _chunks(content):
        data = content[start + 8 : end - 4]
        if (kind == b"IHDR") is bool(seen):
            raise refused("file_broken")
        if kind == b"IHDR":
            _hold_header(data, most_pixels)
        if kind == _EXIF and kind not in seen:
            kept += _turned(data)
        seen.add(kind)
        if kind in _KEPT:
            kept.append(content[start:end])
        elif not kind[0] & _ANCILLARY:
            raise refused("file_broken")
    if b"IDAT" not in seen:
        raise refused("file_broken")
    nothing_foreign(content[end:])
    return b"".join(kept)


def _chunks(content: bytes) -> Iterator[Chunk]:
    """From the header to the end; raises `Invalid` where one is not whole."""
    view, at = memoryview(content), len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        start, kind = at, content[at + 4 : at + 8]
        at += int.from_bytes(content[at : at + 4], "big") + _AROUND
        if at > len(content):
            break
        if zlib.crc32(view[start + 4 : at - 4]) != int.from_bytes(content[at - 4 : at], "big"):
            break
        yield kind, start, at
        if kind == b"IEND":
            return
    raise refused("file_broken")


def _turned(exif: bytes) -> list[bytes]:
    """A chunk that says the orientation and nothing else, where it is not upright."""
    orientation = orientation_of(exif)
    if orientation == UPRIGHT:
        return []
    data = exif_of(orientation)
    check = zlib.crc32(_EXIF + data)
    return [struct.pack(">I", len(data)) + _EXIF + data + struct.pack(">I", check)]


def _hold_header(data: bytes, most_pixels: int) -> None:
    if len(data) != _HEADER.size:
        raise refused("file_broken")
    width, height, *_ = _HEADER.unpack(data)
    hold_pixels(width, height, most=most_pixels)
