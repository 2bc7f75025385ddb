"""Looking at the database as the application role, whatever the code would ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg

from service.kernel.db import Scope, ScopeKind
from tests.conftest import url_of


def scope_of_person(district: str, person: UUID, *family: UUID) -> Scope:
    """A talent's, with the family that they named."""
    return Scope(ScopeKind.PERSON, district, person, household=frozenset({person, *family}))


def scope_of_staff(district: str, account: UUID) -> Scope:
    """That of a member of staff."""
    return Scope(ScopeKind.STAFF, district, account=account)


@contextmanager
def as_application(
    database_name: str, *, kind: str | None = None, **scope: object
) -> Iterator[psycopg.Connection]:
    """A connection as the application role in a transaction of that scope, rolled back.

    Where no kind is stated it is a talent's for a `person`, the service's own for nobody.
    """
    kind = kind if kind is not None else "person" if scope.get("person") else "system"
    settings = {"household": scope.get("person", "")} | scope | {"kind": kind}
    with psycopg.connect(url_of("app", database_name)) as connection:
        connection.execute("SET ROLE talent_app")
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", (f"app.{name}", str(value)))
        yield connection
        connection.rollback()
