"""Votes of a joint stage are told when it ends; what its departments return is asked once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.applicants.actions.correct import correct_item
from service.applicants.actions.withdraw import withdraw_item
from service.routing.flow import Verdict
from service.tickets.rules.corrections import Point
from tests.packs import demo_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.asking import claim, decide, refused
from tests.tickets.racing import reviews
from tests.tickets.walking import A_SECOND

BUILDERS, PEOPLE, MONEY = "construction", "human_resources", "finance"
SECTIONS = {BUILDERS: "employment", PEOPLE: "applicant", MONEY: "employment"}


@pytest.fixture(params=["all", "any", {"quorum": 2}], ids=["all", "any", "quorum"])
def join(request):
    return request.param


@pytest.fixture
def joint(database, join):
    """A rent subsidy that three departments review."""
    flow = reviews(["review"], [BUILDERS, PEOPLE, MONEY], join=join)
    publish(database, with_flow(demo_pack(), "housing_rent", flow))
    yield
    publish(database, demo_pack())


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def rent(joint, walk, talent):
    rent = walk("housing_rent", talent=talent)
    rent.until("review")
    return rent


def returns(walk, department, *, at=None):
    todo = walk.one("review", department)
    clerk = walk.somebody(f"clerk.{department}")
    version = clerk.claim(todo.task.id, at=at or walk.at).version
    points = [Point(f"请核对（{department}）", section=SECTIONS[department])]
    clerk.decide(todo.task.id, version, Verdict.RETURN, points=points, at=at or walk.at)


def stage(walk):
    return [one for one in walk.story.stages if one.key == "review"][-1]


def lines(talent, walk):
    return talent.get(f"/v1/tickets/{walk.ticket}/timeline").json["items"]


def shown(talent, walk):
    return talent.get(f"/v1/items/{walk.story.items[0].id}").json


@pytest.mark.parametrize("join", ["all", {"quorum": 2}], indirect=True)
def test_a_vote_is_internal_until_the_stage_ends(rent, talent, told):
    before, notices = lines(talent, rent), told(talent, rent.ticket)
    rent.say("review", department=BUILDERS)
    assert lines(talent, rent) == before
    assert shown(talent, rent)["stages"][-1]["verdict"] is None
    rent.say("review", department=PEOPLE)
    if stage(rent).status == "open":
        assert lines(talent, rent) == before
        rent.say("review", department=MONEY)
    ended = [(line["kind"], line["text"]["en"]) for line in lines(talent, rent)[len(before) :]]
    kinds = [kind for kind, _ in ended]
    assert kinds[-1] == "stage_passed"
    assert set(kinds[:-1]) == {"vote_told"}
    assert len({text for _, text in ended}) == len(ended), "each names its department"
    assert told(talent, rent.ticket) == notices


@pytest.mark.parametrize("join", [{"quorum": 2}], indirect=True)
def test_who_was_overruled_is_told_too(rent, talent):
    rent.say("review", "reject", department=MONEY)
    for department in (BUILDERS, PEOPLE):
        rent.say("review", department=department)
    texts = [line["text"]["en"] for line in lines(talent, rent)[-3:]]
    assert sum(text.endswith("not passed by Finance Bureau.") for text in texts) == 1


def test_what_two_departments_return_is_asked_once(rent, talent, told, acting, database):
    """With the points of both, when the third has spoken; answered at once, and all do it again."""
    returns(rent, BUILDERS)
    before = lines(talent, rent)
    assert shown(talent, rent)["corrections"] == []
    assert rent.story.items[0].hold is None
    rent.at += timedelta(hours=1)
    returns(rent, PEOPLE)
    assert lines(talent, rent) == before
    rent.at += timedelta(hours=1)
    rent.say("review", "reject", department=MONEY)
    (item,) = rent.story.items
    asked = rent.story.corrections
    assert {(one.sent_at, one.asked_at, one.due_at) for one in asked} == {
        (rent.at, rent.at, item.hold_until)
    }
    points = [
        point["section"] for one in shown(talent, rent)["corrections"] for point in one["points"]
    ]
    assert points == [SECTIONS[BUILDERS], SECTIONS[PEOPLE]]
    assert told(talent, rent.ticket).count("item_returned") == 1
    ended = lines(talent, rent)[len(before) :]
    assert [line["kind"] for line in ended] == ["vote_told", "vote_told", "item_returned"]
    assert [line["reason"] is not None for line in ended] == [True, False, True], (
        "of who returned it"
    )
    sections = {code: rent.body["sections"][code] for code in points}
    about = {"item_id": item.id, "version": item.version, "at": rent.at}
    acting(talent)(correct_item, sections=sections, **about)
    assert rent.stages() == ["review"] * 3
    assert stage(rent).round == 2
    assert all(one.answered_at for one in rent.story.corrections)
    assert invariants.check(database, [rent.ticket]) == 1


def test_who_is_silent_is_waited_for_until_the_limit(rent, talent, world, told, database):
    returns(rent, PEOPLE)
    due = stage(rent).due_at
    silent = claim(world.staff(f"clerk.{MONEY}"), {"id": rent.one("review", MONEY).task.id}).json
    assert rent.run("alarms", at=due) == 0
    assert rent.run("alarms", at=due + A_SECOND) == 1
    assert (stage(rent).status, stage(rent).verdict) == ("closed", "return")
    assert told(talent, rent.ticket)[-1] == "item_returned"
    (*_, line) = lines(talent, rent)
    assert "Human Resources and Social Security Bureau" in line["text"]["en"]
    assert line["reason"] is not None, "that of who returned it, though time ended the stage"
    refused(decide(world.staff(f"clerk.{MONEY}"), silent, "pass"), 409, "task_closed")
    assert rent.run("alarms", at=due + A_SECOND) == 0
    assert invariants.check(database, [rent.ticket]) == 1


def test_once_the_limit_has_passed_nobody_is_waited_for(rent):
    returns(rent, PEOPLE, at=stage(rent).due_at + A_SECOND)
    assert (stage(rent).status, stage(rent).verdict) == ("closed", "return")
    assert rent.story.items[0].hold == "correction"


def test_what_is_withdrawn_meanwhile_asks_nothing(rent, talent, acting, told, database):
    returns(rent, BUILDERS)
    (item,) = rent.story.items
    about = {"item_id": item.id, "version": item.version, "at": rent.at}
    acting(talent)(withdraw_item, **about)
    (one,) = rent.story.corrections
    assert (one.sent_at, one.dropped_because) == (None, "ended")
    assert shown(talent, rent)["corrections"] == []
    kinds = {line["kind"] for line in lines(talent, rent)}
    assert not kinds & {"vote_told", "item_returned", "correction_dropped"}
    assert invariants.check(database, [rent.ticket]) == 1


def test_a_stage_is_returned_once(rent, talent, acting):
    """In the round after the correction no department may return it again."""
    for department in (BUILDERS, PEOPLE, MONEY):
        returns(rent, department)
    (item,) = rent.story.items
    sections = {code: rent.body["sections"][code] for code in set(SECTIONS.values())}
    about = {"item_id": item.id, "version": item.version, "at": rent.at}
    acting(talent)(correct_item, sections=sections, **about)
    with pytest.raises(Exception, match="returned_already"):
        returns(rent, BUILDERS)
