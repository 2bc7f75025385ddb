"""An item with two stages at once and a delivery behind the decision, under a new version."""

from __future__ import annotations

import pytest

from tests.conftest import PASSWORD
from tests.factories import RESULTS, World
from tests.packs import demo_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.acting import active_tasks

POLICE, BUILDERS = "public_security", "construction"


def stage(key, kind, department, role, after, may):
    return {
        "key": key,
        "kind": kind,
        "title": {"zh": "核查", "en": "Check"},
        "department": department,
        "role": role,
        "after": after,
        "limit": {"working_days": 2},
        "may": may,
        "sees": {"sections": {"residence": ["basis"]}},
    }


def parallel_pack():
    flow = demo_pack().offerings["settlement"].flow
    acceptance, decision = flow["stages"]
    checks = [
        stage("identity", "review", POLICE, "reviewer", ["acceptance"], ["pass", "reject"]),
        stage("home", "review", BUILDERS, "clerk", ["acceptance"], ["pass", "reject"]),
    ]
    decision = decision | {"after": ["identity", "home"], "limit": {"working_days": 3}}
    delivery = stage("delivery", "fulfilment", POLICE, "clerk", ["decision"], ["pass"])
    stages = [acceptance, *checks, decision, delivery]
    return with_flow(demo_pack(), "settlement", {**flow, "stages": stages})


@pytest.fixture(scope="module")
def before(app, database):
    """Filed before the new version was published."""
    ticket = World(app, PASSWORD).ticket(None, "settlement")
    publish(database, parallel_pack())
    return ticket


@pytest.fixture
def reviewed(world, before, database):
    """A ticket of the new version, accepted: two checks are open."""
    talent = world.talent()
    ticket = world.ticket(talent, "settlement")
    clerk = world.staff(f"clerk.{POLICE}")
    world.decide(clerk, world.claimed(clerk, ticket["items"][0]["number"]), "accept")
    return talent, ticket


def shown(talent, ticket):
    return talent.get(f"/v1/tickets/{ticket['id']}").json


def say(world, ticket, username, verdict, result=None):
    somebody = world.staff(username)
    return world.decide(
        somebody, world.claimed(somebody, ticket["items"][0]["number"]), verdict, result
    )


def test_what_was_filed_before_goes_on_as_it_began(world, before):
    world.through(before["items"][0])


def test_the_decision_waits_for_both(world, reviewed, database):
    _, ticket = reviewed
    open_now = {(task.department, task.role) for task in active_tasks(database, ticket["id"])}
    assert open_now == {(POLICE, "reviewer"), (BUILDERS, "clerk")}
    say(world, ticket, f"clerk.{BUILDERS}", "pass")
    (left,) = active_tasks(database, ticket["id"])
    assert left.kind == "review"
    say(world, ticket, f"reviewer.{POLICE}", "pass")
    (left,) = active_tasks(database, ticket["id"])
    assert left.kind == "decision"


def test_an_approval_is_delivered_before_it_ends(world, reviewed):
    talent, ticket = reviewed
    for username in (f"clerk.{BUILDERS}", f"reviewer.{POLICE}"):
        say(world, ticket, username, "pass")
    decided = say(world, ticket, f"reviewer.{POLICE}", "approve", RESULTS["settlement"])
    assert (decided["phase"], decided["outcome"]) == ("fulfilment", "approved")
    told = shown(talent, ticket)
    assert told["status"] == "in_progress"
    item = told["items"][0]
    assert (item["light"], item["result"]) == (None, RESULTS["settlement"])
    delivered = say(world, ticket, f"clerk.{POLICE}", "pass")
    assert (delivered["phase"], delivered["outcome"]) == ("ended", "approved")
    assert shown(talent, ticket)["status"] == "completed"


def test_a_rejection_takes_the_other_check_away(world, reviewed, database):
    talent, ticket = reviewed
    number = ticket["items"][0]["number"]
    builder = world.staff(f"clerk.{BUILDERS}")
    claimed = world.claimed(builder, number)
    ended = say(world, ticket, f"reviewer.{POLICE}", "reject")
    assert (ended["phase"], ended["outcome"]) == ("ended", "rejected")
    assert active_tasks(database, ticket["id"]) == []
    path = f"/v1/desk/tasks/{claimed['id']}"
    version = {"If-Match": claimed["etag"]}
    body = {"verdict": "pass", "opinion": "同意"}
    for answer in (
        builder.post(f"{path}/decision", json=body, headers=version),
        builder.post(f"{path}/release"),
        world.staff(f"clerk.{BUILDERS}").post(f"{path}/claim"),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "task_closed")
    task = builder.get(path).json
    assert (task["state"], task["verdict"], task["light"]) == ("cancelled", None, None)
    listed = builder.get("/v1/desk/tasks?state=cancelled").json["items"]
    assert claimed["id"] in {one["id"] for one in listed}
    stages = {one["key"]: one["state"] for one in shown(talent, ticket)["items"][0]["stages"]}
    assert stages == {"acceptance": "closed", "identity": "closed", "home": "cancelled"}


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 3
