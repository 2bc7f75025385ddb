"""Passwords that a former start has found to match need not be computed again."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher

from service.identity.auth.providers.password import hashing
from service.local.private import write_private

_DIGEST: Final = "sha256"


class RememberingHasher(PasswordHasher):
    """argon2id with the strength of another hasher, and a file of what is known to match.

    A hash with its password is kept as an HMAC of the hash under the password. Another password,
    or a hash that was made anew, is not known and is computed. For the local mode alone, where the
    password lies beside the file for its owner to read: from the file a password could be guessed
    faster than from a hash.
    """

    def __init__(self, like: PasswordHasher, file: Path) -> None:
        super().__init__(
            time_cost=like.time_cost,
            memory_cost=like.memory_cost,
            parallelism=like.parallelism,
            hash_len=like.hash_len,
            salt_len=like.salt_len,
            type=like.type,
        )
        self._file = file
        self._known = frozenset(json.loads(file.read_text("utf-8")) if file.exists() else ())
        self._used: set[str] = set()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        made = super().hash(password, salt=salt)
        self._used.add(_mark(made, password))
        return made

    def verify(self, hash: Any, password: str | bytes) -> Any:  # noqa: A002 - the library's name
        """As the library's; raises what it raises."""
        mark = _mark(hash, password)
        if mark not in self._known:
            super().verify(hash, password)
        self._used.add(mark)
        return True

    def keep(self) -> None:
        """Write what was found to match this time, and forget all else."""
        if self._used != self._known:
            write_private(self._file, json.dumps(sorted(self._used)) + "\n")


@contextmanager
def remembering(file: Path | None) -> Iterator[None]:
    """Within, this process has such a hasher; where there is no file, the usual one."""
    if file is None:
        yield
        return
    before = hashing.hasher
    hasher = hashing.hasher = RememberingHasher(before, file)
    try:
        yield
        hasher.keep()
    finally:
        hashing.hasher = before


def _mark(made: str | bytes, password: str | bytes) -> str:
    key, text = (one.encode() if isinstance(one, str) else one for one in (password, made))
    return hmac.new(key, text, _DIGEST).hexdigest()
