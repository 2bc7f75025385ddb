"""Rows that nothing reads before the commit: sent together, without waiting for each answer.

A filing writes rows of eight tables. One statement after the other, each is a trip to the server,
for which this process waits and the server sleeps and is woken. Sent in one go they are one trip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, event, exc
from sqlalchemy.orm import Session, sessionmaker

from service.kernel.db.columns import Base
from service.kernel.db.writing import prepared_insert

_UNSENT: Final = "unsent"


def insert_last(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, all with the same columns, before whatever the session does next, or commits.

    Rows without an id get one, as with `insert_rows`. They are sent in the order of the calls,
    together with what else was written so, before the next statement: none ever misses them. What
    the database refuses is raised there: not for rows whose refusal somebody expects.
    """
    if rows:
        connection = session.connection()
        connection.info.setdefault(_UNSENT, []).append(prepared_insert(connection, model, rows))


def send_in_time(engine: Engine, sessions: sessionmaker[Session]) -> None:
    """Have what is kept sent before anything else is done on its connection, and before a commit.

    Before the commit of a session, not of its connection: what fails then is rolled back.
    """
    for moment in ("before_cursor_execute", "savepoint", "release_savepoint"):
        event.listen(engine, moment, _send)
    for moment in ("rollback", "rollback_savepoint"):
        event.listen(engine, moment, _forget)
    event.listen(sessions, "before_commit", lambda session: _send(session.connection()))


def _send(connection: Connection, *_: object) -> None:
    unsent = connection.info.pop(_UNSENT, ())
    if unsent:
        with _one_trip(connection) if len(unsent) > 1 else nullcontext():
            for text, values in unsent:
                connection.exec_driver_sql(text, values)


def _forget(connection: Connection, *_: object) -> None:
    if not connection.invalidated:  # else it is gone, with all that it kept
        connection.info.pop(_UNSENT, None)


@contextmanager
def _one_trip(connection: Connection) -> Iterator[None]:
    """Within the block no answer of a statement is awaited; leaving it awaits them all.

    What is wrong with one of them is raised then, as for any other statement.
    """
    driver: Any = connection.connection.driver_connection
    try:
        with driver.pipeline():
            yield
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        raise exc.DBAPIError.instance(
            None, None, error, psycopg.Error, dialect=connection.dialect
        ) from error
