"""How many SQL statements each hot path sends: BEGIN and COMMIT do not count."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.factories import RESULTS

POLICE = "public_security"


@pytest.fixture
def warm(world):
    """A process that has answered each of these before: what it compiles once is compiled."""
    talent = world.talent()
    world.through(world.ticket(talent)["items"][0])
    return talent


def count(sql_count, call):
    with sql_count() as sent:
        answer = call()
    assert answer.status_code in {200, 201}, answer.json
    return sent.total


def filing(world, *offerings):
    talent, body = world.talent(), world.filing(*offerings)
    key = {"Idempotency-Key": uuid4().hex}
    return lambda: talent.post("/v1/tickets", json=body, headers=key)


def test_filing_costs_the_same_whatever_is_filed(warm, world, sql_count):
    """Budget: 20."""
    one = count(sql_count, filing(world, "settlement"))
    two = count(sql_count, filing(world))
    assert (one, two) == (19, 19)


def test_filing_again_with_the_key(warm, world, sql_count):
    call = filing(world)
    call()
    assert count(sql_count, call) == 4


@pytest.fixture
def number(world):
    return world.ticket(None, "settlement")["items"][0]["number"]


def decision(who, task, **body):
    return lambda: who.post(
        f"/v1/desk/tasks/{task['id']}/decision",
        json={"opinion": "同意", **body},
        headers={"If-Match": f'"{task["version"]}"'},
    )


def test_decisions(warm, world, number, sql_count):
    """Budget: 16. Accepting opens the next stage, approving ends item and ticket."""
    clerk, reviewer = world.staff(f"clerk.{POLICE}"), world.staff(f"reviewer.{POLICE}")
    accept = decision(clerk, world.claimed(clerk, number), verdict="accept")
    assert count(sql_count, accept) == 15
    task = world.claimed(reviewer, number)
    approve = decision(reviewer, task, verdict="approve", result=RESULTS["settlement"])
    assert count(sql_count, approve) == 13


def test_claiming_and_releasing(warm, world, number, sql_count):
    """Budget: 6."""
    clerk = world.staff(f"clerk.{POLICE}")
    path = f"/v1/desk/tasks/{world.open_task(clerk, number)['id']}"
    assert count(sql_count, lambda: clerk.post(f"{path}/claim")) == 5
    assert count(sql_count, lambda: clerk.post(f"{path}/release")) == 6


@pytest.mark.parametrize("posts", [1, 2])
def test_the_desks_list(warm, world, hire, sql_count, posts):
    """Budget: 5, whatever the number of rows and of departments."""
    both = ((POLICE, "clerk"), ("construction", "clerk"))
    somebody = hire(*both[:posts])
    world.ticket()
    for query in ("", "?assignee=me", "?state=closed&offering=settlement"):
        call = lambda query=query: somebody.get(f"/v1/desk/tasks{query}")  # noqa: E731
        assert count(sql_count, call) == 3


def test_a_task(warm, world, number, sql_count):
    clerk = world.staff(f"clerk.{POLICE}")
    path = f"/v1/desk/tasks/{world.open_task(clerk, number)['id']}"
    assert count(sql_count, lambda: clerk.get(path)) == 5


def test_a_ticket(warm, world, sql_count):
    """Budget: 8, whatever the number of items; a result costs one more."""
    talent = world.talent()
    ticket = world.ticket(talent)
    path = f"/v1/tickets/{ticket['id']}"
    assert count(sql_count, lambda: talent.get(path)) == 6
    for item in ticket["items"]:
        world.through(item)
    assert count(sql_count, lambda: talent.get(path)) == 7


def test_ones_tickets_and_their_timeline(warm, world, sql_count):
    talent = world.talent()
    ticket = world.ticket(talent)
    assert count(sql_count, lambda: talent.get("/v1/tickets")) == 4
    path = f"/v1/tickets/{ticket['id']}/timeline"
    assert count(sql_count, lambda: talent.get(path)) == 6
