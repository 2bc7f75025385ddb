"""Databases that a test of the migrations takes up and down, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.conftest import url_of

Columns = Mapping[str, Sequence[str]]
"""By table, some or all of its columns."""


@contextmanager
def empty_database(template: str = "template0") -> Iterator[str]:
    """A database of the owner's for the length of the block; yields its name.

    Without any table, or a copy of `template`, which nobody is connected to.
    """
    name = f"test_migrations_{uuid4().hex[:8]}"
    with psycopg.connect(url_of("superuser", "postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER talent_owner TEMPLATE {template}")
        admin.execute(f"GRANT CONNECT ON DATABASE {name} TO talent_app")
        try:
            yield name
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def asked(name: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url_of("superuser", name)) as connection:
        return connection.execute(statement, values or None).fetchall()


def columns(name: str) -> dict[str, list[str]]:
    """Every table that is no partition, with its columns; Alembic's own apart."""
    found: dict[str, list[str]] = {}
    query = """
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relname NOT LIKE 'alembic%' ORDER BY c.relname, a.attname
    """
    for table, column in asked(name, query):
        found.setdefault(table, []).append(column)
    return found


def content(name: str, of: Columns) -> dict[str, list[str]]:
    """Every row of these tables in these columns, as JSON, in an order that is always the same."""
    with psycopg.connect(url_of("superuser", name)) as connection:
        return {
            table: sorted(
                row[0]
                for row in connection.execute(
                    sql.SQL("SELECT to_jsonb(t)::text FROM (SELECT {} FROM {}) t").format(
                        sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table)
                    )
                )
            )
            for table, names in of.items()
        }


def common(first: Columns, second: Columns) -> dict[str, list[str]]:
    """What two versions of a schema both have."""
    return {
        table: [name for name in names if name in second[table]]
        for table, names in first.items()
        if table in second
    }
