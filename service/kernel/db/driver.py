"""What is sent past SQLAlchemy, on the driver's connection of a session.

Texts are PostgreSQL's own, with `$1` for a value: the driver looks for no placeholders in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import psycopg
from prometheus_client import Counter
from sqlalchemy import Connection, exc
from sqlalchemy.dialects.postgresql import psycopg as dialects

DIALECT: Final = dialects.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
"""Makes such texts out of SQLAlchemy's statements."""
STATEMENTS: Final = Counter(
    "talent_sql_statements", "SQL statements sent through the pool.", registry=None
)
"""Counted where they are sent; those that SQLAlchemy sends, `kernel.metrics` counts."""
_UNSENT: Final = "unsent"


def send(connection: Connection, text: str, values: Sequence[Any]) -> psycopg.RawCursor[Any]:
    """Run one statement, after whatever was kept back; raises as SQLAlchemy does.

    The answer is with the cursor, whole: it holds nothing open.
    """
    send_kept(connection)
    STATEMENTS.inc()
    with driver_of(connection) as driver:
        return psycopg.RawCursor(driver).execute(text, values)


def keep_back(connection: Connection, text: str, values: Sequence[Any]) -> None:
    """Have a statement, whose answer nobody wants, run before the next one or before the commit."""
    connection.info.setdefault(_UNSENT, []).append((text, values))


def send_kept(connection: Connection, *_: object) -> None:
    """Run what was kept back, in one trip: the answers are awaited together.

    What is wrong with one of them is raised then, as for any other statement.
    """
    kept = connection.info.pop(_UNSENT, ())
    if kept:
        STATEMENTS.inc(len(kept))
        with driver_of(connection) as driver, _one_trip(driver, len(kept)):
            for text, values in kept:
                psycopg.RawCursor(driver).execute(text, values)


def forget_kept(connection: Connection, *_: object) -> None:
    """Nothing of it is to be run any more."""
    if not connection.invalidated:  # else it is gone, with all that it kept
        connection.info.pop(_UNSENT, None)


@contextmanager
def driver_of(connection: Connection) -> Iterator[Any]:
    """The psycopg connection of a connection.

    What goes wrong within the block is raised as SQLAlchemy raises it: `exc.DBAPIError`. Where the
    connection is gone, so are those that wait in the pool, as a rule: none of them is used again.
    """
    driver: Any = connection.connection.driver_connection
    try:
        yield driver
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
            connection.engine.dispose()
        raise exc.DBAPIError.instance(
            None,
            None,
            error,
            psycopg.Error,
            connection_invalidated=driver.closed,
            dialect=connection.dialect,
        ) from error


def _one_trip(driver: Any, statements: int) -> Any:
    return driver.pipeline() if statements > 1 else nullcontext()
