"""A claim does not outlive the post it rests on: the task is in the pool again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from service.desk.actions.give_back import claims_left
from service.identity.auth.models import Account
from service.identity.staff.actions import ensure_staff
from service.identity.staff.vocabulary import StaffEvent
from service.kernel import clock
from service.kernel.db import Scope
from service.kernel.deliveries import deliver
from service.kernel.events import Event
from service.kernel.permissions import Role
from service.worker import run_timers
from tests.conftest import PASSWORD
from tests.tickets.acting import DISTRICT
from tests.tickets.asking import claim
from tests.tickets.desking import BUILDERS, POLICE, Desk, assign, take_next

TASK = (
    "SELECT status, assignee, version, claimed_at, next_alarm_at, due_at FROM tasks WHERE id = %s"
)
HAPPENED = "SELECT kind, actor_kind, public FROM events WHERE task_id = %s ORDER BY id"


@pytest.fixture
def desk(world, superuser):
    return Desk(world, superuser)


@pytest.fixture
def clerk(hire):
    return hire((POLICE, "clerk"), (BUILDERS, "clerk"))


@pytest.fixture
def holds(database, app):
    """Gives an account other posts, and lets the worker deliver what that comes to."""

    def posts(signed, *wanted):
        with database.transaction(Scope.system(DISTRICT)) as session:
            named = select(Account.username, Account.display_name)
            account = UUID(signed.account["id"])
            username, name = session.execute(named.where(Account.id == account)).one()
            ensure_staff(
                session,
                username=username,
                display_name=name,
                password=PASSWORD,
                posts=[(department, Role(role)) for department, role in wanted],
                at=clock.now(),
            )
        with database.transaction(Scope.system(DISTRICT)) as session:
            told = session.scalars(select(Event.id).where(Event.kind == StaffEvent.POSTS_ENDED))
            ids = [str(one) for one in told]
        deliver(database, district=DISTRICT, events=ids)

    return posts


def status(superuser, task):
    return superuser.execute(TASK, (task["id"],)).fetchone()[:2]


def given_back(superuser, task):
    """In the pool again, by an event of its own that is no applicant's."""
    assert status(superuser, task) == ("open", None)
    *_, last = superuser.execute(HAPPENED, (task["id"],)).fetchall()
    assert last == ("task_released", "system", False)
    return True


def test_who_is_moved_keeps_nothing(desk, clerk, holds, superuser, world):
    """Three claims, three events; a colleague takes them, with the version that they now have."""
    tasks = [desk.task() for _ in range(3)]
    for task in tasks:
        assert claim(clerk, task).status_code == 200
    holds(clerk, (BUILDERS, "clerk"))
    assert all(given_back(superuser, task) for task in tasks)
    assert claim(world.staff(f"clerk.{POLICE}"), tasks[0]).status_code == 200


def test_what_another_post_allows_stays(desk, clerk, holds, superuser):
    task = desk.task()
    assert claim(clerk, task).status_code == 200
    holds(clerk, (POLICE, "clerk"))
    assert status(superuser, task)[0] == "claimed"


def test_another_role_in_the_department_is_another_post(desk, clerk, holds, superuser):
    task = desk.task()
    assert claim(clerk, task).status_code == 200
    holds(clerk, (POLICE, "reviewer"))
    assert given_back(superuser, task)


@pytest.mark.parametrize(
    "ends",
    [
        "UPDATE posts SET valid_from = '2026-01-01', valid_to = '2026-01-02' WHERE account_id = %s",
        "UPDATE accounts SET disabled_at = now() WHERE id = %s",
        "DELETE FROM posts WHERE account_id = %s",
    ],
    ids=["by its date", "disabled", "deleted"],
)
def test_a_post_that_nobody_ends_by_hand(desk, clerk, superuser, database, ends):
    """The timer finds it within a minute."""
    task = desk.task()
    assert claim(clerk, task).status_code == 200
    run_timers(database)
    assert status(superuser, task)[0] == "claimed"
    superuser.execute(ends, (clerk.account["id"],))
    run_timers(database)
    assert given_back(superuser, task)
    before = superuser.execute(HAPPENED, (task["id"],)).fetchall()
    run_timers(database)
    assert superuser.execute(HAPPENED, (task["id"],)).fetchall() == before


def test_a_post_ends_with_its_last_day(desk, clerk, superuser, timer):
    task = desk.task()
    assert claim(clerk, task).status_code == 200
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    superuser.execute(
        "UPDATE posts SET valid_to = %s WHERE account_id = %s", (today, clerk.account["id"])
    )

    def left(at):
        return [str(row.id) for row in timer(claims_left, at=at)]

    assert task["id"] not in left(clock.now())
    assert task["id"] in left(clock.now() + timedelta(days=1))


def test_a_notice_ends_by_itself_again(desk, clerk, holds, superuser):
    task = desk.task(kind="publicity")
    assert claim(clerk, task).status_code == 200
    holds(clerk)
    assert given_back(superuser, task)
    *_, alarm, due = superuser.execute(TASK, (task["id"],)).fetchone()
    assert alarm == due


def test_what_was_given_back_is_handed_out(desk, clerk, holds, superuser, world):
    desk.clear()
    task = desk.task()
    head = world.staff(f"head.{POLICE}")
    assert assign(head, task, clerk.account["id"]).status_code == 200
    holds(clerk)
    assert given_back(superuser, task)
    assert take_next(world.staff(f"clerk.{POLICE}")).json["id"] == task["id"]
