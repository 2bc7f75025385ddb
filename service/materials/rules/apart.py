"""Reading a file in a process of its own, because a file can be made to exhaust who reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from service.kernel.errors import Unavailable

_PATIENCE: Final = 20.0
"""Seconds by the clock, on a machine that has other things to do."""
_AT_ONCE: Final = BoundedSemaphore(2)
"""So many readers of one process: each may take what it allows itself."""
_WAITING: Final = 2.0
"""Seconds that an upload waits for its turn; then its thread is free for others."""


def answer_of(reader: Path, content: bytes, most: int) -> str:
    """What a reader (`pdf_reader`, `image_reader`, `office_reader`) says of a file.

    Whatever it dies of is the file's doing: `file_too_complicated`. Raises `Unavailable` where
    other files are being read and it is not this one's turn soon.
    """
    if not _AT_ONCE.acquire(timeout=_WAITING):
        raise Unavailable(headers={"Retry-After": "5"})
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", str(reader), str(most)],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "file_too_complicated"
    finally:
        _AT_ONCE.release()
    return done.stdout.decode() if done.returncode == 0 else "file_too_complicated"
