from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from service.app import open_database
from service.identity.actions import ensure_staff
from service.kernel import clock
from service.kernel.actor import system
from service.kernel.db import Scope
from service.kernel.permissions import Role
from tests.conftest import PASSWORD, url_of
from tests.factories import Signed
from tests.tickets.acting import CROWD, DISTRICT, OVERDUE, Acting, outcome

POLICE = "public_security"

TOUCHED = (
    "tickets",
    "ticket_sections",
    "items",
    "stages",
    "tasks",
    "due_changes",
    "events",
    "consents",
    "idempotency_keys",
    "procrastinate_jobs",
)


@pytest.fixture(scope="module")
def superuser(database_name) -> Iterator[psycopg.Connection]:
    """A connection that row-level security does not hold; every statement commits."""
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def footprint(superuser) -> Callable[[], dict[str, tuple[int, int]]]:
    """How many rows there are in every table that a ticket can touch, and a sum over them all."""

    def look() -> dict[str, tuple[int, int]]:
        return {
            table: superuser.execute(
                "SELECT count(*), coalesce(sum(hashtextextended(one::text, 0)), 0)"
                f" FROM {table} one"
            ).fetchone()
            for table in TOUCHED
        }

    return look


@pytest.fixture
def tables_with(superuser) -> Callable[[str], list[str]]:
    """The tables, of the whole database, that hold a text in the clear."""

    def look(text: str) -> list[str]:
        everywhere = superuser.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r'"
        ).fetchall()
        return [
            table
            for (table,) in everywhere
            if superuser.execute(
                f"SELECT EXISTS (SELECT FROM {table} one WHERE strpos(one::text, %s) > 0"
                " OR strpos(one::text, %s) > 0)",
                (text, text.encode().hex()),
            ).fetchone()[0]
        ]

    return look


@pytest.fixture
def acting(app, database) -> Callable[[Signed], Acting]:
    """Whoever is signed in, as an actor who calls the use cases directly."""

    def act(signed: Signed) -> Acting:
        token = signed.headers["Authorization"].removeprefix("Bearer ")
        return Acting(database, app.extensions["talent"].authenticate(token))

    return act


@pytest.fixture
def timer(database) -> Acting:
    """The service itself."""
    return Acting(database, system(DISTRICT))


@pytest.fixture
def hire(world, database) -> Callable[..., Signed]:
    """Makes a staff account with these posts, `(department, role)` each, and signs it in."""

    def ensure(*posts: tuple[str, str], person_id=None) -> Signed:
        username = f"somebody.{uuid4().hex[:12]}"
        with database.transaction(Scope(DISTRICT)) as session:
            ensure_staff(
                session,
                username=username,
                display_name="王芳",
                password=PASSWORD,
                posts=[(department, Role(role)) for department, role in posts],
                at=clock.now(),
                person_id=person_id,
            )
        return world.staff(username)

    return ensure


@pytest.fixture(scope="module")
def wide(settings) -> Iterator[Any]:
    """A pool with a connection for everybody."""
    database = open_database(replace(settings, database_pool=CROWD))
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CROWD) as pool:
        yield pool


@pytest.fixture
def at_once(threads) -> Callable[..., list[str]]:
    """Calls all of them at the same moment; gives `done` or the code of each.

    Whatever is no problem of the domain, a deadlock above all, is raised.
    """

    def run(*calls: Callable[[], Any]) -> list[str]:
        start = Barrier(len(calls))

        def one(call: Callable[[], Any]) -> str:
            start.wait(10)
            return outcome(call)

        return [future.result() for future in [threads.submit(one, call) for call in calls]]

    return run


@pytest.fixture
def somebody(world, acting, wide) -> Callable[[str], Acting]:
    known: dict[str, Acting] = {}

    def of(username: str) -> Acting:
        if username not in known:
            known[username] = Acting(wide, acting(world.staff(username)).actor)
        return known[username]

    return of


@pytest.fixture
def both(hire, acting, wide) -> Acting:
    """A colleague who may do everything that police do."""
    return Acting(wide, acting(hire((POLICE, "clerk"), (POLICE, "reviewer"))).actor)


@pytest.fixture
def alarm(timer, wide) -> Acting:
    """The timer, with nothing overdue yet."""
    while timer.deem(at=OVERDUE):
        pass
    return Acting(wide, timer.actor)
