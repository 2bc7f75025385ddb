"""How much there is to do: what the list would show, counted."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.desk.queries.counts import task_counts_for
from service.desk.rules import MOST_COUNTED, Count, counted
from service.kernel import clock
from service.kernel.actor import Actor, ActorKind
from tests.tickets.asking import claim, decide, refused
from tests.tickets.desking import BUILDERS, HOUR, POLICE, Desk, listed, statements

COUNTS = "/v1/desk/counts"


@pytest.fixture
def desk(world, superuser):
    desk = Desk(world, superuser)
    desk.clear()
    return desk


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


@pytest.fixture
def busy(desk, clerk, world):
    """Two overdue, three soon due, two later; one of each is the clerk's, and one is done."""
    red = [desk.task(due=-HOUR) for _ in range(2)]
    yellow = [desk.task(due=HOUR * n, warned=True) for n in (1, 3, 5)]
    green = [desk.task(due=HOUR * n) for n in (2, 4)]
    for task in (red[0], yellow[0], green[0]):
        claim(clerk, task)
    decide(clerk, claim(clerk, desk.task()).json, "not_accept")
    world.ticket(world.talent(), "housing_rent")
    return red + yellow + green


def exactly(value):
    return {"value": value, "exact": True}


def test_of_one_department(busy, clerk):
    assert clerk.get(COUNTS).json == {
        "state": {"open": exactly(4), "claimed": exactly(3)},
        "light": {"red": exactly(2), "yellow": exactly(3), "green": exactly(2)},
        "offering": [{"offering": "settlement", "count": exactly(7)}],
        "mine": exactly(3),
    }


def test_of_two_departments(busy, hire):
    both = hire((POLICE, "clerk"), (BUILDERS, "reviewer"))
    told = both.get(COUNTS).json
    assert told["offering"] == [
        {"offering": "housing_rent", "count": exactly(1)},
        {"offering": "settlement", "count": exactly(7)},
    ]
    assert told["state"] == {"open": exactly(5), "claimed": exactly(3)}
    assert told["mine"] == exactly(0)


@pytest.mark.parametrize(
    "posts", [[(POLICE, "clerk")], [(POLICE, "clerk"), (BUILDERS, "clerk")], [(BUILDERS, "head")]]
)
def test_are_as_long_as_the_lists(busy, hire, posts):
    who = hire(*posts)
    told = who.get(COUNTS).json
    for state, count in told["state"].items():
        assert count == exactly(len(listed(who, state=state)))
    for light, count in told["light"].items():
        assert count == exactly(len(listed(who, light=light)))
    for one in told["offering"]:
        assert one["count"] == exactly(len(listed(who, offering=one["offering"])))
    assert told["mine"] == exactly(len(listed(who, assignee="me")))


def test_of_nothing(desk, clerk):
    assert clerk.get(COUNTS).json == {
        "state": {"open": exactly(0), "claimed": exactly(0)},
        "light": {"red": exactly(0), "yellow": exactly(0), "green": exactly(0)},
        "offering": [],
        "mine": exactly(0),
    }


def test_without_a_post_there_is_nothing_to_ask(session, sql_count):
    nobody = Actor(ActorKind.STAFF, "demo", account_id=uuid4())
    with sql_count() as sent:
        found = task_counts_for(session, nobody, at=clock.now())
    assert sent.total == 0
    assert found.mine == Count(0, exact=True)


@pytest.fixture
def bounded(monkeypatch):
    """Counting stops at two."""
    monkeypatch.setattr("service.desk.rules.MOST_COUNTED", 2)
    monkeypatch.setattr("service.desk.queries.counts._BOUND", 3)


def at_least(value):
    return {"value": value, "exact": False}


def test_say_where_they_stop(busy, bounded, clerk):
    """Of what is ahead only the three that are due first are looked at: two yellow, one green."""
    assert clerk.get(COUNTS).json == {
        "state": {"open": at_least(2), "claimed": at_least(2)},
        "light": {"red": exactly(2), "yellow": at_least(2), "green": at_least(1)},
        "offering": [{"offering": "settlement", "count": at_least(2)}],
        "mine": at_least(2),
    }


def test_a_sum_beyond_the_bound_is_not_exact(busy, bounded, hire, world):
    """Two departments, either within the bound."""
    head = hire((POLICE, "head"), (BUILDERS, "head"))
    for _ in range(1):
        world.ticket(world.talent(), "housing_rent")
    told = head.get(COUNTS).json
    assert told["light"]["red"] == exactly(2)
    assert told["offering"][0] == {"offering": "housing_rent", "count": exactly(2)}
    assert told["state"]["open"] == at_least(2)


@pytest.mark.parametrize(
    ("found", "whole", "count"),
    [
        ([], True, Count(0, exact=True)),
        ([3, 4], True, Count(7, exact=True)),
        ([3, 4], False, Count(7, exact=False)),
        ([MOST_COUNTED], True, Count(MOST_COUNTED, exact=True)),
        ([MOST_COUNTED + 1], True, Count(MOST_COUNTED, exact=False)),
        ([MOST_COUNTED, 1], True, Count(MOST_COUNTED, exact=False)),
    ],
)
def test_the_rule(found, whole, count):
    assert counted(found, whole=whole) == count


@pytest.mark.parametrize("username", ["coordinator", "sysadmin", "secadmin", "auditor"])
def test_are_not_for_those_who_steer(world, username):
    refused(world.staff(username).get(COUNTS), 403, "forbidden")


def test_are_not_for_talents_nor_strangers(world, client):
    refused(world.talent().get(COUNTS), 403, "forbidden")
    assert client.get(COUNTS).status_code == 401


@pytest.mark.parametrize("posts", [1, 2])
def test_statements(busy, hire, sql_count, posts):
    somebody = hire(*((POLICE, "clerk"), (BUILDERS, "clerk"))[:posts])
    assert statements(sql_count, lambda: somebody.get(COUNTS)) == 3
