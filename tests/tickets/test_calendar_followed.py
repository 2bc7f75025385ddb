"""A calendar that is published moves what is open, and nothing that is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from service import worker
from service.calendars.actions import publish_calendar
from service.calendars.queries import calendar_for, days_of, newest_version
from service.calendars.rules import DayKind, days_of_kind
from service.kernel.actor import system
from service.kernel.db import Scope
from service.routing.bundle import EdgeStatus
from service.routing.flow import Verdict
from service.tickets.models.items import DueChange
from service.tickets.rescheduling import RESCHEDULING
from service.worker import follow_calendars, run_timer
from tests.packs import demo_pack, plain_pack, publish
from tests.tickets import invariants
from tests.tickets.acting import DISTRICT
from tests.tickets.racing import ASKED

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YEARS_WEEK = {date(2027, 1, 4) + timedelta(days) for days in range(5)}
SATURDAY = date(2027, 1, 9)


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI).astimezone(UTC)


def local(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


FILED = at("2026-12-28 10:00")


@pytest.fixture
def calendars(database):
    """Publishes what a notice says of 2027; the newest of before is in force again afterwards."""
    with database.transaction(Scope.system(DISTRICT)) as session:
        before = newest_version(session, DISTRICT, code="default")
        known = days_of(session, before)

    def announced(holidays=(), makeup_days=(), through=date(2027, 12, 31)) -> None:
        days = known | dict.fromkeys(holidays, DayKind.HOLIDAY)
        days |= dict.fromkeys(makeup_days, DayKind.MAKEUP)
        with database.transaction(Scope.system(DISTRICT)) as session:
            publish_calendar(
                session,
                system(DISTRICT),
                code="default",
                zone="Asia/Shanghai",
                hours=before.hours,
                holidays=days_of_kind(days, DayKind.HOLIDAY),
                makeup_days=days_of_kind(days, DayKind.MAKEUP),
                published_through=through,
                at=FILED,
            )

    yield announced
    announced(through=before.published_through)
    follow_calendars(database)


@pytest.fixture
def announced(calendars):
    """A week off in January, one Saturday of it made up for."""
    return lambda: calendars(NEW_YEARS_WEEK, {SATURDAY})


@pytest.fixture
def plain(database):
    publish(database, plain_pack())
    yield
    publish(database, demo_pack())


def dues(story):
    return [(local(one.due_at), one.provisional) for one in (*story.items, story.ticket)]


def test_a_published_calendar_moves_what_is_open(plain, walk, announced, database):
    """Items, stages, tasks, alarms and the ticket, with the reason; what was provisional is final.

    Acceptance: 29, 30, 31 December, 11, 12 January instead of 6; the promise, 20 days more.
    """
    case = walk("housing_rent", at=FILED)
    assert dues(case.story) == [("2027-02-02 18:00", True)] * 2
    (former,) = case.story.tasks
    announced()
    follow_calendars(database)
    story = case.story
    assert dues(story) == [("2027-02-12 18:00", False)] * 2
    (task,), (stage,) = story.tasks, story.stages
    moved = {task.due_at, task.next_alarm_at, stage.due_at}
    assert {local(moment) for moment in moved} == {"2027-01-11 18:00"}
    assert former.warn_at < task.warn_at == stage.warn_at < task.due_at
    assert [(change.item_id, change.cause) for change in story.due_changes] == [
        (story.items[0].id, "calendar"),
        (None, "items"),
    ]
    assert [event.kind for event in story.events if event.seq is None][-4:] == [
        "calendar_followed",
        "due_moved",
        "due_moved",
        "due_moved",
    ]
    assert (task.version, story.items[0].version) == (former.version, 1)
    assert invariants.check(database, [case.ticket]) == 1


def test_a_second_run_changes_nothing(walk, announced, database, footprint):
    walk("settlement", at=FILED)
    announced()
    follow_calendars(database)
    before = footprint()
    follow_calendars(database)
    assert footprint() == before


def test_what_is_over_stays_as_it_was(walk, announced, database):
    """An ended ticket; of one that runs, closed stages and tasks, and a decided item."""
    ended = walk("settlement", at=FILED)
    ended.through()
    decided = walk(("settlement"), "housing_rent", at=FILED)
    decided.through("settlement")
    before, other = ended.story, decided.story
    announced()
    follow_calendars(database)
    after = ended.story
    assert dues(after) == dues(before)
    assert not after.due_changes[len(before.due_changes) :]
    for rows in ("tasks", "stages"):
        closed = {one.id: one.due_at for one in getattr(other, rows) if one.closed_at}
        still = {one.id: one.due_at for one in getattr(decided.story, rows) if one.id in closed}
        assert closed
        assert still == closed
    (settled, subsidy) = decided.story.items
    assert settled.due_at == other.item("settlement").due_at
    assert subsidy.due_at > other.item("housing_rent").due_at


def test_a_correction_may_be_answered_later(plain, walk, announced, database, somebody):
    """Ten working days from 28 December: until 18 January instead of the 12th."""
    case = walk("housing_rent", at=FILED)
    todo = case.one("acceptance")
    clerk = somebody(f"clerk.{todo.task.department}")
    version = clerk.claim(todo.task.id, at=FILED).version
    clerk.decide(todo.task.id, version, Verdict.RETURN, points=ASKED, at=FILED)
    (before,) = case.story.corrections
    announced()
    follow_calendars(database)
    (after,), (item,) = case.story.corrections, case.story.items
    assert local(before.due_at) == "2027-01-12 18:00"
    assert local(after.due_at) == local(item.hold_until) == "2027-01-18 18:00"


def test_an_edge_waits_by_the_newest_calendar(walk, announced, database):
    """Forty working days from 28 December, of which four are off: the alarm of the item follows.

    A day of the year stays that day.
    """
    case = walk("recognition", "housing_rent", at=FILED)
    (before,) = case.story.edges
    announced()
    follow_calendars(database)
    (after,) = case.story.edges
    with database.transaction(Scope.system(DISTRICT)) as session:
        calendar = calendar_for(session, DISTRICT)
    assert after.next_at == calendar.due_at(FILED, working_days=40).at > before.next_at
    assert case.story.item("housing_rent").next_alarm_at == after.next_at
    assert invariants.check(database, [case.ticket]) == 1


def test_a_question_may_be_answered_later(walk, announced, database):
    """Ten working days from the moment at which the applicant was asked."""
    case = walk("recognition", "housing_purchase", at=FILED)
    case.until("decision", offering="recognition")
    case.say("decision", "reject", offering="recognition")
    assert case.story.edges[0].status is EdgeStatus.ASKED
    asked_at = case.at
    announced()
    follow_calendars(database)
    (edge,) = case.story.edges
    with database.transaction(Scope.system(DISTRICT)) as session:
        calendar = calendar_for(session, DISTRICT)
    assert edge.next_at == calendar.due_at(asked_at, working_days=10).at


def test_a_run_that_was_killed_is_gone_on_with(walk, announced, database, monkeypatch):
    """What was committed stays, the rest is found by the next run; nothing happens twice."""
    cases = [walk("settlement", at=FILED) for _ in range(3)]
    announced()

    class Killed(BaseException):
        pass

    done = []

    def dies(session, actor, **about):
        if len(done) == 1:
            raise Killed
        done.append(about["ticket_id"])
        return RESCHEDULING.act(session, actor, **about)

    with monkeypatch.context() as patch:
        patch.setattr(
            worker, "RESCHEDULING", type(RESCHEDULING)("x", RESCHEDULING.candidates, dies)
        )
        with pytest.raises(Killed):
            follow_calendars(database)
    assert run_timer(database, RESCHEDULING, DISTRICT) >= len(cases) - 1
    for case in cases:
        kinds = [event.kind for event in case.story.events]
        assert kinds.count("calendar_followed") == 1


def test_a_ticket_filed_by_the_former_version_while_another_was_published(
    walk, announced, database, superuser
):
    """It could not know; the next run finds it."""
    case = walk("settlement", at=FILED)
    announced()
    follow_calendars(database)
    superuser.execute(
        "UPDATE tickets SET calendar_id = (SELECT id FROM calendars WHERE code = 'default'"
        " ORDER BY version LIMIT 1) WHERE id = %s",
        (case.ticket,),
    )
    assert run_timer(database, RESCHEDULING, DISTRICT) == 1


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    off=st.sets(st.integers(0, 40).map(lambda days: date(2027, 1, 4) + timedelta(days)), max_size=9)
)
def test_a_ticket_is_due_as_if_filed_by_the_newest_calendar(walk, calendars, database, off):
    """Whatever days are off: one that was filed before is due as one that is filed now."""
    former = walk("settlement", "housing_rent", at=FILED)
    calendars(off)
    follow_calendars(database)
    assert dues(former.story) == dues(walk("settlement", "housing_rent", at=FILED).story)


def test_every_due_date_that_moved_says_why(walk, announced, database, session):
    case = walk("settlement", at=FILED)
    announced()
    follow_calendars(database)
    changes = session.scalars(select(DueChange).where(DueChange.ticket_id == case.ticket)).all()
    told = session.execute(
        text("SELECT kind FROM events WHERE id = ANY (:ids)"),
        {"ids": [change.event_id for change in changes]},
    )
    assert changes
    assert {row.kind for row in told} == {"calendar_followed"}
