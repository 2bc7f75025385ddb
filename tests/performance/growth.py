"""What an operation costs the database when there is more and more in it.

    python -m tests.performance.growth

starts a whole service of its own and fills it to one size after the other. At each it captures what
each operation of a day sends (`operations`), sends it again and again with pgbench, and counts the
pages (buffers) that one of them touches, found in memory or not, the database's time of the
processor, and how long it takes. Pages do not depend on what else runs on the machine.

The worker rests all the time, and nothing is vacuumed but after each filling.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from flask.testing import FlaskClient

from service.app import create_app
from service.kernel import clock
from service.kernel.settings import Settings
from service.local.postgres import bundled_binaries
from service.runtime import open_database
from tests.factories import citizen_id
from tests.performance import growth_report
from tests.performance.bench import running
from tests.performance.floor import measured
from tests.performance.operations import DEPARTMENT, FILING, Day, Everybody, Headers, Step, a_day
from tests.performance.processes import Processes
from tests.performance.volume import (
    District,
    Filled,
    analyze,
    counted,
    nobody_else,
    settings_of,
    superuser_url,
)
from tests.performance.wire import Request
from tests.performance.within import Found, through

ROOT: Final = Path(__file__).resolve().parents[2]
SIZES: Final = (10_000, 30_000, 100_000, 300_000)
PAGE: Final = 25
DEEP: Final = 2_000
"""The page that should cost what the first one costs."""
_MOST_AT_ONCE: Final = 100
_NUMBERS: Final = 27_000  # of different people are there in `citizen_id`
_REQUESTS: Final = 3  # of each kind, of which the last is captured
_RUNS: Final = 3  # of a second each, of which the best counts
_RUNS_AT_ONCE: Final = 6  # of what can only be sent before the next request
_FEW, _MANY = 20, 120
"""Between so many and so many transactions pages are counted: a connection's first ones, in which
it reads the catalog, are in both.
"""
_COUNTED: Final = 3  # times each, of which the least counts
_TOUCHED: Final = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = %s"
_BUSY: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'pgbench' OR datname = %s AND backend_type = 'autovacuum worker'
"""


@dataclass(frozen=True)
class Cost:
    """Pages that one operation touches, and what it takes: of the processor, by the clock."""

    pages: float
    cpu_ms: float
    p50_ms: float


