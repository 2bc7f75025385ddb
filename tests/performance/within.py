"""The same operations within this process: what they send to the database, and how fast that is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from service.app import create_app
from service.kernel.ids import new_id
from service.kernel.settings import load
from service.runtime import open_database
from tests.performance.floor import Renewed, rate, script
from tests.performance.operations import DEPARTMENT, Everybody, Operations, Talent
from tests.statements import Count, counted

SECONDS: Final = 10
MANY: Final = 1_000
"""A table with as many rows is big: nothing should read it from end to end."""
SETTLED: Final = 2.5  # seconds until the server has counted what idle connections did
_READ_WHOLE: Final = """
SELECT relname, coalesce(seq_tup_read, 0) FROM pg_stat_user_tables WHERE n_live_tup >= %s
"""
_PERSON: Final = "SELECT person_id FROM tickets WHERE id = %s"


class Counting(Operations):
    """Operations that are counted; the last time counts, when everything is warm."""

    def __init__(self, ask: Any) -> None:
        super().__init__(ask)
        self.counts: dict[str, Count] = {}

    def _timed(self, name: str, method: str, path: str, **options: Any) -> Any:
        with counted() as self.counts[name]:
            return super()._timed(name, method, path, **options)


@dataclass(frozen=True)
class Within:
    """Statements by operation; the rows of big tables read from end to end by all of them; and how
    many filings a second the database alone could do, by the number of clients."""

    statements: dict[str, int]
    read_whole: dict[str, int]
    floors: dict[int, float]


def measure(var: Path, everybody: Everybody, *, clients: Sequence[int]) -> Within:
    """The settings of the service in the folder have been read into the environment."""
    settings = load()
    database = open_database(settings)
    client = create_app(settings, database).test_client()

    def ask(method: str, path: str, **options: Any) -> Any:
        answer = client.open(f"/v1{path}", method=method, **options)
        assert answer.status_code < 400, answer.json
        return answer.json

    operations = Counting(ask)
    try:
        _everything(operations, everybody)
        before = read_whole(settings.database_owner_url)
        _everything(operations, everybody)
        after = read_whole(settings.database_owner_url)
        talent, since = everybody.talent(), new_id()
        written = var / "filing.sql"
        with psycopg.connect(settings.database_owner_url) as connection:
            filed = operations.file(talent)
            written.write_text(_script(operations, talent, filed, since, connection), "utf-8")
    finally:
        database.dispose()
    url = settings.database_url
    floors = {one: rate(url, written, clients=one, seconds=SECONDS) for one in clients}
    read = {table: rows - before.get(table, 0) for table, rows in after.items()}
    return Within(
        {name: count.total for name, count in operations.counts.items()},
        {table: rows for table, rows in sorted(read.items()) if rows},
        floors,
    )


def read_whole(url: str) -> dict[str, int]:
    """By big table, how many of its rows were read so far because it was read from end to end."""
    with psycopg.connect(url, autocommit=True) as connection:
        time.sleep(SETTLED)
        return dict(connection.execute(_READ_WHOLE, (MANY,)).fetchall())


def _everything(operations: Operations, everybody: Everybody) -> None:
    talent, clerk = everybody.talent(), everybody.staff(f"clerk.{DEPARTMENT}")
    operations.follow(talent, operations.file(talent)["id"])
    operations.look(clerk)
    operations.take_next(clerk)
    operations.work(clerk)
    operations.look_after_employees(everybody.staff("agent.1"))


def _script(
    operations: Counting,
    talent: Talent,
    filed: dict[str, Any],
    since: Any,
    connection: psycopg.Connection[Any],
) -> str:
    (person,) = connection.execute(_PERSON, (filed["id"],)).fetchone() or (None,)
    renewed = Renewed(since, person, filed["number"], operations.key)
    signing_in, *rest = operations.counts["file five items"].sent
    return script([[signing_in], rest], renewed, connection)
