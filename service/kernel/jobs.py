"""Jobs: work that begins when, and only when, a transaction has committed.

A job is a row of procrastinate's tables, written through the session's own connection. It holds
ids alone. Which function runs it is the worker's business; here it is only a name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import procrastinate
from procrastinate.jobs import Job
from sqlalchemy import text
from sqlalchemy.orm import Session

DELIVER: Final = "deliver"

_deferrer: Final = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


class Queue(StrEnum):
    """Where jobs wait. The worker serves every queue by itself: none waits behind another."""

    TIMERS = "timers"
    ALARMS = "alarms"
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


@dataclass(frozen=True, slots=True)
class Begun:
    """A delivery that a worker has begun."""

    id: int
    events: Sequence[str]


# What procrastinate_fetch_job_v2 does for one job: the first of its lock that waits, while none of
# that lock runs. The worker is that of the job which takes these along, so that they count as
# stalled when it does. Of however many that wait a part is looked at, once, in the order of ids,
# where whatever comes before a job is seen with it; asking for each job whether there is another
# of its lock reads all of them for each. What has failed has a lock of its own, and is passed over.
_TAKE_ALONG: Final = text("""
WITH line AS MATERIALIZED (
    SELECT id, lock, status, queue_name, attempts, scheduled_at FROM procrastinate_jobs
    WHERE status IN ('todo', 'doing') AND task_name = :task
        AND args ->> 'district' = :district AND args ->> 'subscriber' = :subscriber
        AND lock IS DISTINCT FROM 'retry:' || id
    ORDER BY id LIMIT 5 * :most
), turns AS MATERIALIZED (
    SELECT id, queue_name = :queue AND attempts = 0 AND scheduled_at IS NULL
        AND id = min(id) OVER same AND NOT bool_or(status = 'doing') OVER same AS is_next
    FROM line WINDOW same AS (PARTITION BY coalesce(lock, id::text))
), waiting AS (
    SELECT id FROM procrastinate_jobs
    WHERE status = 'todo' AND id = ANY(ARRAY(SELECT id FROM turns WHERE is_next))
    ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
)
UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker
WHERE id = ANY(ARRAY(SELECT id FROM waiting))
RETURNING id, args -> 'events' AS events
""")
_FINISH: Final = text("DELETE FROM procrastinate_jobs WHERE id = ANY(:ids) AND status = 'doing'")
_RETRY: Final = text("SELECT procrastinate_retry_job_v2(:id, :at, NULL, NULL, :lock)")


def take_along(session: Session, job: Job, *, most: int) -> Sequence[Begun]:
    """Begin at most `most` deliveries that wait for the subscriber of one that runs; one statement.

    They are in its queue, of its district, and tried for the first time. Of each lock it is the one
    whose turn it is. Raises `IntegrityError` where another worker has just begun one of a lock.
    """
    about = {name: job.task_kwargs[name] for name in ("district", "subscriber")}
    asked = {"queue": job.queue, "task": DELIVER, "worker": job.worker_id, "most": most}
    rows = session.execute(_TAKE_ALONG, about | asked).all()
    return sorted((Begun(*row) for row in rows), key=lambda one: one.id)


def finish(session: Session, ids: Collection[int]) -> None:
    """Delete deliveries that were taken along and are done with; one statement, none for none."""
    if ids:
        session.execute(_FINISH, {"ids": list(ids)})


def retry(session: Session, job_id: int, *, at: datetime) -> None:
    """Let a delivery that was taken along wait to be tried again; one statement."""
    session.execute(_RETRY, {"id": job_id, "at": at, "lock": lock_after_failure(job_id)})
