"""Where files are kept: a small interface, and a folder that fulfils it.

Names are made here, never by a client. A file is complete or absent: it is written beside its
place and renamed into it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
_CHUNK: Final = 64 * 1024


class Storage(Protocol):
    """Keeps blobs under names of the form `materials/0192-…` (lower case, no dots)."""

    def put(self, name: str, content: BinaryIO) -> int:
        """Keep everything that can be read from `content`; gives its length in bytes."""

    def read(self, name: str) -> Iterator[bytes]:
        """The content in chunks; raises `FileNotFoundError` at once, not at the first chunk."""

    def delete(self, name: str) -> None:
        """Forget a blob; an absent one is no error."""


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
        file = self._path(name).open("rb")

        def chunks() -> Iterator[bytes]:
            with file:
                while chunk := file.read(_CHUNK):
                    yield chunk

        return chunks()

    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(
                "a blob's name has lower-case letters, digits, - and _ between slashes"
            )
        return self._root / name