class Counting:
    """Counts what a database does, over a connection to another one."""

    def __init__(self, settings: Settings, superuser_url: str, processes: Processes) -> None:
        self._processes = processes
        self._url = settings.database_url
        self._name = urlsplit(superuser_url).path.removeprefix("/")
        elsewhere = urlsplit(superuser_url)._replace(path="/postgres").geturl()
        self._connection = psycopg.connect(elsewhere, autocommit=True)

    def pages(self, script: str) -> float:
        """Touched by a script of `floor` whenever it is done.

        The server counts for a whole database, and what it does there by itself counts too: so
        autovacuum is waited for, and as it can only add, the least of several counts is taken.
        """
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "script.sql"
            file.write_text(script, "utf-8")
            few, many = (
                min(self._touched(file, number) for _ in range(_COUNTED))
                for number in (_FEW, _MANY)
            )
        return (many - few) / (_MANY - _FEW)

    def timed(self, script: str) -> tuple[float, float]:
        """Milliseconds of the processor and, the median, of the clock; in a second."""
        before = self._used()
        done = measured(self._url, script, clients=1, seconds=1)
        return (self._used() - before) / done.per_second * 1000, done.p50_ms

    def _used(self) -> float:
        """Seconds of the processor so far, by those too who have left."""
        self._wait()
        return self._processes.seconds()["postgres"]

    def _touched(self, file: Path, transactions: int) -> int:
        command = [
            bundled_binaries() / "bin" / "pgbench", "--no-vacuum", "--protocol=prepared",
            f"--file={file}", "--client=1", f"--transactions={transactions}",
            f"--define=i={transactions * 100_000}", self._url,
        ]  # fmt: skip
        self._wait()
        before = self._so_far()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        self._wait()
        return self._so_far() - before

    def _wait(self) -> None:
        """What pgbench and an autovacuum have used is known when they have left."""
        while self._one(_BUSY, self._name):
            time.sleep(0.01)
        time.sleep(0.1)

    def _so_far(self) -> int:
        return self._one(_TOUCHED, self._name)

    def _one(self, query: str, *values: Any) -> int:
        row = self._connection.execute(query, values).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within the block nothing is vacuumed by itself."""
        self._connection.execute("ALTER SYSTEM SET autovacuum = off")
        self._connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self._connection.execute("ALTER SYSTEM RESET autovacuum")
            self.close()

    def close(self) -> None:
        """Nothing is counted any more."""
        self._connection.close()


@dataclass(frozen=True)
class Size:
    """What there is, what it took to make the copies among it, and what operations cost in it.

    `deep`: by list how many rows lie before the deep page that was read.
    """

    rows: dict[str, int]
    copies: int
    bytes: int
    seconds: dict[str, float]
    costs: dict[str, Cost]
    deep: dict[str, int]


def grown(var: Path, sizes: Sequence[int], *, processes: int) -> Iterator[Size]:
    """Fill the service of a folder, which runs, to one size after the other, and measure.

    What has more than that already is measured as it is.
    """
    with nobody_else(var):
        settings = settings_of(var)
        url = superuser_url(var, settings.database_owner_url)
        with psycopg.connect(url, autocommit=True) as admin:
            there = _one(admin, "SELECT count(*) FROM tickets")
            district = District(var) if max(sizes) > there else None
            pids = json.loads((var / "up.json").read_text("utf-8"))["pids"]
            counting, database = Counting(settings, url, Processes(pids)), open_database(settings)
            client = create_app(settings, database).test_client()
            everybody = Everybody(client, (var / "demo-password").read_text().strip())
            if there:  # by former runs, whose people have the first numbers
                for _ in range(random.randrange(_NUMBERS)):
                    citizen_id()
            with counting.alone():
                through(_newest(everybody), client, admin)
                for size in sizes:
                    copies = max(0, size - _one(admin, "SELECT count(*) FROM tickets"))
                    filled = _filled(district, copies, processes, admin)
                    yield _measured(filled, copies, client, everybody, counting, admin)
            database.dispose()


def _filled(
    district: District | None, copies: int, processes: int, admin: psycopg.Connection[Any]
) -> Filled:
    if district is not None and copies:
        return district.copy(copies, processes=processes)
    analyze(admin)
    return Filled(counted(admin), {})


def _measured(
    filled: Filled,
    copies: int,
    client: FlaskClient,
    everybody: Everybody,
    counting: Counting,
    admin: psycopg.Connection[Any],
) -> Size:
    deep: dict[str, int] = {}
    seen: list[_Seen] = []

    def again() -> None:
        """Time what was seen so far: before rows that were written and undone lie in its way."""
        for _ in range(_RUNS - 1):
            for one in seen:
                if len(one.times) < _RUNS:
                    one.times.append(counting.timed(one.script))

    def replay(found: Found) -> None:
        if not found.several:
            again()
        script = undone(found.script) if found.name == FILING else found.script
        one = _Seen(found.name, script, counting.pages(script), [counting.timed(script)])
        seen.append(one)
        if not found.several:  # the next request changes what it found
            one.times.extend(counting.timed(script) for _ in range(_RUNS_AT_ONCE - 1))

    size = _one(admin, "SELECT pg_database_size(current_database())")
    through(_a_day_and_deep_pages(everybody, deep), client, admin, replay)
    again()
    costs = {one.name: one.cost for one in seen}
    return Size(filled.rows, copies, size, filled.seconds, costs, deep)


@dataclass(frozen=True)
class _Seen:
    """A script, the pages it touches, and the times of its runs, as far apart as can be: somebody
    else may have work for the machine for some seconds.
    """

    name: str
    script: str
    pages: float
    times: list[tuple[float, float]]

    @property
    def cost(self) -> Cost:
        taken, clock_ms = (min(some) for some in zip(*self.times, strict=True))
        return Cost(round(self.pages, 1), round(taken, 3), round(clock_ms, 3))


def _newest(everybody: Everybody) -> Day:
    """Filings that fill the first page of every list of what is new: else it would have other
    tickets at each size, as a few are filed at each.
    """
    yield next(a_day(everybody, PAGE + 1, clients=False))


def undone(script: str) -> str:
    """Nothing of it stays: the next size is not to hold filings whose seals do not open."""
    within = script.replace("BEGIN;", "BEGIN;\nSAVEPOINT before;")
    return within.replace("COMMIT;", "ROLLBACK TO before;\nCOMMIT;")


def _a_day_and_deep_pages(everybody: Everybody, deep: dict[str, int]) -> Day:
    clerk = everybody.staff(f"clerk.{DEPARTMENT}")
    yield from deep_page("desk list", "/desk/tasks?", clerk, deep)
    yield from deep_page(
        "employees' requests", "/enterprise/requests?", everybody.staff("agent.1"), deep
    )
    yield from a_day(everybody, _REQUESTS, clients=False)


def deep_page(
    name: str, path: str, who: Headers, deep: dict[str, int]
) -> Generator[Step, list[Any], None]:
    """Page `DEEP` of a list or, where there are less, the last that is full."""
    before, after, cursor = 0, "", ""
    while before < (DEEP - 1) * PAGE:
        limit = min(_MOST_AT_ONCE, (DEEP - 1) * PAGE - before)
        (page,) = yield Step("", [Request("GET", f"{path}limit={limit}{after}", who)])
        if page["next"] is None:
            break
        before, cursor = before + limit, after
        after = f"&after={page['next']}"
    if page["next"] is None:  # the page before is the last one known to be full
        before, after = max(before - _MOST_AT_ONCE, 0), cursor
    deep[name] = before
    first, far = (Request("GET", f"{path}limit={PAGE}{one}", who) for one in ("", after))
    yield Step(f"{name}, page 1", [first] * _REQUESTS)
    yield Step(f"{name}, deep page", [far] * _REQUESTS)


def _one(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="talent-growth-") as folder:
        yield Path(folder)


def main() -> None:
    """Measure, print, and keep the report in `var/bench` as JSON and Markdown, and a plot."""
    asked = argparse.ArgumentParser(description="What an operation costs at one size and another.")
    asked.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="in tickets")
    asked.add_argument("--processes", type=int, default=2, help="that write copies")
    asked.add_argument("--plot", type=Path, help="write the plot there too")
    asked.add_argument("--var", type=Path, help="a folder for the service, which then stays")
    chosen = asked.parse_args()
    target = ROOT / "var" / "bench" / f"{clock.now():%Y-%m-%dT%H%M%S}-growth"
    target.parent.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    found: dict[str, Any] = {
        "commit": commit, "at": clock.now().isoformat(), "cores": os.cpu_count(), "sizes": []
    }  # fmt: skip
    with _folder(chosen.var) as var, running(var):
        for size in grown(var, sorted(chosen.sizes), processes=chosen.processes):
            found["sizes"].append(asdict(size))
            target.with_suffix(".json").write_text(json.dumps(found, indent=2))
            target.with_suffix(".md").write_text(growth_report.markdown(found))
    print(growth_report.markdown(found))
    for plot in filter(None, (target.with_suffix(".svg"), chosen.plot)):
        plot.write_text(growth_report.plot(found), "utf-8")


if __name__ == "__main__":
    main()
