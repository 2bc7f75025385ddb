from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import namedtuple_row
from sqlalchemy import select

from service.facts.actions import issue_facts
from service.facts.rules import NewFact
from service.identity.staff.actions import ensure_staff
from service.kernel import clock
from service.kernel.actor import system
from service.kernel.db import Scope
from service.kernel.deliveries import deliver
from service.kernel.events import Event
from service.kernel.permissions import Role
from service.runtime import open_database
from tests.acting import bearer
from tests.conftest import PASSWORD, url_of
from tests.factories import Signed
from tests.tickets import racing
from tests.tickets.acting import CROWD, DISTRICT, OVERDUE, Acting, outcome
from tests.tickets.walking import MONDAY, Walk

POLICE = "public_security"

TOUCHED = (
    "tickets",
    "ticket_sections",
    "items",
    "stages",
    "tasks",
    "due_changes",
    "edges",
    "facts",
    "relied_facts",
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
        return Acting(database, bearer(app.extensions["talent"], token))

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
        with database.transaction(Scope.system(DISTRICT)) as session:
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
    """Calls all of them at the same moment; returns `done` or the code of each.

    Whatever is no problem of the domain, a deadlock above all, is raised.
    `apart`: one after the other, in the order given. A race whose every winner is to be seen is
    run so once for each of them: which of two threads is first is up to the scheduler.
    """

    def run(*calls: Callable[[], Any], apart: bool = False) -> list[str]:
        if apart:
            return [outcome(call) for call in calls]
        start = Barrier(len(calls))

        def one(call: Callable[[], Any]) -> str:
            start.wait(60)
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
def walk(world, acting, database) -> Callable[..., Walk]:
    """Files what `World.filing` takes, for a talent or a new one; gives the walk of the ticket."""
    known: dict[str, Acting] = {}

    def staff(username: str) -> Acting:
        if username not in known:
            known[username] = acting(world.staff(username))
        return known[username]

    def file(*wanted: Any, talent: Signed | None = None, at: Any = MONDAY, **changes: Any) -> Walk:
        body = world.filing(*wanted, at=at, **changes)
        rows = acting(talent or world.talent()).file(body, key=uuid4().hex, at=at)
        return Walk(database, staff, rows.ticket.id, at, body)

    return file


@pytest.fixture
def establish(acting, database) -> Callable[..., UUID]:
    """Issues a fact about a talent, as if a department had long known it; gives its id."""

    def one(talent: Signed, kind: str, value: dict[str, Any], **changes: Any) -> UUID:
        person = acting(talent).actor.person
        about = {"person_id": person, "kind": kind, "value": value, "issuer": "human_resources"}
        dates = {"valid_from": date(2025, 1, 1)}
        with database.transaction(Scope.system(DISTRICT)) as session:
            fact = NewFact(**about | dates | changes)
            return issue_facts(session, system(DISTRICT), facts=[fact], at=MONDAY)[0]

    return one


@pytest.fixture
def told(database) -> Callable[..., list[str]]:
    """Has the worker deliver what happened to a ticket; gives the notices of a talent, in order."""

    def of(talent: Signed, ticket: UUID) -> list[str]:
        with database.transaction(Scope.system(DISTRICT)) as session:
            happened = session.scalars(select(Event.id).where(Event.ticket_id == ticket)).all()
        deliver(database, district=DISTRICT, events=[str(one) for one in happened])
        notices = talent.get("/v1/notices?limit=100").json["items"]
        mine = [one["kind"] for one in notices if one["ticket"] == str(ticket)]
        return mine[::-1]

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


@pytest.fixture
def rows(superuser) -> Callable[..., list[Any]]:
    """What a statement finds, read past everything that the service does to read it."""

    def of(query: str, *values: Any) -> list[Any]:
        with superuser.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query, values).fetchall()

    return of


@pytest.fixture
def left(rows) -> Callable[[UUID], list[Any]]:
    """What is to be done on a ticket."""
    return partial(rows, racing.OPEN)


@pytest.fixture
def held(somebody, rows) -> Callable[[Any], Callable[..., Any]]:
    """Has claimed a task who may; gives what they say when the time comes."""

    def by(task: Any) -> Callable[..., Any]:
        who = somebody(f"{task.role}.{task.department}")
        (claimed,) = rows(racing.CLAIM, who.actor.account, task.id)
        return partial(who.decide, task.id, claimed.version, at=MONDAY)

    return by


@pytest.fixture
def filed(world, acting, wide) -> Callable[..., racing.Filer]:
    """A new talent who files this."""

    def of(*wanted: Any, children: int = 0, **changes: Any) -> racing.Filer:
        talent = world.talent()
        wanted += tuple(("schooling", world.child(talent)) for _ in range(children))
        actor = acting(talent).actor
        return racing.Filer(Acting(wide, actor), world.filing(*wanted, **changes))

    return of


@pytest.fixture
def raced(rows, at_once) -> Callable[..., tuple[list[str], list[str]]]:
    """Calls all at once; what they were told, and what happened to the ticket, in order."""

    def of(
        ticket: UUID, *calls: Callable[[], Any], apart: bool = False
    ) -> tuple[list[str], list[str]]:
        ((before,),) = rows(racing.LAST, ticket)
        told = at_once(*calls, apart=apart)
        return told, [one.kind for one in rows(racing.HAPPENED, ticket, before)]

    return of
