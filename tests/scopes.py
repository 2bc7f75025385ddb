"""Looking at the database as the application role, whatever the code would ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.conftest import url_of


@contextmanager
def as_application(database_name: str, **scope: object) -> Iterator[psycopg.Connection]:
    """A connection as the application role in a transaction of that scope, rolled back."""
    with psycopg.connect(url_of("app", database_name)) as connection:
        connection.execute("SET ROLE talent_app")
        for name, value in scope.items():
            connection.execute("SELECT set_config(%s, %s, true)", (f"app.{name}", str(value)))
        yield connection
        connection.rollback()
