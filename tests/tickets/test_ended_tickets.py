"""A ticket that has ended says when, and keeps what was promised."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from service.applicants.actions.withdraw import withdraw_item
from tests.tickets import invariants


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def shown(talent):
    def look(case):
        return talent.get(f"/v1/tickets/{case.ticket}").json

    return look


DUE = ("due_at", "due_on", "due_basis", "provisional")


@pytest.mark.parametrize("days", [0, 90])
def test_a_promise_is_kept_in_view_early_or_late(walk, talent, shown, database, days):
    """Decided at once, or long after it was due."""
    case = walk("settlement", talent=talent)
    case.say("acceptance")
    promised = shown(case)
    assert promised["ended_at"] is None
    case.at += timedelta(days=days)
    case.through()
    ended = shown(case)
    assert ended["status"] == "completed"
    assert {name: ended[name] for name in DUE} == {name: promised[name] for name in DUE}
    assert datetime.fromisoformat(ended["ended_at"]) == case.at
    (item,) = ended["items"]
    assert item["ended_at"] == ended["ended_at"]
    assert item["due_at"] == promised["items"][0]["due_at"]
    assert invariants.check(database, [case.ticket]) == 1


def test_a_ticket_has_ended_with_the_last_of_its_items(walk, talent, shown, acting):
    """And its promise is that of the last item that ran."""
    case = walk("settlement", "recognition", talent=talent)
    case.through("recognition")
    running = shown(case)
    assert running["ended_at"] is None
    case.at += timedelta(days=1)
    item = case.story.item("settlement")
    about = {"item_id": item.id, "version": item.version}
    acting(talent)(withdraw_item, **about, at=case.at)
    ended = shown(case)
    assert datetime.fromisoformat(ended["ended_at"]) == case.at
    assert ended["due_at"] == running["due_at"]


def test_a_department_sees_when_the_item_ended(walk, world):
    case = walk("settlement")
    todo = case.one("acceptance")
    clerk = world.staff(f"{todo.task.role}.{todo.task.department}")
    path = f"/v1/desk/tasks/{todo.task.id}"
    assert clerk.get(path).json["item_ended_at"] is None
    case.through()
    assert datetime.fromisoformat(clerk.get(path).json["item_ended_at"]) == case.at


def test_no_ticket_ends_without_a_moment(session):
    """The database holds it."""
    with pytest.raises(Exception, match="ck_tickets_ended"):
        session.execute(text("UPDATE tickets SET ended_at = now() WHERE status = 'in_progress'"))
    session.rollback()


@pytest.fixture(autouse=True)
def running(world):
    world.ticket(world.talent(), "settlement")
