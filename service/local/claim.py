"""One `up` per folder: a lock that ends with its holder, whatever ends it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """Somebody holds the claim; the text is the address they left."""


@contextmanager
def claim(path: Path, *, address: str) -> Iterator[bool]:
    """Hold `path` (flock), with our address in it for those who come second.

    Yields whether the holder before us left without a farewell: then its address is still there.
    Children do not inherit the lock: Python opens files close-on-exec. Raises AlreadyRunning.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise AlreadyRunning(os.read(descriptor, 1024).decode("utf-8", "replace")) from taken
        crashed = os.fstat(descriptor).st_size > 0
        os.ftruncate(descriptor, 0)
        os.write(descriptor, address.encode())
        try:
            yield crashed
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
