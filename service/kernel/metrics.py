"""What a process counts about itself, and what is asked of the database when somebody looks.

Labels are routes, codes and names of the code, never an id or a value of a person.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from weakref import WeakSet

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from service.kernel import logs, subscriptions
from service.kernel.db import Database, Scope, districts
from service.kernel.db.driver import STATEMENTS
from service.kernel.deliveries import DeadDelivery
from service.kernel.jobs import Queue

_LOG: Final = logs.logger("metrics")
_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_OWN: Final = CollectorRegistry()
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_REQUESTS: Final = Histogram(
    "talent_request_seconds",
    "Time to answer a request, by method, route template and class of status.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_OWN,
)
_OWN.register(STATEMENTS)
_POOL_SIZE: Final = Gauge(
    "talent_db_pool_size",
    "Connections that the pools may open.",
    registry=_OWN,
    multiprocess_mode="livesum",
)
_POOL_IN_USE: Final = Gauge(
    "talent_db_pool_in_use",
    "Connections that are in use.",
    registry=_OWN,
    multiprocess_mode="livesum",
)
_watched: Final[WeakSet[Engine]] = WeakSet()


def observe_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count one request; a path that no route has counts as the route `none`."""
    known = method if method in _METHODS else "other"
    _REQUESTS.labels(known, route or "none", f"{status // 100}xx").observe(seconds)


def watch(database: Database) -> None:
    """Count the statements and connections of a pool from now on; a second time changes nothing."""
    engine = database.engine
    if engine in _watched:
        return
    _watched.add(engine)
    _POOL_SIZE.inc(engine.pool.size())  # type: ignore[attr-defined]  # a QueuePool
    event.listen(engine, "after_cursor_execute", lambda *_: STATEMENTS.inc())
    event.listen(engine, "checkout", lambda *_: _POOL_IN_USE.inc())
    event.listen(engine, "checkin", lambda *_: _POOL_IN_USE.dec())


def begin_process() -> None:
    """Say anew what was said before this process was forked, where it was said for another."""
    _POOL_SIZE.set(sum(engine.pool.size() for engine in _watched))  # type: ignore[attr-defined]


def exposition(database: Database, *, at: datetime) -> bytes:
    """Everything in Prometheus' text format; of all processes where they share a folder.

    The folder is PROMETHEUS_MULTIPROC_DIR; `config/gunicorn.conf.py` makes it.
    """
    registry = CollectorRegistry()
    if _FOLDER in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(_OWN)
    registry.register(_Stored(database, at))
    try:
        return generate_latest(registry)
    except FileNotFoundError:  # a process has ended while its file was to be read
        return generate_latest(registry)


def forget_process(pid: int) -> None:
    """Add what a process has counted that has ended to one file for all of them.

    Its connections count no longer. Without it the folder, and the time to read it, would grow
    with every process that gunicorn replaces. Called by gunicorn's master alone.
    """
    mark_process_dead(pid)
    for kind in ("counter", "histogram"):
        sums, new, own = (
            Path(os.environ[_FOLDER], f"{kind}_{name}") for name in ("0.db", "0.new", f"{pid}.db")
        )
        if own.exists():
            shutil.copy(sums if sums.exists() else own, new)
            if sums.exists():
                _add(own, to=new)
            new.replace(sums)
            own.unlink()


def _add(file: Path, *, to: Path) -> None:
    sums = MmapedDict(str(to))
    for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):
        sums.write_value(key, sums.read_value(key)[0] + value, 0.0)
    sums.close()


# The oldest delivery of each queue that nobody has finished: waiting, running or to be retried.
_LAG: Final = text("""
SELECT job.queue_name, extract(epoch FROM now() - min(event.at))
FROM procrastinate_jobs AS job JOIN procrastinate_events AS event ON event.job_id = job.id
WHERE job.task_name = 'deliver' AND job.status IN ('todo', 'doing') AND event.type = 'deferred'
GROUP BY job.queue_name
""")
# What was enqueued last, by the clock of the worker that enqueued it.
_TIMERS: Final = text("""
SELECT defer_timestamp, now() FROM procrastinate_periodic_defers WHERE task_name = 'run_timers'
ORDER BY id DESC LIMIT 1
""")


class _Stored(Collector):
    """What stands in the database at `at`; a database that is away is said and not raised."""

    def __init__(self, database: Database, at: datetime) -> None:
        self._database = database
        self._at = at

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            found = list(self._asked())
        except SQLAlchemyError as error:
            _LOG.warning("metrics_without_database", cause=type(error).__name__)
            found = []
        up = GaugeMetricFamily("talent_database_up", "Whether the database answers.")
        up.add_metric([], 1 if found else 0)
        yield up
        yield from found

    def _asked(self) -> Iterator[GaugeMetricFamily]:
        with self._database.transaction(Scope.system()) as session:
            lags = session.execute(_LAG).all()
            timers = session.execute(_TIMERS).one_or_none()
        lag = GaugeMetricFamily(
            "talent_outbox_lag_seconds", "Age of the oldest delivery not done.", labels=["queue"]
        )
        idle = dict.fromkeys((Queue.DELIVERIES.value, Queue.OUTBOUND.value), 0)
        for queue, seconds in (idle | {row[0]: row[1] for row in lags}).items():
            lag.add_metric([queue], float(seconds))
        yield lag
        if timers is not None:
            yield GaugeMetricFamily(
                "talent_timer_lag_seconds",
                "Since when the timers were due the last time that they could be enqueued.",
                value=max(0.0, self._at.timestamp() - timers.defer_timestamp),
            )
            yield GaugeMetricFamily(
                "talent_worker_clock_ahead_seconds",
                "How far the clock of the worker that enqueued the timers last is ahead of the"
                " database's, at least.",
                value=max(0.0, timers.defer_timestamp - timers.now.timestamp()),
            )
        dead = GaugeMetricFamily(
            "talent_dead_deliveries", "Deliveries whose tries have ended.", labels=["subscriber"]
        )
        for subscriber, count in self._dead().items():
            dead.add_metric([subscriber], count)
        yield dead

    def _dead(self) -> dict[str, int]:
        """By subscriber, over all districts; row-level security shows one district at a time."""
        counts = dict.fromkeys(subscriptions.in_use().by_name, 0)
        query = select(DeadDelivery.subscriber, func.count()).group_by(DeadDelivery.subscriber)
        for district in districts(self._database):
            with self._database.transaction(Scope.system(district)) as session:
                for subscriber, count in session.execute(query):
                    counts[subscriber] = counts.get(subscriber, 0) + count
        return counts
