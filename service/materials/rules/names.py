"""Names of files: what is kept of the one that was sent."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from service.materials.rules.kinds import MediaType, refused

LONGEST: Final = 120

_PARTS: Final = re.compile(r"[/\\]")
_RESERVED: Final = re.compile(r'[<>:"|?*]')
# Control and format characters (all that change the direction of text are among them),
# surrogates, what is private or unassigned, and separators of lines.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_name(sent: str, media_type: MediaType) -> str:
    """The name by which a file may be kept and handed out again, at most `LONGEST` characters.

    The last part of a path, in Unicode's form C, without characters that nobody sees and those
    that some file system refuses; a long one is shortened before its ending. Raises `Invalid`
    where nothing is left, or the ending is not one of the type's.
    """
    last = _PARTS.split(sent)[-1]
    seen = "".join(" " if one.isspace() else one for one in last if _is_seen(one))
    name = " ".join(_RESERVED.sub("_", unicodedata.normalize("NFC", seen)).split()).strip(" .")
    stem, _, ending = name.rpartition(".")
    if ending.lower() not in media_type.endings:
        raise refused("file_ending_wrong", endings=", ".join(media_type.endings))
    stem = stem[: LONGEST - len(ending) - 1].rstrip(" .")
    if not stem:
        raise refused("file_name_missing")
    return f"{stem}.{ending}"


def _is_seen(one: str) -> bool:
    return one in "\t\n\r" or unicodedata.category(one) not in _UNSEEN
