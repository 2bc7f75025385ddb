"""Jobs: work that begins when, and only when, a transaction has committed.

A job is a row of procrastinate's tables, written through the session's own connection. It holds
ids alone. Which function runs it is the worker's business; here it is only a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import procrastinate
from procrastinate.jobs import Job
from sqlalchemy.orm import Session

DELIVER: Final = "deliver"

_deferrer: Final = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


class Queue(StrEnum):
    """Where jobs wait. The worker serves every queue by itself: none waits behind another."""

    TIMERS = "timers"
    DELIVERIES = "deliveries"
    OUTBOUND = "outbound"


def delivery(
    *, district: str, subscriber: str, queue: Queue, events: Sequence[str], ticket: str | None
) -> Job:
    """The job that hands events of a district to one subscriber.

    Those of one subscriber and ticket run one after another, in the order of their enqueueing,
    until they fail: see `lock_after_failure`.
    """
    return Job(
        task_name=DELIVER,
        queue=queue.value,
        lock=None if ticket is None else f"{subscriber}:{ticket}",
        queueing_lock=None,
        task_kwargs={"district": district, "subscriber": subscriber, "events": list(events)},
    )


def lock_after_failure(job_id: int | None) -> str:
    """The lock of a job that waits to be tried again: its own, so that nothing waits for it.

    procrastinate lets no job begin while an earlier one of its lock waits, however far in the
    future that one is scheduled (its issue 1599).
    """
    return f"retry:{job_id}"


def enqueue(session: Session, jobs: Sequence[Job]) -> None:
    """Enqueue jobs in the session's transaction, in one statement; none for no job."""
    if jobs:
        connection = session.connection().connection.driver_connection
        _deferrer.job_manager.batch_defer_jobs(list(jobs), connection=connection)
