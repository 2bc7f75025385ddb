"""What a worker gets done: `python -m tests.performance.worker_rates`.

A PostgreSQL of its own, with its defaults, is filled with copies of a ticket, and one real worker
is started on it (`talent worker`), with nothing else running. Measured are

- events a second: as many deliveries as there are copies wait when the worker starts;
- the lag of a delivery, from its commit to that of its effect, while filings come at a steady rate;
- silent acceptances a second, all overdue at once, each with the delivery that follows from it;
- what a decision takes a clerk while nothing else runs, and while the timers run.

Rates are taken between the first effect and the last: the start of the worker does not count.
`--json` prints what `bench` takes up.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import select

from service.app import create_app
from service.kernel import clock, deliveries, logs
from service.kernel.db import Database, Scope
from service.kernel.deliveries import Delivery
from service.kernel.keys import make_key_file
from service.kernel.settings import ROOT, load
from service.local import demonstration
from service.local.postgres import PostgresServer
from service.local.valkey import ValkeyServer
from service.routing.flow import Verdict
from service.runtime import open_database
from service.tickets.models.stages import Task
from service.worker import build
from tests.acting import bearer
from tests.factories import World
from tests.materials.handing_in import upload
from tests.papers import with_documents
from tests.performance.copies import Original, write
from tests.tickets.acting import DISTRICT, Acting

EVENTS: Final = 6000
TICKETS: Final = 1500
PER_SECOND: Final = 60
SECONDS: Final = 20
DECISIONS: Final = 300
LOOK: Final = 0.05
PATIENCE: Final = 900
SUBSCRIBER: Final = "applicant_notices"
CLERK: Final = "public_security"
LONG_AGO: Final = timedelta(days=60)
_PASSWORD: Final = "demonstration"
_HANDLED: Final = "SELECT count(*) FROM handled_events"
_DEEMED: Final = "SELECT count(*) FROM tasks WHERE deemed"
_OVERDUE: Final = "SELECT count(*) FROM tasks WHERE next_alarm_at < now()"
_FILED: Final = """
SELECT id, ticket_id FROM events WHERE kind = 'ticket_filed' AND ticket_id = ANY(%s)
"""
_LAGS: Final = """
SELECT extract(epoch FROM pg_xact_commit_timestamp(handled.xmin) - to_timestamp(sent.at))
FROM handled_events handled JOIN unnest(%s::uuid[], %s::float8[]) sent (id, at)
    ON sent.id = handled.event_id
