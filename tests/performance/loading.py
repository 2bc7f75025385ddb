"""Writing a great many rows at once: what is looked at for each row else, is looked at in the end.

Only a superuser may do so, and nobody else writes meanwhile. NOT NULL, CHECK and unique indexes
hold for every row as ever; foreign keys are verified by a query for each, and indexes that hold
nothing are made anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

_MEMORY: Final = ("work_mem", "maintenance_work_mem")
_PLENTY: Final = "512MB"
_INDEXES: Final = """
SELECT index.oid::regclass::text, replace(pg_get_indexdef(index.oid), ' ON ONLY ', ' ON ')
FROM pg_index JOIN pg_class index ON index.oid = indexrelid
WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique
"""
_FOREIGN_KEYS: Final = """
SELECT conname, conrelid::regclass::text, confrelid::regclass::text,
    array(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS key (number, place)
          JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place),
    array(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS key (number, place)
          JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY place)
FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])
"""


@contextmanager
def unguarded(connection: psycopg.Connection[Any], tables: Collection[str]) -> Iterator[None]:
    """Within the block no foreign key of these tables is looked at for each row.

    Then it is for all; raises `ValueError` where a row refers to none.
    """
    begin(connection)
    yield
    connection.execute("SET session_replication_role = origin")
    connection.commit()
    verify(connection, tables)


def begin(connection: psycopg.Connection[Any]) -> None:
    """From now on this connection looks at no foreign key, and no commit of it waits for a disk."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    connection.commit()


@contextmanager
def without_indexes(connection: psycopg.Connection[Any], tables: Collection[str]) -> Iterator[None]:
    """Within the block these tables have their unique indexes alone.

    One that is in the order of ids grows at its end, and costs little; one in another order would
    have each row find its place in it.
    """
    found = connection.execute(_INDEXES, ([*tables],)).fetchall()
    try:
        for name, _ in found:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
        connection.commit()
        yield
    finally:
        connection.rollback()
        with _memory(connection):
            for _, definition in found:
                connection.execute(definition)
                connection.commit()


def verify(connection: psycopg.Connection[Any], tables: Collection[str]) -> int:
    """Look at every foreign key of these tables, as PostgreSQL does where one is added.

    Returns how many there are; raises `ValueError` where a row refers to none.
    """
    found = connection.execute(_FOREIGN_KEYS, ([*tables],)).fetchall()
    with _memory(connection):
        for name, *key in found:
            broken = connection.execute(_without_parent(*key)).fetchone()
            if broken is not None:
                raise ValueError(f"{name}: {broken[0]} refers to no row")
    connection.commit()
    return len(found)


def _without_parent(
    child: str, parent: str, columns: Collection[str], referred: Collection[str]
) -> sql.Composed:
    ours = [sql.SQL("child.{}").format(sql.Identifier(one)) for one in columns]
    theirs = [sql.SQL("parent.{}").format(sql.Identifier(one)) for one in referred]
    pairs = zip(theirs, ours, strict=True)
    return sql.SQL(
        "SELECT child FROM {child} child WHERE {given} AND NOT EXISTS"
        " (SELECT FROM {parent} parent WHERE {same}) LIMIT 1"
    ).format(
        child=sql.SQL(child),
        parent=sql.SQL(parent),
        given=sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(one) for one in ours),
        same=sql.SQL(" AND ").join(sql.SQL("{} = {}").format(*pair) for pair in pairs),
    )


@contextmanager
def _memory(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Sorts and hashes of what millions of rows have."""
    for name in _MEMORY:
        connection.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), _PLENTY))
    yield
    for name in _MEMORY:
        connection.execute(sql.SQL("RESET {}").format(sql.Identifier(name)))
