"""Names of files: what is kept of the one that was sent."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from service.kernel.text import is_blank, without_hidden
from service.materials.rules.kinds import MediaType, refused

LONGEST: Final = 120

_PARTS: Final = re.compile(r"[/\\]")
_RESERVED: Final = re.compile(r'[<>:"|?*]')
_LINES: Final = str.maketrans("\t\n\r", "   ")
# What Windows takes for a device, whatever follows its first dot, and Office for a lock of its own.
_DEVICE: Final = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)|~\$",
    re.IGNORECASE,
)


def clean_name(sent: str, media_type: MediaType) -> str:
    """The name by which a file may be kept and handed out again, at most `LONGEST` characters.

    The last part of a path, in Unicode's form C, without characters that nobody sees and those
    that some file system refuses, and never the name of a device; a long one is shortened before
    its ending. What Unicode has not given away yet stays: the letter may be newer than the
    interpreter. Raises `Invalid` where nothing is left, or the ending is not one of the type's.
    """
    last = without_hidden(_PARTS.split(sent)[-1].translate(_LINES))
    name = " ".join(_RESERVED.sub("_", unicodedata.normalize("NFC", last)).split()).strip(" .")
    stem, _, ending = name.rpartition(".")
    if ending.lower() not in media_type.endings:
        raise refused("file_ending_wrong", endings=", ".join(media_type.endings))
    if _DEVICE.match(stem):
        stem = f"_{stem}"
    stem = stem[: LONGEST - len(ending) - 1].rstrip(" .")
    if is_blank(stem):
        raise refused("file_name_missing")
    return f"{stem}.{ending}"
