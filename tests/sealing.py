"""Opening what is sealed, straight from the database, past every query of the service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from service.kernel import crypto
from service.kernel.crypto import PersonCipher


def opened(
    superuser: psycopg.Connection[Any], value: bytes, *, table: str, column: str, row: UUID
) -> str:
    """A sealed value of either format, from its place."""
    person = crypto.person_of(value)
    place: dict[str, Any] = {"table": table, "column": column, "row": row}
    if person is None:
        return crypto.unseal(value, **place)
    return cipher_of(superuser, person).unseal(value, **place)


def cipher_of(superuser: psycopg.Connection[Any], person: UUID) -> PersonCipher:
    """The key that a person has."""
    (wrapped,) = superuser.execute(
        "SELECT wrapped_key FROM person_keys WHERE person_id = %s", (person,)
    ).fetchone() or (b"",)
    return PersonCipher.of(person, crypto.keyring().unwrap(wrapped, person=person))
