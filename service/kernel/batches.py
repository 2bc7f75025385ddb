"""Delivering in batches: what waits for the same subscriber goes along with a job that runs.

A job costs some ten statements before and after its handler is called, whoever calls it. A job
whose subscriber takes several events at once (`Inside.together`) therefore takes along others that
wait, of other tickets, and all their events are handed over in one transaction, which marks each of
them as handled and deletes the jobs that were taken along.

Nothing depends on the batch: where it fails, for whatever reason, every job of it is handed over by
itself, as `kernel.deliveries` does it, and only what fails then is tried again, alone from then on.
What was taken along is marked as begun by the worker of the job that took it, in a transaction that
has committed before anything is handed over. So where the worker dies all of it counts as tried,
and whatever kills a worker does not come back in a batch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from procrastinate.jobs import Job
from sqlalchemy.exc import IntegrityError

from service.kernel import clock, deliveries, jobs, logs, subscriptions
from service.kernel.db import Database, Scope
from service.kernel.jobs import Begun
from service.kernel.subscriptions import Inside, wait_after

MOST: Final = 200
"""How many jobs are taken along at most. More make a batch not cheaper, only longer."""

GATHERING: Final = 0.1
"""Seconds that a batch which is not full waits for company: far less than anybody notices, and at
sixty filings a second half a dozen share what one would cost."""

_LOG: Final = logs.logger("deliveries")


class Unsettled(Exception):
    """What became of jobs that were taken along could not be written, or is not known.

    They stay marked as begun by a worker that lives, so that nothing rescues them: it has to end.
    """


def deliver(database: Database, job: Job) -> None:
    """Deliver what a job names and, where its subscriber takes several events, what waits with it.

    Raises as `deliveries.deliver` does, for the job alone, and `Unsettled`.
    """
    subscription = _taking_several(job)
    if subscription is None:
        deliveries.deliver(database, **_asked(job), attempts=job.attempts)
        return
    along = _company(database, job)
    try:
        _hand_over_together(database, subscription, job, along)
    except Exception as error:  # noqa: BLE001 - whatever it is, each is then tried by itself
        _LOG.warning("batch_failed", jobs=1 + len(along), cause=type(error).__name__)
        _hand_over_singly(database, job, along)
        deliveries.deliver(database, **_asked(job), attempts=job.attempts)


def _taking_several(job: Job) -> Inside | None:
    """None too for a job that has failed before, or whose worker was killed: it stays alone."""
    found = subscriptions.in_use().by_name.get(str(job.task_kwargs.get("subscriber")))
    if job.attempts or not isinstance(found, Inside) or found.together is None:
        return None
    return found


def _company(database: Database, job: Job) -> Sequence[Begun]:
    """What goes along; where that is no full batch, with what comes within a moment."""
    along = list(_taken_along(database, job, MOST))
    if len(along) < MOST:
        time.sleep(GATHERING)
        along += _taken_along(database, job, MOST - len(along))
    return along


def _taken_along(database: Database, job: Job, most: int) -> Sequence[Begun]:
    session = database.open(_scope(job))
    try:
        try:
            along = jobs.take_along(session, job, most=most)
        except IntegrityError:
            return ()  # another worker was faster with one of them: the next job finds the others
        try:
            database.commit(session)
        except Exception as error:
            raise Unsettled from error
        return along
    finally:
        session.close()


def _hand_over_together(
    database: Database, subscription: Inside, job: Job, along: Sequence[Begun]
) -> None:
    """Six statements and those of the subscriber, however many events there are."""
    district, named = _asked(job)["district"], list(_asked(job)["events"])
    named += (event for one in along for event in one.events)
    with database.transaction(_scope(job)) as session:
        found = deliveries.events_of(session, district, named)
        wanted = [event for event in found if event.kind in subscription.kinds]
        new = deliveries.first_times(session, wanted, subscriber=subscription.name, at=clock.now())
        if new and subscription.together is not None:
            subscription.together(session, new)
        jobs.finish(session, [one.id for one in along])


def _hand_over_singly(database: Database, job: Job, along: Sequence[Begun]) -> None:
    """Each of those taken along as if it had come alone: what fails waits to be tried again."""
    failed = set()
    for one in along:
        try:
            deliveries.deliver(database, **_asked(job) | {"events": one.events})
        except Exception as error:  # noqa: BLE001 - the others must not wait for it
            _LOG.warning("delivery_failed", job=one.id, attempts=0, cause=type(error).__name__)
            failed.add(one.id)
    at = clock.now() + wait_after(0)
    try:
        with database.transaction(_scope(job)) as session:
            jobs.finish(session, [one.id for one in along if one.id not in failed])
            for job_id in sorted(failed):
                jobs.retry(session, job_id, at=at)
    except Exception as error:
        raise Unsettled from error


def _asked(job: Job) -> dict[str, Any]:
    """What `deliveries.deliver` is called with."""
    return dict(job.task_kwargs)


def _scope(job: Job) -> Scope:
    return Scope.system(_asked(job)["district"])
