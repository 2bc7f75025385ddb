"""Rows that nothing reads before the commit: sent together, without waiting for each answer.

A filing writes rows of eight tables. One statement after the other, each is a trip to the server,
for which this process waits and the server sleeps and is woken. Sent in one go they are one trip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from service.kernel.db.columns import Base
from service.kernel.db.driver import forget_kept, keep_back, send_kept
from service.kernel.db.writing import prepared_insert


def insert_last(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, all with the same columns, before whatever the session does next, or commits.

    Rows without an id get one, as with `insert_rows`. They are sent in the order of the calls,
    together with what else was written so, before the next statement: none ever misses them. What
    the database refuses is raised there: not for rows whose refusal somebody expects.
    """
    if rows:
        keep_back(session.connection(), *prepared_insert(model, rows))


def send_in_time(engine: Engine, sessions: sessionmaker[Session]) -> None:
    """Have what is kept sent before anything else is done on its connection, and before a commit.

    Before the commit of a session, not of its connection: what fails then is rolled back.
    """
    for moment in ("before_cursor_execute", "savepoint", "release_savepoint"):
        event.listen(engine, moment, send_kept)
    for moment in ("rollback", "rollback_savepoint"):
        event.listen(engine, moment, forget_kept)
    event.listen(sessions, "before_commit", lambda session: send_kept(session.connection()))
