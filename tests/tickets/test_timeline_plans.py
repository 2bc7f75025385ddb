"""A timeline looks at no month from before its ticket, however long the log is kept."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from service.applicants.queries.tickets import timeline_for
from service.desk.queries.histories import item_timeline_for
from service.kernel.ids import lowest_id, lowest_since, new_id
from tests.plans import explained


@pytest.fixture
def filed_in_february(world, wall_clock):
    """A ticket, and who filed it, with three months of events before it."""
    wall_clock.move(days=70)
    talent = world.talent()
    return talent, world.ticket(talent, "settlement")


def months(plan):
    return {node["Relation Name"] for node in plan.nodes() if "Relation Name" in node}


def test_the_applicants(filed_in_february, acting, database):
    talent, ticket = filed_in_february
    actor = acting(talent).actor
    plan, _ = explained(
        database,
        actor,
        lambda session: timeline_for(session, actor, UUID(ticket["id"])),
        "events",
    )
    assert "events_2027_02" in months(plan)
    assert not months(plan) & {"events_2026_11", "events_2026_12", "events_2027_01"}


def test_the_departments(filed_in_february, acting, database, world):
    _, ticket = filed_in_february
    actor = acting(world.staff("clerk.public_security")).actor
    plan, _ = explained(
        database,
        actor,
        lambda session: item_timeline_for(session, actor, UUID(ticket["items"][0]["id"])),
        "events",
    )
    assert "events_2027_02" in months(plan)
    assert not months(plan) & {"events_2026_11", "events_2026_12", "events_2027_01"}


def test_a_machine_whose_clock_is_behind_is_not_overlooked(wall_clock):
    """What it emits of a ticket may have a lower id than the ticket; a day is allowed for that."""
    made, now = new_id(), wall_clock.now
    assert lowest_since(made) < lowest_id(now - timedelta(hours=23)) < made
    assert lowest_id(now - timedelta(hours=25)) < lowest_since(made)
    assert lowest_since(UUID(int=0)) == UUID(int=0)