"""


@dataclass
class Ground:
    """A service of its own: its database, somebody to file and to decide, copies of tickets."""

    folder: Path
    postgres: PostgresServer
    database: Database
    world: World
    admin: psycopg.Connection[Any]
    _regions: Iterator[int] = field(default_factory=lambda: iter(range(1, 999)))

    def acting(self, signed: Any) -> Acting:
        """Whoever is signed in, calling use cases directly."""
        token = signed.headers["Authorization"].removeprefix("Bearer ")
        return Acting(self.database, bearer(self.world.app.extensions["talent"], token))

    def copies(self, number: int, *, filed: datetime) -> list[UUID]:
        """So many tickets of two items, filed at a moment; returns their ids."""
        talent = self.world.talent()
        body = self.world.filing("settlement", "housing_rent")
        body = with_documents(body, lambda code: upload(talent, code=code)["id"])
        ticket = self.acting(talent).file(body, key=uuid4().hex, at=filed).ticket
        before = self.all("SELECT id FROM tickets")
        with psycopg.connect(self.postgres.superuser_url()) as connection:
            original = Original(connection, ticket.id, next(self._regions))
            write(connection, [original] * number)
        self.admin.execute("DELETE FROM procrastinate_jobs")
        self.admin.execute("VACUUM (ANALYZE)")
        return sorted({*self.all("SELECT id FROM tickets")} - {*before})

    def filed(self, tickets: list[UUID]) -> list[Delivery]:
        """The deliveries of the filings of some tickets."""
        rows = self.admin.execute(_FILED, (tickets,)).fetchall()
        return [Delivery(SUBSCRIBER, event, ticket) for event, ticket in rows]

    def enqueue(self, wanted: list[Delivery]) -> None:
        """In one transaction, a job for each."""
        with self.database.transaction(Scope.system(DISTRICT)) as session:
            deliveries.enqueue(session, district=DISTRICT, wanted=wanted)

    def all(self, query: str) -> list[Any]:
        return [row[0] for row in self.admin.execute(query).fetchall()]

    def one(self, query: str) -> int:
        return int(self.all(query)[0])

    def cpu(self) -> float:
        """Seconds of a processor that the server and its processes have used, ended ones too."""
        pid = int(_stat(self.one("SELECT pg_backend_pid()"))[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return cpu(pid, reaped=True) + sum(cpu(int(one)) for one in children)


@contextmanager
def ground() -> Iterator[Ground]:
    """Started for the run, and gone after it."""
    with tempfile.TemporaryDirectory(prefix="talent-worker-rates-") as name:
        folder = Path(name)
        settings = {"track_commit_timestamp": "on"}
        postgres = PostgresServer(folder / "postgres", folder / "pg.log", settings=settings)
        valkey = ValkeyServer(folder / "valkey.log")
        urls = postgres.start()
        valkey.start()
        try:
            make_key_file(folder / "keys.json")
            os.environ |= {
                "TALENT_ENV": "local",
                "TALENT_WECHAT_MODE": "demo",
                "TALENT_DEMO_PASSWORD": _PASSWORD,
                "TALENT_LIMIT_UPLOADS": "100000 per minute",
                "DATABASE_URL": urls.app,
                "DATABASE_OWNER_URL": urls.owner,
                "REDIS_URL": valkey.url,
                "TALENT_KEYS_FILE": str(folder / "keys.json"),
                "TALENT_STORAGE_DIR": str(folder / "files"),
            }
            demonstration.prepare(load())
            database = open_database(load())
            world = World(create_app(load(), database), _PASSWORD)
            with psycopg.connect(urls.superuser, autocommit=True) as admin:
                yield Ground(folder, postgres, database, world, admin)
            database.dispose()
        finally:
            valkey.stop()
            postgres.stop()


@contextmanager
def working(here: Ground) -> Iterator[subprocess.Popen[bytes]]:
    """One real worker."""
    with (here.folder / "worker.log").open("ab") as log:
        command = [sys.executable, "-m", "service.cli", "worker"]
        worker = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield worker
        finally:
            worker.terminate()
            worker.wait()


def rate_until(here: Ground, counted: str, done: Callable[[], bool]) -> float:
    """How many a second, by a statement that counts, from the first to the last of them."""
    before, patience = here.one(counted), time.monotonic() + PATIENCE
    first, at_first = 0.0, before
    while not done():
        if time.monotonic() > patience:
            raise SystemExit("the worker does not come to an end")
        if not first and (now := here.one(counted)) > before:
            first, at_first = time.perf_counter(), now
        time.sleep(LOOK)
    return (here.one(counted) - at_first) / (time.perf_counter() - first)


def no_delivery_waits(here: Ground) -> bool:
    return here.one("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'deliver'") == 0


def events_a_second(here: Ground, number: int) -> dict[str, float]:
    """So many deliveries wait, each of a ticket of its own."""
    here.enqueue(here.filed(here.copies(number, filed=clock.now())))
    at_rest = idle_worker()
    before = here.cpu()
    with working(here) as worker:
        rate = rate_until(here, _HANDLED, lambda: no_delivery_waits(here))
        spent = cpu(worker.pid) - at_rest
    return {
        "events_per_second": round(rate, 1),
        "worker_cpu_ms_per_event": round(1000 * spent / number, 3),
        "database_cpu_ms_per_event": round(1000 * (here.cpu() - before) / number, 3),
    }


def idle_worker() -> float:
    """What starting a worker costs, in seconds of a processor."""
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-c", "import service.cli, service.worker, service.runtime"]
        before = os.times()
        subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=True)
        after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def lag(here: Ground, rate: int, seconds: int) -> dict[str, float]:
    """Deliveries enqueued one by one, at a steady rate."""
    wanted = here.filed(here.copies(rate * seconds, filed=clock.now()))
    sent: dict[UUID, float] = {}
    with working(here) as worker:
        time.sleep(5)
        spent, started = cpu(worker.pid), clock.now().timestamp()
        for place, delivery in enumerate(wanted):
            time.sleep(max(0.0, started + place / rate - clock.now().timestamp()))
            here.enqueue([delivery])
            sent[delivery.event_id] = clock.now().timestamp()
        while not no_delivery_waits(here):
            time.sleep(LOOK)
        spent = cpu(worker.pid) - spent
    rows = here.admin.execute(_LAGS, (list(sent), list(sent.values()))).fetchall()
    lags = sorted(float(row[0]) for row in rows)
    return {
        "lag_p50_s": round(statistics.median(lags), 3),
        "lag_p99_s": round(lags[int(len(lags) * 0.99)], 3),
        "worker_cpu_share": round(spent / seconds, 3),
    }


def acceptances_a_second(here: Ground, number: int, workers: int) -> dict[str, float]:
    """All of them overdue, of two items each; and what decisions take before, meanwhile, after."""
    here.copies(2 * DECISIONS, filed=clock.now())
    here.copies(number, filed=clock.now() - LONG_AGO)
    here.admin.execute("CHECKPOINT")
    alone = deciding(here, lambda done: done < DECISIONS // 2)
    with ExitStack() as stack:
        processes = [stack.enter_context(working(here)) for _ in range(workers)]
        with build(load(), here.database).open() as app:
            for name in sorted({"run_timers", "help_timers_1"} & app.tasks.keys()):
                app.configure_task(name).defer(timestamp=0)
        while not here.one(_DEEMED):
            time.sleep(LOOK)
        first, at_first = time.perf_counter(), here.one(_DEEMED)
        before = sum(cpu(one.pid) for one in processes)
        beside = deciding(here, lambda _: here.one(_OVERDUE) > 0)
        rate = (here.one(_DEEMED) - at_first) / (time.perf_counter() - first)
        while not no_delivery_waits(here):
            time.sleep(LOOK)
        told = time.perf_counter() - first
        spent = sum(cpu(one.pid) for one in processes) - before
    alone += deciding(here, lambda done: done < DECISIONS // 2)
    return {
        "acceptances_per_second": round(rate, 1),
        "worker_cpu_ms_per_acceptance": round(1000 * spent / (2 * number - at_first), 2),
        "all_told_after_s": round(told, 1),
        "decisions_meanwhile": len(beside),
        "decision_p50_ms": round(statistics.median(alone), 1),
        "decision_p50_ms_meanwhile": round(statistics.median(beside), 1),
    }


def deciding(here: Ground, goes_on: Callable[[int], bool]) -> list[float]:
    """A clerk accepts one after the other; returns the milliseconds of each decision."""
    clerk = here.acting(here.world.staff(f"clerk.{CLERK}"))
    mine = select(Task.id).where(
        Task.department == CLERK,
        Task.status == "open",
        Task.kind == "acceptance",
        Task.due_at > clock.now(),
    )
    with here.database.transaction(Scope.system(DISTRICT)) as session:
        todo = iter(session.scalars(mine.order_by(Task.id)).all())
    times: list[float] = []
    while goes_on(len(times)):
        if (task := next(todo, None)) is None:
            time.sleep(LOOK)
            continue
        version = clerk.claim(task).version
        started = time.perf_counter()
        clerk.decide(task, version, Verdict.ACCEPT)
        times.append(1000 * (time.perf_counter() - started))
        time.sleep(0.02)
    return times


def cpu(pid: int, *, reaped: bool = False) -> float:
    """Seconds of a processor that a process has used, with those of its ended children if asked."""
    return sum(map(int, _stat(pid)[11 : 15 if reaped else 13])) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process: its state, its parent, … (proc(5), from the third on)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def measured(
    *, events: int, tickets: int, rate: int, seconds: int, workers: int
) -> dict[str, float]:
    """The whole run; what is asked for none of is left out."""
    with ground() as here:
        found: dict[str, float] = {}
        if events:
            found |= events_a_second(here, events)
        if rate:
            found |= lag(here, rate, seconds)
        if tickets:
            found |= acceptances_a_second(here, tickets, workers)
    return found


def told(found: Mapping[str, float]) -> Iterator[str]:
    """The figures, for people."""
    for name, value in found.items():
        yield f"{name.replace('_', ' '):32} {value:10}"


def main() -> None:
    asked = argparse.ArgumentParser(description="What a worker gets done.")
    asked.add_argument("--events", type=int, default=EVENTS)
    asked.add_argument("--tickets", type=int, default=TICKETS)
    asked.add_argument("--rate", type=int, default=PER_SECOND, help="deliveries a second")
    asked.add_argument("--seconds", type=int, default=SECONDS)
    asked.add_argument("--workers", type=int, default=1, help="that fire alarms")
    asked.add_argument("--json", action="store_true")
    wanted = vars(asked.parse_args())
    as_json = wanted.pop("json")
    logs.configure(30)
    found = measured(**wanted)
    print(json.dumps(found) if as_json else "\n".join(told(found)))


if __name__ == "__main__":
    main()
