"""Sealing of sensitive values, and exact search over them.

A sealed value is `0x01 | length of key id | key id | 12-byte nonce | AES-256-GCM ciphertext`. Its
additional data binds it to table, column, row and key, so a ciphertext copied to another row or
column does not open. A blind index is an HMAC-SHA-256 under a key of its own: equal values are
found, nothing else is learnt. Normalise before indexing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.kernel.keys import Keys

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12


class SealBroken(Exception):
    """A sealed value does not open: it was changed, moved to another row, or its key is gone."""


class Keyring:
    """Seals with the active key, opens with whichever key a value names."""

    def __init__(self, keys: Keys) -> None:
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.data.items()}
        self._active = keys.active_data
        self._index_key = keys.index

    def seal(self, value: str, *, table: str, column: str, row: UUID) -> bytes:
        """Encrypt `value` for one place."""
        kid = self._active.encode()
        nonce = os.urandom(_NONCE_BYTES)
        place = _place(table, column, row, self._active)
        sealed = self._ciphers[self._active].encrypt(nonce, value.encode(), place)
        return _VERSION + bytes((len(kid),)) + kid + nonce + sealed

    def unseal(self, sealed: bytes, *, table: str, column: str, row: UUID) -> str:
        """Decrypt a value from the place it was sealed for; raises `SealBroken`."""
        broken = SealBroken(f"{table}.{column} of {row} does not open")
        if sealed[:1] != _VERSION:
            raise broken
        try:
            end = 2 + sealed[1]
            kid = sealed[2:end].decode()
            nonce, body = sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :]
            place = _place(table, column, row, kid)
            return self._ciphers[kid].decrypt(nonce, body, place).decode()
        except (InvalidTag, KeyError, IndexError, ValueError):
            raise broken from None

    def blind(self, value: str, *, purpose: str) -> bytes:
        """The blind index of a normalised value; another purpose gives another index."""
        return hmac.digest(self._index_key, f"{purpose}|{value}".encode(), hashlib.sha256)


def _place(table: str, column: str, row: UUID, kid: str) -> bytes:
    return f"{table}|{column}|{row}|{kid}".encode()


_keyring: Keyring | None = None


def use(keyring: Keyring) -> None:
    """Hand the process its keyring; done once, at start."""
    global _keyring  # noqa: PLW0603 - a process has one set of keys
    _keyring = keyring


def keyring() -> Keyring:
    """The keyring of this process; raises `RuntimeError` before `use`."""
    if _keyring is None:
        raise RuntimeError("no keyring: kernel.crypto.use() was not called at start")
    return _keyring


def seal(value: str, *, table: str, column: str, row: UUID) -> bytes:
    """`Keyring.seal` with the keyring of this process."""
    return keyring().seal(value, table=table, column=column, row=row)


def unseal(sealed: bytes, *, table: str, column: str, row: UUID) -> str:
    """`Keyring.unseal` with the keyring of this process."""
    return keyring().unseal(sealed, table=table, column=column, row=row)


def blind(value: str, *, purpose: str) -> bytes:
    """`Keyring.blind` with the keyring of this process."""
    return keyring().blind(value, purpose=purpose)
