"""JPEG (ITU-T T.81) without the data of applications, Exif (CIPA DC-008) above all."""

from __future__ import annotations

import re
import struct
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

_MOST_SEGMENTS: Final = 5_000
_MARKER: Final = re.compile(rb"\xff+([\x01-\xfe])", re.DOTALL)
_SCAN_ENDS: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_COMMENT: Final = 0xFE
_END: Final = 0xD9
_SCAN: Final = 0xDA
_EXIF: Final = 0xE1
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length, which stand nowhere between segments."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FRAME: Final = struct.Struct(">4xxHH")
_APPLICATIONS: Final = frozenset(range(0xE0, 0xF0))
_KEPT: Final = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""What of the data of applications says how the colours are meant, by marker."""

_EXIF_HEAD: Final = b"Exif\0\0"
_TIFF: Final = 10

Segment = tuple[int, int, int]
"""A marker, and where its segment begins and ends; that of a scan has its data too."""


def clean_jpeg(content: bytes, *, most_pixels: int) -> bytes:
    """A JPEG of which colour profile and orientation are left, and nothing else that is not seen.

    Raises `Invalid` where it is broken, has too many pixels, or hides another file behind its end.
    """
    segments = list(_segments(content))
    frames = [content[start:end] for marker, start, end in segments if marker in _FRAMES]
    if len(frames) != 1 or all(marker != _SCAN for marker, _, _ in segments):
        raise refused("file_broken")
    _hold_frame(frames[0], most_pixels)
    nothing_foreign(content[segments[-1][2] :])
    turned = [
        _turned(orientation)
        for marker, start, end in segments
        if marker == _EXIF and (orientation := _orientation(content[start:end])) != UPRIGHT
    ]
    seen = [
        content[start:end]
        for marker, start, end in segments
        if _is_seen(marker, content[start + 4 : start + 20])
    ]
    return b"".join([content[:2], *turned[:1], *seen])


def _segments(content: bytes) -> Iterator[Segment]:
    """From behind the first marker to the end marker; raises `Invalid` where one is not whole."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.match(content, at)
        if found is None:
            break
        marker, start, at = found[1][0], found.end() - 2, found.end()
        if marker == _END:
            yield marker, start, at
            return
        length = int.from_bytes(content[at : at + 2], "big")
        at += length
        if marker in _ALONE or length < 2 or at > len(content):  # noqa: PLR2004 - counts itself
            break
        if marker == _SCAN:
            ends = _SCAN_ENDS.search(content, at)
            if ends is None:
                break
            at = ends.start()
        yield marker, start, at
    raise refused("file_broken")


def _hold_frame(segment: bytes, most_pixels: int) -> None:
    if len(segment) < _FRAME.size + 1:
        raise refused("file_broken")
    height, width = _FRAME.unpack_from(segment, 0)
    hold_pixels(width, height, most=most_pixels)


def _is_seen(marker: int, data: bytes) -> bool:
    if marker in _APPLICATIONS:
        return marker in _KEPT and data.startswith(_KEPT[marker])
    return marker != _COMMENT


def _orientation(segment: bytes) -> int:
    """What an Exif segment says of how the image was held."""
    return orientation_of(segment[_TIFF:]) if segment[4:].startswith(_EXIF_HEAD) else UPRIGHT


def _turned(orientation: int) -> bytes:
    """An Exif segment that says the orientation and nothing else."""
    data = _EXIF_HEAD + exif_of(orientation)
    return struct.pack(">BBH", 0xFF, _EXIF, len(data) + 2) + data
