"""PDF files (ISO 32000): looked at from outside, never changed, because they may be signed."""

from __future__ import annotations

import re
from typing import Final

from service.materials.rules.kinds import refused

_HEAD: Final = re.compile(rb"%PDF-[12]\.[0-9]")
_TAIL: Final = re.compile(rb"startxref\s+[0-9]+\s+%%EOF[\s\x00]*\Z")
_TAIL_BYTES: Final = 1024
_PAGE: Final = re.compile(rb"/Type\s*/Page(?![A-Za-z])")


def pages_of(content: bytes, *, most: int) -> int | None:
    """How many pages a PDF has; none where its page objects are packed away.

    Raises `Invalid` where it does not begin or end as one, or has more than `most` pages.
    """
    if not _HEAD.match(content) or not _TAIL.search(content[-_TAIL_BYTES:]):
        raise refused("file_broken")
    pages = sum(1 for _ in _PAGE.finditer(content))
    if pages > most:
        raise refused("file_pages_too_many", maximum=most)
    return pages or None
