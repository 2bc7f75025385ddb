"""Where files are kept: a small interface, and a folder that fulfils it.

Names are made here, never by a client. A file is complete or absent: it is written beside its
place and renamed into it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
_CHUNK: Final = 64 * 1024


class BrokenOff(Exception):
    """A blob cannot be read to its end.

    No `OSError`: a web server takes one for a client that has gone, and says nothing.
    """


class Storage(Protocol):
    """Keeps blobs under names of the form `materials/0192-…` (lower case, no dots)."""

    def put(self, name: str, content: BinaryIO) -> int:
        """Keep everything that can be read from `content`; returns its length in bytes."""

    def read(self, name: str) -> Iterator[bytes]:
        """The content in chunks; raises `FileNotFoundError` at once, not at the first chunk.

        The iterator raises `BrokenOff` where the storage fails on the way. Who does not read to
        the end calls `close`, where the iterator has it.
        """

    def delete(self, name: str) -> None:
        """Forget a blob; an absent one is no error."""

    def names(self, folder: str, *, before: datetime) -> Iterator[str]:
        """What lies directly in `folder` and was written before that moment, in no order.

        What an interrupted `put` left behind is among it, under a name that was never given out.
        """


class _Chunks(Iterator[bytes]):
    """What is left of an open file, which is closed at its end, if not earlier."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __next__(self) -> bytes:
        try:
            chunk = b"" if self._file.closed else self._file.read(_CHUNK)
        except OSError as error:
            self.close()
            raise BrokenOff from error
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        self._file.close()


class FolderStorage:
    """Blobs as files below one folder that nothing else writes to."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, name: str, content: BinaryIO) -> int:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, beside = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                while chunk := content.read(_CHUNK):
                    file.write(chunk)
                size = file.tell()
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        return size

    def read(self, name: str) -> Iterator[bytes]:
        return _Chunks(self._path(name).open("rb"))

    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def names(self, folder: str, *, before: datetime) -> Iterator[str]:
        try:
            listed = os.scandir(self._path(folder))
        except FileNotFoundError:
            return
        with listed:
            for entry in listed:
                if entry.is_file() and entry.stat().st_mtime < before.timestamp():
                    yield f"{folder}/{entry.name}"

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(
                "a blob's name has lower-case letters, digits, - and _ between slashes"
            )
        return self._root / name


_storage: Storage | None = None


def use(storage: Storage) -> None:
    """Hand the process its storage; done once, at start."""
    global _storage  # noqa: PLW0603 - a process has one storage
    _storage = storage


def in_use() -> Storage:
    """The storage of this process; raises `RuntimeError` before `use`."""
    if _storage is None:
        raise RuntimeError("no storage: kernel.storage.use() was not called at start")
    return _storage
