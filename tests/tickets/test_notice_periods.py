"""Publicity: time passes it, unless somebody looks into an objection and upholds it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from service.kernel import clock
from service.kernel.db import Scope
from service.kernel.errors import Conflict
from service.routing.flow import Verdict
from service.tickets.acts import Act
from service.tickets.models.filed import Ticket
from tests.packs import demo_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.acting import task_by_id
from tests.tickets.asking import claim, decide, refused, release
from tests.tickets.walking import A_SECOND

pytestmark = pytest.mark.dated

BUILDERS = "construction"
TIMER = "alarms"


@pytest.fixture
def rent(walk):
    """A rent subsidy whose publicity has begun."""
    rent = walk("housing_rent")
    rent.until("publicity")
    return rent


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{BUILDERS}")


def over(walk):
    """The first moment at which the notice period is over."""
    return walk.one("publicity").task.due_at + A_SECOND


def publicity(walk):
    return next(stage for stage in walk.story.stages if stage.key == "publicity")


def test_it_has_a_task_that_the_department_may_take(rent):
    task = rent.one("publicity").task
    assert (task.kind, task.status, task.department) == ("publicity", "open", BUILDERS)
    days = rent.story.calendar.due_at(rent.at, working_days=5)
    assert task.due_at == days.at


@pytest.mark.parametrize("before", [timedelta(days=3), A_SECOND, timedelta()])
def test_it_is_not_over_before_its_time(rent, timer, footprint, before):
    due = rent.one("publicity").task.due_at
    unchanged = footprint()
    assert timer.run(TIMER, at=due - before) == 0
    assert footprint() == unchanged


def test_time_passes_it(rent, timer):
    at = over(rent)
    while timer.run(TIMER, at=at):
        pass
    stage = publicity(rent)
    assert (stage.status, stage.verdict, stage.closed_at) == ("closed", "pass", at)
    assert rent.stages() == ["decision"]
    assert rent.one("decision").task.opened_at == at
    task = next(task for task in rent.story.tasks if task.stage_id == stage.id)
    assert (task.deemed, task.assignee, task.opinion) == (True, None, None)


def test_it_is_told_as_what_it_was(rent):
    rent.run(TIMER, at=over(rent))
    event = rent.story.events[-1]
    assert (event.kind, event.actor_kind, event.public) == ("notice_ended", "system", True)
    assert event.data["event"] == {"event": "notice_ended", "stage": "publicity", "round": 1}


def test_the_applicant_reads_it(world, walk):
    talent = world.talent()
    rent = walk("housing_rent", talent=talent)
    rent.until("publicity")
    rent.run(TIMER, at=over(rent))
    line = talent.get(f"/v1/tickets/{rent.ticket}/timeline").json["items"][-1]
    assert line["text"] == {
        "zh": "人才租房补贴：公示期满，无异议。",
        "en": "Rent subsidy for talents: the notice period ended without objection.",
    }


def test_nobody_cuts_it_short(walk, clerk, footprint):
    rent = walk("housing_rent", at=clock.now())
    rent.until("publicity")
    claimed = claim(clerk, {"id": rent.one("publicity").task.id}).json
    before = footprint()
    assert clerk.get(f"/v1/desk/tasks/{claimed['id']}").json["may"] == ["reject"]
    refused(decide(clerk, claimed, "pass"), 409, "notice_running")
    assert footprint() == before


def test_a_person_may_pass_it_once_it_is_over(rent):
    claimed = rent.one("publicity").task
    clerk = rent.somebody(f"clerk.{BUILDERS}")
    version = clerk.claim(claimed.id, at=rent.at).version
    with pytest.raises(Conflict) as early:
        clerk.decide(claimed.id, version, Verdict.PASS, at=claimed.due_at - A_SECOND)
    assert early.value.code == "notice_running"
    clerk.decide(claimed.id, version, Verdict.PASS, at=claimed.due_at)
    assert rent.stages() == ["decision"]
    assert rent.story.kinds()[-1] == "stage_passed"


def test_an_objection_that_is_upheld_rejects_the_item_at_once(rent):
    rent.say("publicity", "reject")
    (item,) = rent.story.items
    assert (item.phase, item.outcome, item.decided_at) == ("ended", "rejected", rent.at)
    assert rent.story.kinds()[-4:] == [
        "stage_rejected", "item_rejected", "item_ended", "ticket_closed",
    ]  # fmt: skip


def test_what_somebody_looks_into_is_left_to_them(rent, clerk):
    at = over(rent)
    task = {"id": rent.one("publicity").task.id}
    assert claim(clerk, task).status_code == 200
    assert rent.run(TIMER, at=at) == 0
    assert rent.run(TIMER, at=at + timedelta(days=60)) == 0
    assert release(clerk, task).status_code == 200
    assert rent.run(TIMER, at=at) == 1
    refused(claim(clerk, task), 409, "task_closed")


def test_it_ends_once_however_often_the_timer_comes(rent, footprint):
    at = over(rent)
    assert rent.run(TIMER, at=at) == 1
    before = footprint()
    assert rent.run(TIMER, at=at) == 0
    assert footprint() == before


def test_a_timer_that_dies_half_way_leaves_it_to_the_next(rent, timer, monkeypatch, footprint):
    at, before = over(rent), footprint()
    with monkeypatch.context() as patch:
        patch.setattr(Act, "_close", lambda act: 1 / 0)
        assert timer.run(TIMER, at=at) == 0
    assert footprint() == before
    assert timer.run(TIMER, at=at) >= 1
    assert rent.stages() == ["decision"]


def test_what_somebody_works_on_waits_for_the_next_time(rent, timer, database):
    at = over(rent)
    with database.transaction(Scope.system("demo")) as session:
        session.execute(select(Ticket).where(Ticket.id == rent.ticket).with_for_update())
        timer.run(TIMER, at=at)
    assert rent.stages() == ["publicity"]
    timer.run(TIMER, at=at)
    assert rent.stages() == ["decision"]


def test_two_notices_of_one_ticket_end_together(walk):
    both = walk("recognition", "housing_rent")
    both.until("publicity", offering="recognition")
    both.until("publicity", offering="housing_rent")
    assert both.stages() == ["publicity", "publicity"]
    latest = max(todo.task.due_at for todo in both.todo())
    assert both.run(TIMER, at=latest + A_SECOND) == 2
    assert both.stages() == ["decision"]  # that of the subsidy waits for the recognition


def test_a_notice_that_somebody_holds_has_no_alarm(rent, clerk):
    """Released, it has its alarm again: time ends it as if nobody had looked into it."""
    (todo,) = rent.todo()
    assert todo.task.next_alarm_at == todo.task.due_at
    claim(clerk, {"id": todo.task.id})
    assert task_by_id(rent.database, todo.task.id).next_alarm_at is None
    release(clerk, {"id": todo.task.id})
    assert task_by_id(rent.database, todo.task.id).next_alarm_at == todo.task.due_at


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 15


@pytest.fixture
def two_notices(database, walk):
    """A rent subsidy with two notices at once, and a check behind the first that is not passed."""
    pack = demo_pack()
    flow = pack.offerings["housing_rent"].flow
    stages = {stage["key"]: stage for stage in flow["stages"]}
    first = stages["publicity"] | {"after": ["acceptance"]}
    check = {
        "key": "class",
        "kind": "check",
        "title": {"zh": "类别校验", "en": "Class checked"},
        "after": ["publicity"],
        "limit": {"working_days": 1},
        "checks": {"fact": "recognition.class", "is": "A"},
        "sees": {"sections": {}},
    }
    decision = stages["decision"] | {"after": ["class", "second"]}
    changed = [stages["acceptance"], first, first | {"key": "second"}, check, decision]
    publish(database, with_flow(pack, "housing_rent", {**flow, "stages": changed}))
    yield walk("housing_rent")
    publish(database, pack)


def test_a_notice_whose_item_another_has_ended_is_left_alone(two_notices):
    """Both are over at the same moment; the check behind the first ends the item."""
    rent = two_notices
    rent.say("acceptance")
    assert rent.stages() == ["publicity", "second"]
    assert rent.run(TIMER, at=over(rent)) == 1
    (item,) = rent.story.items
    assert (item.phase, item.outcome) == ("ended", "rejected")
    assert rent.stages() == []
