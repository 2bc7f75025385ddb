"""Passwords: argon2id, and the same time spent on a username that nobody has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from service.kernel.errors import Unavailable

SHORTEST: Final = 8


LONGEST: Final = 200
_RETRY: Final = {"Retry-After": "1"}


@dataclass(slots=True)
class _Hashing:
    hasher: PasswordHasher


hashing: Final = _Hashing(PasswordHasher())
"""argon2-cffi's defaults (RFC 9106, low memory: 64 MiB, 3 passes); tests put in a cheaper one."""


_WAIT_SECONDS: Final = 1.0
_MOST_WAITING: Final = 2
_turn: Final = threading.Lock()
_places: Final = threading.Semaphore(1 + _MOST_WAITING)
"""One who hashes, and who waits: the other threads of the process are for other requests."""


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Around the hashing of a request: 64 MiB and a core for a process, not for each thread.

    Raises `Unavailable` when it would take more than a second to get there. Not for commands,
    which have time.
    """
    if not _places.acquire(blocking=False):
        raise Unavailable(headers=_RETRY)
    try:
        if not _turn.acquire(timeout=_WAIT_SECONDS):
            raise Unavailable(headers=_RETRY)
        try:
            yield
        finally:
            _turn.release()
    finally:
        _places.release()


def hash_password(password: str) -> str:
    """The argon2id hash to keep."""
    return hashing.hasher.hash(password)


def password_matches(secret: str | None, password: str) -> bool:
    """Whether the password is the one of this hash.

    Where there is no account, hence no hash, another one is checked and the answer is no: the
    time taken does not tell which usernames exist.
    """
    try:
        hashing.hasher.verify(secret or _nobodys_hash(hashing.hasher), password)
    except (Argon2Error, InvalidHashError):
        return False
    return secret is not None


def outdated(secret: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return hashing.hasher.check_needs_rehash(secret)


@cache
def _nobodys_hash(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")
