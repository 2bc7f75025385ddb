"""PDF files (ISO 32000): read, never changed, because they may be signed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from service.materials.rules.apart import answer_of
from service.materials.rules.kinds import refused

_HEAD: Final = re.compile(rb"%PDF-[12]\.[0-9]")
_TAIL: Final = re.compile(rb"startxref\s+[0-9]+\s+%%EOF[\s\x00]*\Z")
_TAIL_BYTES: Final = 1024

_READER: Final = Path(__file__).with_name("pdf_reader.py")


def pages_of(content: bytes, *, most: int) -> int:
    """How many pages a PDF has.

    One that everybody may open is taken, whatever else its author has locked. Raises `Invalid`
    where it needs a password, does not begin and end as one, cannot be read without guessing, has
    no page or more than `most`, has scripts, actions or files in it, or is made so that reading it
    takes more time or memory than is spent on it.
    """
    if not _HEAD.match(content) or not _TAIL.search(content[-_TAIL_BYTES:]):
        raise refused("file_broken")
    answer = answer_of(_READER, content, most)
    if answer.isdecimal():
        return int(answer)
    raise refused(answer, **({"maximum": most} if answer == "file_pages_too_many" else {}))
