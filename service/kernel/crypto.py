"""Sealing of sensitive values, and exact search over them.

A sealed value has one of two formats; its first byte says which:

    0x01 | length of key id | key id | 12-byte nonce | AES-256-GCM ciphertext
    0x02 | 16-byte person id | 12-byte nonce | AES-256-GCM ciphertext

The first is sealed under a master key of the key file: values that are of no person, and those
sealed before persons had keys. The second is sealed under the key of one person, which the
database keeps wrapped by a master key (`kernel.person_keys`). The additional data binds a value to
table, column, row and key or person, so a ciphertext copied to another row, column or person does
not open.

A blind index is an HMAC-SHA-256 under a key of its own: equal values are found, nothing else is
learnt. Normalise before indexing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.kernel.keys import KEY_BYTES, Keys

MASTER: Final = b"\x01"
PERSON: Final = b"\x02"
"""The first byte of a value sealed under a master key, and under the key of a person."""

_NONCE_BYTES: Final = 12
_UUID_BYTES: Final = 16
_HEAD: Final = 1 + _UUID_BYTES


class SealBroken(Exception):
    """A sealed value does not open: it was changed, moved to another row, or its key is gone."""


class Erased(Enum):
    """What opening returns for a value whose person's key was destroyed."""

    ERASED = "erased"


class Keyring:
    """The master keys: seals with the active key, opens with whichever key a value names."""

    def __init__(self, keys: Keys) -> None:
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.data.items()}
        self._active = keys.active_data
        self._index_key = keys.index

    @property
    def active(self) -> str:
        """The id of the key that new values and new person keys are sealed with."""
        return self._active

    def seal(self, value: str, *, table: str, column: str, row: UUID) -> bytes:
        """Encrypt `value` for one place."""
        return self._seal(value.encode(), table, column, row)

    def unseal(self, sealed: bytes, *, table: str, column: str, row: UUID) -> str:
        """Decrypt a value from the place it was sealed for; raises `SealBroken`."""
        try:
            return self._unseal(sealed, table, column, row).decode()
        except ValueError:
            raise _broken(table, column, row) from None

    def wrap(self, key: bytes, *, person: UUID) -> bytes:
        """Encrypt the key of a person with the active master key, in the first format."""
        return self._seal(key, "person_keys", "wrapped_key", person)

    def unwrap(self, wrapped: bytes, *, person: UUID) -> bytes:
        """The key of a person; raises `SealBroken`."""
        return self._unseal(wrapped, "person_keys", "wrapped_key", person)

    def blind(self, value: str, *, purpose: str) -> bytes:
        """The blind index of a normalised value; another purpose returns another index."""
        return hmac.digest(self._index_key, f"{purpose}|{value}".encode(), hashlib.sha256)

    def _seal(self, value: bytes, table: str, column: str, row: UUID) -> bytes:
        kid = self._active.encode()
        nonce = os.urandom(_NONCE_BYTES)
        place = _place(table, column, row, self._active)
        sealed = self._ciphers[self._active].encrypt(nonce, value, place)
        return MASTER + bytes((len(kid),)) + kid + nonce + sealed

    def _unseal(self, sealed: bytes, table: str, column: str, row: UUID) -> bytes:
        kid = master_of(sealed)
        if kid is None or kid not in self._ciphers:
            raise _broken(table, column, row)
        body = sealed[2 + sealed[1] :]
        return _opened(self._ciphers[kid], body, (table, column, row, kid))


@dataclass(frozen=True, slots=True)
class PersonCipher:
    """Seals and opens under the key of one person."""

    person: UUID
    _cipher: AESGCM

    @classmethod
    def of(cls, person: UUID, key: bytes) -> PersonCipher:
        """From the 32 bytes of a key."""
        return cls(person, AESGCM(key))

    def seal(self, value: str, *, table: str, column: str, row: UUID) -> bytes:
        """Encrypt `value` for one place."""
        nonce = os.urandom(_NONCE_BYTES)
        place = _place(table, column, row, self.person)
        return (
            PERSON + self.person.bytes + nonce + self._cipher.encrypt(nonce, value.encode(), place)
        )

    def unseal(self, sealed: bytes, *, table: str, column: str, row: UUID) -> str:
        """Decrypt a value of this person's from its place; raises `SealBroken`."""
        if person_of(sealed) != self.person:
            raise _broken(table, column, row)
        opened = _opened(self._cipher, sealed[_HEAD:], (table, column, row, self.person))
        try:
            return opened.decode()
        except ValueError:
            raise _broken(table, column, row) from None


def new_person_key() -> bytes:
    """32 random bytes."""
    return os.urandom(KEY_BYTES)


def master_of(sealed: bytes) -> str | None:
    """The id of the master key that a value names; None for a value of another format."""
    if sealed[:1] != MASTER:
        return None
    try:
        return sealed[2 : 2 + sealed[1]].decode()
    except (IndexError, ValueError):
        return None


def person_of(sealed: bytes) -> UUID | None:
    """Under whose key a value is sealed; None for a value of another format."""
    if sealed[:1] != PERSON or len(sealed) < _HEAD:
        return None
    return UUID(bytes=bytes(sealed[1:_HEAD]))


def _opened(cipher: AESGCM, body: bytes, place: tuple[str, str, UUID, object]) -> bytes:
    """What a nonce and the ciphertext behind it hold; raises `SealBroken`."""
    try:
        return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _place(*place))
    except (InvalidTag, ValueError):
        raise _broken(*place[:3]) from None


def _place(table: str, column: str, row: UUID, key: object) -> bytes:
    return f"{table}|{column}|{row}|{key}".encode()


def _broken(table: str, column: str, row: UUID) -> SealBroken:
    return SealBroken(f"{table}.{column} of {row} does not open")


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
    """`Keyring.seal` with the keyring of this process: for what is of no person."""
    return keyring().seal(value, table=table, column=column, row=row)


def unseal(sealed: bytes, *, table: str, column: str, row: UUID) -> str:
    """`Keyring.unseal` with the keyring of this process."""
    return keyring().unseal(sealed, table=table, column=column, row=row)


def blind(value: str, *, purpose: str) -> bytes:
    """`Keyring.blind` with the keyring of this process."""
    return keyring().blind(value, purpose=purpose)
