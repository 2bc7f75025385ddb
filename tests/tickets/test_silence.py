"""Silence means acceptance: what nobody answered in time counts as accepted since its receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from service.kernel.db import Scope
from service.kernel.errors import Conflict
from service.kernel.etags import etag
from service.routing.flow import Verdict
from service.tickets.models.filed import Ticket
from service.tickets.models.stages import Task
from service.tickets.rules.states import TaskStatus
from service.tickets.timers import BATCH, due_alarms
from service.worker import run_timers
from tests.tickets import invariants
from tests.tickets.acting import active_tasks, outcome, task_by_id

pytestmark = [pytest.mark.dated, pytest.mark.usefixtures("plain_flows")]

POLICE, BUILDERS = "public_security", "construction"
SHANGHAI = ZoneInfo("Asia/Shanghai")
RECEIVED = datetime(2026, 9, 8, 2, 0, tzinfo=UTC)  # a Tuesday
# five working days: 9, 10, 11, 14, 15 September, 18:00 in Shanghai
DUE = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
LATER = datetime(2026, 9, 16, 1, 0, tzinfo=UTC)
keys = count()


@pytest.fixture
def file(world, acting):
    def at(moment=RECEIVED, *offerings):
        body = world.filing(*offerings)
        return acting(world.talent()).file(body, key=f"key-{next(keys)}", at=moment)

    return at


@pytest.fixture
def clerk(world, acting):
    return acting(world.staff(f"clerk.{POLICE}"))


@pytest.fixture
def rows(file, timer):
    """A ticket whose two acceptances will be overdue, and nobody else's."""
    while timer.deem(at=LATER):
        pass
    return file()


def story(database, rows):
    (one,) = invariants.stories(database, [rows.ticket.id])
    return one


@pytest.mark.parametrize(
    ("at", "deemed"),
    [(DUE - timedelta(seconds=1), 0), (DUE, 0), (DUE + timedelta(microseconds=1), 2)],
)
def test_not_before_the_time_is_over(rows, timer, at, deemed):
    assert timer.deem(at=at) == deemed


