"""Where four eyes are asked for, nobody follows themselves."""

from __future__ import annotations

import pytest

from service.kernel import clock
from tests.tickets import invariants
from tests.tickets.asking import claim, decide, refused, release

PEOPLE = "human_resources"


@pytest.fixture
def somebody(hire):
    """A clerk and head in one person."""
    return hire((PEOPLE, "clerk"), (PEOPLE, "head"))


@pytest.fixture
def placement(world, walk):
    """A spouse without a post, who is recommended to employers; then the head decides."""
    talent = world.talent()
    example = {"last_post": "none", "last_employer": None, "first_wish": "enterprise"}
    wanted = ("spouse", world.spouse(talent))
    placement = walk(wanted, talent=talent, at=clock.now(), spouse=example)
    placement.until("recommendation")
    return placement


def test_whoever_did_the_stage_before_may_not_take_the_next(acting, placement, somebody, footprint):
    placement.say("recommendation", by=acting(somebody))
    task, before = {"id": placement.one("decision").task.id}, footprint()
    refused(claim(somebody, task), 403, "four_eyes")
    assert footprint() == before
    assert somebody.get(f"/v1/desk/tasks/{task['id']}").json["state"] == "open"


def test_they_are_told_so_in_both_languages(acting, placement, somebody):
    placement.say("recommendation", by=acting(somebody))
    path = f"/v1/desk/tasks/{placement.one('decision').task.id}/claim"
    for tongue, words in (
        ("zh-CN", "同一申请的前一环节由您办理，本环节须由他人办理。"),
        ("en", "You did the stage before; this one needs somebody else."),
    ):
        answer = somebody.post(path, headers={"Accept-Language": tongue})
        assert answer.json["detail"] == words


def test_somebody_else_may(world, acting, placement, somebody):
    placement.say("recommendation", by=acting(somebody))
    head, task = world.staff(f"head.{PEOPLE}"), placement.one("decision")
    claimed = claim(head, {"id": task.task.id}).json
    assert decide(head, claimed, "approve", result=task.example).status_code == 200


@pytest.mark.parametrize("stage", ["acceptance", "verification"])
def test_nor_may_who_did_an_earlier_one(world, acting, walk, somebody, stage):
    talent = world.talent()
    wanted = ("spouse", world.spouse(talent))
    placement = walk(wanted, talent=talent, at=clock.now(), spouse={"last_post": "private"})
    placement.until(stage)
    placement.say(stage, by=acting(somebody))
    placement.until("decision")
    task = {"id": placement.one("decision").task.id}
    refused(claim(somebody, task), 403, "four_eyes")


def test_nor_where_time_passed_the_stage_between(acting, walk, somebody):
    """Nobody did the publicity; who reviewed before it still cannot decide."""
    recognition = walk("recognition")
    recognition.until("qualification")
    recognition.say("qualification", by=acting(somebody))
    recognition.until("decision")
    task = {"id": recognition.one("decision").task.id}
    refused(claim(somebody, task), 403, "four_eyes")


def test_whoever_gave_the_task_back_did_not_do_it(placement, somebody):
    task = {"id": placement.one("recommendation").task.id}
    claim(somebody, task)
    release(somebody, task)
    placement.say("recommendation")
    assert claim(somebody, {"id": placement.one("decision").task.id}).status_code == 200


def test_where_the_stage_before_had_two_rounds_both_count(world, acting, walk, hire):
    talent = world.talent()
    placement = walk(("spouse", world.spouse(talent)), talent=talent, at=clock.now())
    first, second = (hire((PEOPLE, "clerk"), (PEOPLE, "head")) for _ in range(2))
    placement.until("consent")
    placement.say("consent", "reject", by=acting(first))
    placement.say("matching")
    placement.say("consent", by=acting(second))
    task = {"id": placement.one("decision").task.id}
    for one in (first, second):
        refused(claim(one, task), 403, "four_eyes")


def test_of_two_stages_before_both_count(world, acting, walk, hire, establish):
    talent = world.talent()
    establish(talent, "recognition", {"class": "D", "level": "district"})
    medical = walk("medical", talent=talent, at=clock.now())
    posts = ("health", "clerk"), ("health", "reviewer"), ("public_security", "clerk")
    doctor, family = hire(*posts), hire(*posts)
    medical.until("family")
    medical.say("hospital", by=acting(doctor))
    medical.say("family", by=acting(family))
    task = {"id": medical.one("decision").task.id}
    for one in (doctor, family):
        refused(claim(one, task), 403, "four_eyes")
    assert claim(hire(*posts), task).status_code == 200


def test_where_they_are_not_asked_for_one_person_may_do_all(acting, walk, hire):
    posts = ("public_security", "clerk"), ("public_security", "reviewer")
    everything = acting(hire(*posts))
    settlement = walk("settlement")
    settlement.say("acceptance", by=everything)
    settlement.say("decision", by=everything)
    assert settlement.story.items[0].outcome == "approved"


def test_a_role_that_is_missing_is_said_first(acting, placement, hire):
    clerk = hire((PEOPLE, "clerk"))
    placement.say("recommendation", by=acting(clerk))
    refused(claim(clerk, {"id": placement.one("decision").task.id}), 403, "role_missing")


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 5
