"""Several at once, on connections of their own, with real commits: one outcome, a legal one."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import count
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from service.desk.queries.tasks import task_for
from service.kernel.db import Scope
from service.routing.flow import Verdict
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.rules.states import TaskStatus
from tests.local.conftest import eventually
from tests.tickets import invariants
from tests.tickets.acting import CROWD, OVERDUE, Acting, active_tasks, outcome, task_by_id

POLICE, BUILDERS = "public_security", "construction"
RECEIVED = datetime(2026, 9, 8, 2, tzinfo=UTC)
keys = count()


@pytest.fixture
def file(world, acting):
    def one(*offerings: str) -> Any:
        body = world.filing(*offerings)
        rows = acting(world.talent()).file(body, key=f"key-{next(keys)}", at=RECEIVED)
        return rows.ticket.id

    return one


def test_fifty_clerks_and_one_task(file, hire, acting, wide, at_once, superuser):
    (task,) = active_tasks(wide, file("settlement"))
    clerks = [Acting(wide, acting(hire((POLICE, "clerk"))).actor) for _ in range(CROWD)]
    told = at_once(*(partial(clerk.claim, task.id) for clerk in clerks))
    assert sorted(told) == ["done"] + ["task_already_claimed"] * (CROWD - 1)
    claimed = task_by_id(wide, task.id)
    assert claimed.assignee == clerks[told.index("done")].actor.account
    assert claimed.version == task.version + 1
    claims = "SELECT count(*) FROM events WHERE task_id = %s AND kind = 'task_claimed'"
    assert superuser.execute(claims, (task.id,)).fetchone() == (1,)


def test_a_task_that_comes_back_too_late(file, somebody, both, wide, monkeypatch):
    """Given back after the claim was refused and before the reason is looked up: still refused."""
    (task,) = active_tasks(wide, file("settlement"))
    holder = somebody(f"clerk.{POLICE}")
    holder.claim(task.id)

    def look(*arguments: Any) -> Any:
        holder.release(task.id)
        return task_for(*arguments)

    monkeypatch.setattr("service.desk.actions.claim.task_for", look)
    assert outcome(lambda: both.claim(task.id)) == "task_already_claimed"
    assert task_by_id(wide, task.id).assignee is None


def test_two_decisions_on_one_version(file, somebody, wide, at_once):
    clerk = somebody(f"clerk.{POLICE}")
    for _ in range(10):
        (task,) = active_tasks(wide, file("settlement"))
        version = clerk.claim(task.id).version
        verdicts = [Verdict.ACCEPT, Verdict.NOT_ACCEPT]
        told = at_once(
            *(partial(clerk.decide, task.id, version, one, at=RECEIVED) for one in verdicts)
        )
        assert sorted(told) == ["done", "task_closed"]
        decided = task_by_id(wide, task.id)
        assert decided.verdict is verdicts[told.index("done")]
        assert decided.version == version + 1


def test_the_same_filing_with_many_keys(world, acting, wide, at_once, superuser):
    """Items and consents are named in both orders: no two wait for each other."""
    for _ in range(5):
        filer = Acting(wide, acting(world.talent()).actor)
        body = world.filing()
        turned = body | {
            "items": body["items"][::-1],
            "consents": body["consents"][::-1],
        }
        bodies = [body, turned] * 8
        told = at_once(*(partial(filer.file, one, key=f"key-{next(keys)}") for one in bodies))
        assert sorted(told) == ["done"] + ["item_already_open"] * 15
        tickets = "SELECT count(*) FROM tickets WHERE person_id = %s"
        assert superuser.execute(tickets, (filer.actor.person,)).fetchone() == (1,)


def test_two_filings_that_exclude_each_other(world, acting, wide, at_once):
    """A rent subsidy and a purchase subsidy: whoever asks for one does not get the other."""
    for _ in range(30):
        filer = Acting(wide, acting(world.talent()).actor)
        bodies = [world.filing(one) for one in ("housing_rent", "housing_purchase")]
        told = at_once(*(partial(filer.file, one, key=f"key-{next(keys)}") for one in bodies))
        assert sorted(told) == ["done", "invalid"]


_IN_THE_WAY = """
INSERT INTO items (district_id, id, ticket_id, number, ordinal, version, offering_code,
    offering_version_id, person_id, phase, received_at, due_at, warn_at, due_basis, provisional)
SELECT district_id, gen_random_uuid(), ticket_id, gen_random_uuid(), 9, 1, offering_code,
    offering_version_id, person_id, 'acceptance', received_at, due_at, warn_at, due_basis, false
FROM items WHERE person_id = %s AND offering_code = 'settlement' LIMIT 1
"""
_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def test_two_filings_go_one_after_the_other(world, acting, wide, threads, superuser):
    """A third transaction holds the first up between two items, and the other waits behind it."""
    talent = world.talent()
    ticket = world.ticket(talent, "settlement")
    filer, body = Acting(wide, acting(talent).actor), world.filing()
    clerk = world.staff(f"clerk.{POLICE}")
    world.decide(clerk, world.claimed(clerk, ticket["items"][0]["number"]), "not_accept")
    other = body | {"items": body["items"][::-1]}
    for _ in range(6):
        with psycopg.connect(superuser.info.dsn, password=superuser.info.password) as third:
            third.execute(_IN_THE_WAY, (filer.actor.person,))
            filings = [partial(filer.file, one, key=f"key-{next(keys)}") for one in (other, body)]
            running = [threads.submit(outcome, filing) for filing in filings]
            assert eventually(lambda: superuser.execute(_WAITING).fetchone() == (2,))
            third.rollback()
        assert sorted(one.result() for one in running) == ["done", "item_already_open"]
        for item in open_tasks_of(wide, filer):
            department = {"settlement": POLICE}.get(item.offering_code, BUILDERS)
            clerk = acting(world.staff(f"clerk.{department}"))
            clerk.decide(item.id, clerk.claim(item.id).version, Verdict.NOT_ACCEPT)


def open_tasks_of(database, filer):
    """The tasks that are open on a person's tickets."""
    with database.transaction(Scope.system("demo")) as session:
        return session.execute(
            select(Task.id, Task.offering_code)
            .join(Item, Item.id == Task.item_id)
            .where(Item.person_id == filer.actor.person, Task.status == TaskStatus.OPEN)
        ).all()


def test_the_same_filing_with_one_key(app, world, threads, superuser):
    """Over HTTP: one ticket, and whoever comes while it is being made waits and gets the same."""
    talent, body = world.talent(), world.filing()
    start = Barrier(16)

    def send(_):
        start.wait(60)
        return app.test_client().post(
            "/v1/tickets", json=body, headers=talent.headers | {"Idempotency-Key": "one"}
        )

    answers = list(threads.map(send, range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    tickets = "SELECT count(*) FROM tickets WHERE account_id = %s"
    assert superuser.execute(tickets, (talent.account["id"],)).fetchone() == (1,)


def test_two_timers(file, alarm, wide, at_once):
    """What one of them has locked the other leaves to it."""
    for _ in range(4):
        tickets = [file() for _ in range(3)]
        assert at_once(*[partial(alarm.deem, at=OVERDUE)] * 2) == ["done"] * 2
        alarm.deem(at=OVERDUE)
        told = [item for one in invariants.stories(wide, tickets) for item in one.items]
        assert {item.phase for item in told} == {"processing"}


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 30
