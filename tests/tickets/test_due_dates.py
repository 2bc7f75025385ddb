"""Due dates, against the calendar of 2026 worked out by hand.

Golden Week 2026: 1 to 7 October are free; Sunday 20 September and Saturday 10 October are worked,
25 to 27 September (Mid-Autumn) are free. Business closes at 18:00. Settlement: 5 working days to
accept, 5 promised; rent subsidy: 5 and 20.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.routing.flow import Verdict
from service.tickets.rules.dues import DueBasis
from tests.tickets import invariants
from tests.tickets.acting import active_tasks, task_by_id

pytestmark = [pytest.mark.dated, pytest.mark.usefixtures("plain_flows")]

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SHANGHAI).astimezone(UTC)


def local(moment: datetime) -> str:
    assert moment.utcoffset() is not None
    return f"{moment.astimezone(SHANGHAI):%m-%d %H:%M}"


# filed, accepted by, settled by, subsidised by
FILINGS = [
    # an ordinary Monday: Tue 9 … Mon 15; the Dragon Boat holiday is Friday 19 June
    ("06-08 10:00", "06-15 18:00", "06-23 18:00", "07-14 18:00"),
    # before the Golden Week: 30, then 8, 9, Saturday 10, 12
    ("09-29 10:00", "10-12 18:00", "10-19 18:00", "11-09 18:00"),
    # within it: 8, 9, 10, 12, 13
    ("10-03 03:00", "10-13 18:00", "10-20 18:00", "11-10 18:00"),
    # on the Saturday that is worked, which does not count: 12 … 16
    ("10-10 09:00", "10-16 18:00", "10-23 18:00", "11-13 18:00"),
    # after business has closed is still that day
    ("10-10 23:59", "10-16 18:00", "10-23 18:00", "11-13 18:00"),
    # over Mid-Autumn: Thu 24, Mon 28, 29, 30, 8 October
    ("09-23 12:00", "10-08 18:00", "10-14 18:00", "11-04 18:00"),
    # the Sunday that is worked is day 1; then 28, 29, 30 September, 8, 9 October
    ("09-18 12:00", "09-24 18:00", "10-09 18:00", "10-29 18:00"),
]


@pytest.mark.parametrize(("filed_at", "accepted_by", "settled_by", "subsidised_by"), FILINGS)
def test_a_filing_projects_its_due_dates(
    world, acting, filed_at, accepted_by, settled_by, subsidised_by
):
    rows = acting(world.talent()).file(world.filing(), key="one", at=at(filed_at))
    assert {local(stage.due_at) for stage in rows.stages} == {accepted_by}
    assert [local(item.due_at) for item in rows.items] == [settled_by, subsidised_by]
    assert local(rows.ticket.due_at) == subsidised_by
    assert {row.due_basis for row in (rows.ticket, *rows.items)} == {DueBasis.PROJECTED}
    assert not any(row.provisional for row in (rows.ticket, *rows.items))


def test_a_day_begins_at_midnight_of_the_district(world, acting):
    """23:30 of the 28th in Greenwich is the 29th in Shanghai."""
    greenwich = datetime(2026, 9, 28, 23, 30, tzinfo=UTC)
    rows = acting(world.talent()).file(world.filing("settlement"), key="one", at=greenwich)
    assert local(rows.items[0].due_at) == "10-19 18:00"
    assert "20260929" in rows.ticket.number


def test_what_lies_beyond_the_published_calendar_is_provisional(world, acting):
    rows = acting(world.talent()).file(world.filing(), key="one", at=at("12-10 10:00"))
    settlement, subsidy = rows.items
    assert (local(settlement.due_at), settlement.provisional) == ("12-24 18:00", False)
    assert subsidy.provisional
    assert rows.ticket.provisional


@pytest.fixture
def filed(world, acting, database):
    """A ticket of both offerings, filed on the Tuesday before the Golden Week."""
    rows = acting(world.talent()).file(world.filing(), key="one", at=at("09-29 10:00"))
    return rows.ticket.id


def step(world, acting, database, ticket, department, moment, verdict=None):
    """The open task of a department, claimed and passed on at that moment."""
    (task,) = [one for one in active_tasks(database, ticket) if one.department == department]
    somebody = acting(world.staff(f"{task.role}.{department}"))
    claimed = somebody.claim(task.id, at=moment)
    if verdict is None:
        somebody.pass_on(task, claimed.version, at=moment)
    else:
        somebody.decide(task.id, claimed.version, verdict, at=moment)
    return task_by_id(database, task.id)


def story(database, ticket):
    (one,) = invariants.stories(database, [ticket])
    return one


def test_acceptance_turns_the_projection_into_a_promise(world, acting, database, filed):
    step(world, acting, database, filed, "public_security", at("09-30 09:00"))
    told = story(database, filed)
    settlement, subsidy = told.items
    # 8, 9, 10, 12, 13 October, counted from acceptance
    assert (local(settlement.due_at), settlement.due_basis) == ("10-13 18:00", "promised")
    assert (local(subsidy.due_at), subsidy.due_basis) == ("11-09 18:00", "projected")
    assert (local(told.ticket.due_at), told.ticket.due_basis) == ("11-09 18:00", "projected")
    decision = next(stage for stage in told.stages if stage.key == "decision")
    assert local(decision.due_at) == "10-12 18:00"  # four of its own: 8, 9, 10, 12


def test_the_last_acceptance_makes_the_whole_ticket_a_promise(world, acting, database, filed):
    for department in ("public_security", "construction"):
        step(world, acting, database, filed, department, at("09-30 09:00"))
    told = story(database, filed)
    # twenty from 30 September: 8, 9, 10, 12-16, 19-23, 26-30 October, 2, 3 November
    assert (local(told.ticket.due_at), told.ticket.due_basis) == ("11-03 18:00", "promised")
    causes = [(change.cause, local(change.after)) for change in told.due_changes]
    assert causes == [
        ("accepted", "10-13 18:00"),
        ("accepted", "11-03 18:00"),
        ("items", "11-03 18:00"),
    ]


def test_what_has_ended_keeps_what_was_promised(world, acting, database, filed):
    """The longer item is turned down: what remains of the ticket is the shorter one.

    Once nothing of it runs, it is due as it was.
    """
    not_accepted = Verdict.NOT_ACCEPT
    step(world, acting, database, filed, "construction", at("09-30 11:30"), not_accepted)
    told = story(database, filed)
    assert local(told.ticket.due_at) == "10-19 18:00"
    step(world, acting, database, filed, "public_security", at("10-08 09:00"), not_accepted)
    told = story(database, filed)
    assert (local(told.ticket.due_at), told.ticket.due_basis) == ("10-19 18:00", "projected")
    assert (told.ticket.status, local(told.ticket.ended_at)) == ("closed", "10-08 09:00")


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 10
