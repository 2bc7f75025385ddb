"""Jobs: work that begins when, and only when, a transaction has committed.

A job is a row of procrastinate's tables, written through the session's own connection. It holds
ids alone. Which function runs it is the worker's business; here it is only a name.
"""

from __future__ import annotations

from typing import Any, Final

import procrastinate
from sqlalchemy.orm import Session

DELIVER: Final = "deliver"

_deferrer: Final = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def defer(session: Session, task: str, *, lock: str | None = None, **arguments: Any) -> None:
    """Enqueue `task` in the session's transaction; jobs of one `lock` run one after another."""
    connection = session.connection().connection.driver_connection
    _deferrer.configure_task(task, lock=lock, connection=connection).defer(**arguments)