def test_it_is_accepted_since_its_receipt(rows, timer, database):
    assert timer.deem(at=LATER) == 2
    told = story(database, rows)
    for item in told.items:
        assert (item.phase, item.accepted_at) == ("processing", RECEIVED)
        acceptance, decision = told.of(item, told.stages)
        assert (acceptance.status, acceptance.verdict) == ("closed", "accept")
        assert acceptance.closed_at == LATER
        assert decision.opened_at == LATER
    due = [item.due_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M") for item in told.items]
    # five from the 8th; twenty: 9-11, 14-18, Sunday 20, 21-24, 28-30, then 8, 9, Saturday 10, 12
    assert due == ["09-15 18:00", "10-12 18:00"]
    assert told.ticket.due_at == told.items[1].due_at
    assert told.ticket.due_basis == "promised"
    assert {task.deemed for task in told.tasks if task.kind == "acceptance"} == {True}
    assert {task.deemed for task in told.tasks if task.kind == "decision"} == {False}


def test_it_is_told_as_what_it_was(rows, timer, database):
    timer.deem(at=LATER)
    told = story(database, rows)
    deemed = [event for event in told.events if event.kind == "item_deemed_accepted"]
    assert [(event.actor_kind, event.actor_id, event.public) for event in deemed] == [
        ("system", None, True)
    ] * 2
    assert "item_accepted" not in {event.kind for event in told.events}


def test_whoever_had_claimed_it_comes_too_late(world, rows, timer, clerk, database):
    somebody = world.staff(f"clerk.{POLICE}")
    task = next(one for one in active_tasks(database, rows.ticket.id) if one.department == POLICE)
    version = clerk.claim(task.id).version
    assert timer.deem(at=LATER) == 2
    path = f"/v1/desk/tasks/{task.id}"
    for stated in (version, version + 1):
        answer = somebody.post(
            f"{path}/decision",
            json={"verdict": "not_accept", "opinion": "太迟"},
            headers={"If-Match": etag("task", task.id, stated)},
        )
        assert (answer.status_code, answer.json["code"]) == (409, "task_closed")
    for act in ("claim", "release"):
        answer = somebody.post(f"{path}/{act}")
        assert (answer.status_code, answer.json["code"]) == (409, "task_closed")
    closed = task_by_id(database, task.id)
    assert (closed.status, closed.verdict, closed.deemed) == ("closed", "accept", True)
    assert (closed.assignee, closed.opinion) == (clerk.actor.account, None)


def test_a_late_yes_counts_from_receipt_and_a_late_no_not_at_all(rows, clerk, database):
    """The timer has not come by yet, and the clerk answers after the time to accept."""
    task = next(one for one in active_tasks(database, rows.ticket.id) if one.department == POLICE)
    claimed = clerk.claim(task.id, at=LATER)
    with pytest.raises(Conflict) as refused:
        clerk.decide(task.id, claimed.version, Verdict.NOT_ACCEPT, at=LATER)
    assert refused.value.code == "acceptance_deemed"
    clerk.decide(task.id, claimed.version, Verdict.ACCEPT, at=LATER)
    item = next(one for one in story(database, rows).items if one.id == task.item_id)
    assert item.accepted_at == RECEIVED
    assert item.due_at == DUE  # five working days from receipt are what is promised


def test_what_was_decided_in_time_is_left_alone(rows, timer, clerk, database):
    task = next(one for one in active_tasks(database, rows.ticket.id) if one.department == POLICE)
    clerk.decide(task.id, clerk.claim(task.id).version, Verdict.NOT_ACCEPT, at=RECEIVED)
    assert timer.deem(at=LATER) == 1
    settlement, subsidy = story(database, rows).items
    assert (settlement.phase, settlement.outcome) == ("ended", "not_accepted")
    assert subsidy.phase == "processing"


def test_twice_does_nothing(rows, timer, footprint):
    assert timer.deem(at=LATER) == 2
    before = footprint()
    assert timer.deem(at=LATER) == 0
    assert footprint() == before


def test_a_decision_is_never_deemed(rows, timer, footprint):
    timer.deem(at=LATER)
    before = footprint()
    assert timer.deem(at=LATER + timedelta(days=60)) == 0
    assert footprint() == before


def test_what_somebody_works_on_waits_for_the_next_time(rows, file, timer, database):
    other = file()
    held = select(Ticket).where(Ticket.id == rows.ticket.id).with_for_update(key_share=True)
    with database.transaction(Scope.system("demo")) as session:
        session.execute(held)
        assert timer.deem(at=LATER) == 2
    assert {item.phase for item in story(database, other).items} == {"processing"}
    assert {item.phase for item in story(database, rows).items} == {"acceptance"}
    assert timer.deem(at=LATER) == 2
    assert {item.phase for item in story(database, rows).items} == {"processing"}


def test_they_are_found_in_batches_the_longest_overdue_first(rows, file, timer):
    """An odd one first, so that a batch ends between the two items of a ticket."""
    first = file(RECEIVED - timedelta(days=7), "settlement")
    tickets = [first, rows, *(file() for _ in range(BATCH // 2))]
    batch = timer(due_alarms, at=LATER)
    assert len(batch) == BATCH
    assert batch[0].ticket_id == first.ticket.id
    rest = timer(due_alarms, at=LATER, behind=(batch[-1].place, batch[-1].id))
    found = [*batch, *rest]
    assert [(one.place, one.id) for one in found] == sorted((one.place, one.id) for one in found)
    assert {one.ticket_id for one in found} == {one.ticket.id for one in tickets}
    assert len({one.id for one in found}) == 1 + 2 * (len(tickets) - 1)


def test_one_that_cannot_be_deemed_holds_up_no_other(rows, file, timer, database, superuser):
    other = file()
    spoilt = "UPDATE stages SET status = 'closed', closed_at = now() WHERE item_id = %s"
    mend = "UPDATE stages SET status = 'open', closed_at = NULL WHERE item_id = %s"
    for item in rows.items:
        superuser.execute(spoilt, (item.id,))
    assert timer.deem(at=LATER) == 2
    assert {item.phase for item in story(database, other).items} == {"processing"}
    for item in rows.items:
        superuser.execute(mend, (item.id,))
    assert timer.deem(at=LATER) == 2


def test_the_worker_goes_on_until_there_is_nothing_left(rows, file, database, monkeypatch):
    file(RECEIVED - timedelta(days=7), "settlement")
    for _ in range(BATCH // 2 + 1):
        file()
    monkeypatch.setattr("service.kernel.clock.now", lambda: LATER)
    run_timers(database)
    with database.transaction(Scope.system("demo")) as session:
        left = session.scalars(
            select(Task.id).where(
                Task.kind == "acceptance",
                Task.status.in_((TaskStatus.OPEN, TaskStatus.CLAIMED)),
                Task.due_at < LATER,
            )
        ).all()
    assert left == []


def test_the_applicant_reads_why(world, acting, timer):
    talent = world.talent()
    rows = acting(talent).file(world.filing("settlement"), key="one", at=RECEIVED)
    timer.deem(at=LATER)
    lines = talent.get(f"/v1/tickets/{rows.ticket.id}/timeline").json["items"]
    assert lines[-1]["text"] == {
        "zh": "人才落户：公安分局逾期未告知，自收到之日起即为受理。",
        "en": (
            "Household registration for talents: Public Security Branch did not answer in time,"
            " so it counts as accepted from the day of receipt."
        ),
    }
    told = talent.get(f"/v1/tickets/{rows.ticket.id}").json["items"][0]
    assert told["due_on"] == "2026-09-15"
    assert (told["due_basis"], told["light"]) == ("promised", "red")


def test_it_is_the_silence_of_those_who_could_speak(rows, timer, clerk):
    """An acceptance that is claimed and not decided is silence too."""
    tasks = active_tasks(timer.database, rows.ticket.id)
    mine = next(task for task in tasks if task.department == POLICE)
    assert outcome(lambda: clerk.claim(mine.id)) == "done"
    assert timer.deem(at=LATER) == 2


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 40
