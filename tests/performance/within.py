"""The same day within this process: what each request sends to the database, and its floor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from flask.testing import FlaskClient

from service.kernel.ids import new_id
from service.kernel.settings import Settings
from tests.performance.capture import captured
from tests.performance.floor import Floor, Renewed, measured, script
from tests.performance.operations import AT_ONCE, FILING, Day, Everybody, a_day
from tests.performance.wire import Request

SECONDS: Final = 4
MANY: Final = 1_000
"""A table with as many rows is big: nothing should read it from end to end."""
_NUMBER: Final = 3  # requests of each kind, of which the last is captured
_SETTLED: Final = 2.5  # seconds until the server has counted what idle connections did
_READ_WHOLE: Final = """
SELECT relname, coalesce(seq_tup_read, 0) FROM pg_stat_user_tables WHERE n_live_tup >= %s
"""
_PERSON: Final = "SELECT person_id FROM tickets WHERE id = %s"


@dataclass(frozen=True)
class Within:
    """By operation its statements, and its floor with one client and, where several clients do it
    at once, with as many; the rows of big tables that were read from end to end by all of them."""

    statements: dict[str, int]
    floors: dict[str, dict[int, Floor]]
    read_whole: dict[str, int]


def measure(client: FlaskClient, everybody: Everybody, settings: Settings) -> Within:
    """Captures while nobody else uses the database, and sends again what was captured."""
    floors: dict[str, dict[int, Floor]] = {}

    def replay(found: Found) -> None:
        floors[found.name] = {
            clients: measured(settings.database_url, found.script, clients=clients, seconds=SECONDS)
            for clients in ((1, AT_ONCE) if found.several else (1,))
        }

    with psycopg.connect(settings.database_owner_url, autocommit=True) as connection:
        through(a_day(everybody, _NUMBER, clients=False), client, connection)  # now all is warm
        before = _read_whole(connection)
        through(a_day(everybody, _NUMBER, clients=False), client, connection)
        after = _read_whole(connection)
        day = a_day(everybody, _NUMBER, clients=False)
        statements = through(day, client, connection, replay)
    read = {table: rows - before.get(table, 0) for table, rows in after.items()}
    return Within(statements, floors, {table: rows for table, rows in sorted(read.items()) if rows})


@dataclass(frozen=True)
class Found:
    """What a request sent, as a script for pgbench.

    `several` clients can send it at once where none changes what another one changes.
    """

    name: str
    script: str
    several: bool


def through(
    day: Day,
    client: FlaskClient,
    connection: psycopg.Connection[Any],
    replay: Callable[[Found], None] = lambda _found: None,
) -> dict[str, int]:
    """Send a day's requests; returns how many statements the last one of each operation sent.

    `replay` is called while the database still is as that request found it, but for filings: they
    come at the end, when nobody minds how many there are. The connection is one of the owner's.
    """
    statements, filings = {}, []
    step = next(day)
    while True:
        *first, last = step.requests
        answers = [_ask(client, one) for one in first]
        files = step.name == FILING
        if step.name:
            since = new_id()
            with captured(undone=step.writes and not files) as sent:
                answer = _ask(client, last)
            statements[step.name] = sent.statements
            renewed = _renewed(connection, since, answer, last) if files else None
            written = script(sent, connection, renewed)
            found = Found(step.name, written, several=files or not step.writes)
            if files:
                filings.append(found)
            else:
                replay(found)
        answers.append(answer if files else _ask(client, last))
        try:
            step = day.send(answers)
        except StopIteration:
            break
    for found in filings:
        replay(found)
    return statements


def _renewed(
    connection: psycopg.Connection[Any], since: Any, filed: dict[str, Any], request: Request
) -> Renewed:
    (person,) = connection.execute(_PERSON, (filed["id"],)).fetchone() or (None,)
    return Renewed(since, person, filed["number"], request.headers["Idempotency-Key"])


def _ask(client: FlaskClient, one: Request) -> Any:
    answer = client.open(f"/v1{one.path}", method=one.method, headers=one.headers, json=one.json)
    if not answer.status_code < 400:
        raise SystemExit(f"{one.method} {one.path}: {answer.status_code} {answer.text}")
    return answer.json


def _read_whole(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """By big table, how many of its rows were read so far because it was read from end to end."""
    time.sleep(_SETTLED)
    return dict(connection.execute(_READ_WHOLE, (MANY,)).fetchall())
