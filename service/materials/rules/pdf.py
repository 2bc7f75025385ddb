"""PDF files (ISO 32000): read, never changed, because they may be signed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from service.materials.rules.kinds import refused

_HEAD: Final = re.compile(rb"%PDF-[12]\.[0-9]")
_TAIL: Final = re.compile(rb"startxref\s+[0-9]+\s+%%EOF[\s\x00]*\Z")
_TAIL_BYTES: Final = 1024

_READER: Final = Path(__file__).with_name("pdf_reader.py")
_PATIENCE: Final = 20.0
"""Seconds by the clock, on a machine that has other things to do."""
_AT_ONCE: Final = BoundedSemaphore(2)
"""So many readers of one process: each may take what `pdf_reader.MEMORY` says."""


def pages_of(content: bytes, *, most: int) -> int:
    """How many pages a PDF has.

    One that everybody may open is taken, whatever else its author has locked. Raises `Invalid`
    where it needs a password, does not begin and end as one, cannot be read without guessing, has
    no page or more than `most`, has scripts, actions or files in it, or is made so that reading it
    takes more time or memory than is spent on it.
    """
    if not _HEAD.match(content) or not _TAIL.search(content[-_TAIL_BYTES:]):
        raise refused("file_broken")
    answer = _answer(content, most)
    if answer.isdecimal():
        return int(answer)
    raise refused(answer, **({"maximum": most} if answer == "file_pages_too_many" else {}))


def _answer(content: bytes, most: int) -> str:
    """What the reader says of a file; whatever it dies of is the file's doing."""
    with _AT_ONCE:
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-I", str(_READER), str(most)],
                input=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "file_too_complicated"
    return done.stdout.decode() if done.returncode == 0 else "file_too_complicated"
