"""What images of both kinds are held to.

They are sequences of parts that say how long they are: walked through without being decoded. What
shows the image is copied, byte for byte; place, camera, author, comments, thumbnails and whatever
follows the end are left out.
"""

from __future__ import annotations

from typing import Final

from service.materials.rules.kinds import refused

# What a file of another kind begins with, in lower case.
_FOREIGN: Final = (
    b"%pdf-", b"pk\x03\x04", b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?",
    b"#!", b"rar!", b"7z\xbc\xaf", b"\x7felf", b"mz\x90",
)  # fmt: skip
_LONGEST_FOREIGN: Final = 64


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
