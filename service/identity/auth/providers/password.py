"""Passwords: argon2id, and the same time spent on a username that nobody has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST: Final = 8


LONGEST: Final = 200


@dataclass(slots=True)
class _Hashing:
    hasher: PasswordHasher


hashing: Final = _Hashing(PasswordHasher())
"""argon2-cffi's defaults (RFC 9106, low memory: 64 MiB, 3 passes); tests put in a cheaper one."""


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
