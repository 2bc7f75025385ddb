"""A stage in the hands of several departments: all of them, or so many, must pass it."""

from __future__ import annotations

import pytest

from service.routing.flow import Verdict
from tests.packs import demo_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.asking import claim, decide, refused, release

BUILDERS, PEOPLE, MONEY = "construction", "human_resources", "finance"
COUNTED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["count"],
    "properties": {"count": {"type": "integer", "minimum": 0, "maximum": 9}},
    "examples": [{"count": 1}],
}


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def rent(walk, talent):
    """A rent subsidy that two departments review."""
    rent = walk("housing_rent", talent=talent)
    rent.until("review")
    return rent


@pytest.fixture
def purchase(walk, talent):
    """A purchase subsidy that three departments review, of which two are enough."""
    purchase = walk("housing_purchase", talent=talent)
    purchase.until("joint_review")
    return purchase


def review(walk, offering="housing_rent", key="review"):
    story = walk.story
    return next(stage for stage in story.of(story.item(offering), story.stages) if stage.key == key)


def tasks(walk, stage):
    return {task.department: task for task in walk.story.tasks if task.stage_id == stage.id}


def test_every_department_has_a_task_of_its_own(rent):
    stage = review(rent)
    assert stage.departments == [BUILDERS, PEOPLE]
    held = tasks(rent, stage)
    assert list(held) == stage.departments
    assert {(task.status, task.role) for task in held.values()} == {("open", "clerk")}
    assert {task.due_at for task in held.values()} == {stage.due_at}


def test_each_sees_its_own_alone(world, rent):
    held = tasks(rent, review(rent))
    path = f"/v1/desk/tasks/{held[PEOPLE].id}"
    assert world.staff(f"clerk.{PEOPLE}").get(path).json["stage"] == "review"
    assert world.staff(f"clerk.{BUILDERS}").get(path).status_code == 404


def test_the_stage_is_passed_when_both_have_passed_it(rent):
    rent.say("review", department=PEOPLE)
    assert (review(rent).status, review(rent).verdict) == ("open", None)
    assert rent.stages() == ["review"]
    rent.say("review", department=BUILDERS)
    assert (review(rent).status, review(rent).verdict) == ("closed", "pass")
    assert rent.stages() == ["publicity"]
    kinds = rent.story.kinds(rent.story.items[0])
    assert kinds[-3:] == ["vote_given", "vote_told", "stage_passed"]


def test_one_that_rejects_takes_the_other_departments_task_away(world, rent):
    builder = world.staff(f"clerk.{BUILDERS}")
    task = claim(builder, {"id": tasks(rent, review(rent))[BUILDERS].id}).json
    rent.say("review", "reject", department=PEOPLE)
    item = rent.story.items[0]
    assert (item.phase, item.outcome) == ("ended", "rejected")
    assert rent.todo() == []
    refused(decide(builder, task, "pass"), 409, "task_closed")
    refused(release(builder, task), 409, "task_closed")
    refused(claim(world.staff(f"clerk.{BUILDERS}"), task), 409, "task_closed")
    shown = builder.get(f"/v1/desk/tasks/{task['id']}").json
    assert (shown["state"], shown["verdict"], shown["light"]) == ("cancelled", None, None)
    assert (review(rent).status, review(rent).verdict) == ("closed", "reject")


def test_a_rejection_is_told_once_for_the_item(rent, talent, told):
    rent.say("review", department=BUILDERS)
    rent.say("review", "reject", department=PEOPLE)
    kinds = rent.story.kinds(rent.story.items[0])
    assert kinds[-5:] == [
        "vote_given",
        "vote_told",
        "stage_rejected",
        "item_rejected",
        "item_ended",
    ]
    assert rent.story.kinds()[-1] == "ticket_closed"
    for _ in range(2):
        notices = told(talent, rent.ticket)
        assert notices == ["ticket_filed", "item_accepted", "item_rejected", "ticket_closed"]


def test_a_timeline_says_who_has_rejected(rent, talent):
    rent.say("review", "reject", department=PEOPLE)
    lines = talent.get(f"/v1/tickets/{rent.ticket}/timeline").json["items"]
    texts = {line["kind"]: line["text"] for line in lines}
    assert texts["stage_rejected"] == {
        "zh": "人才租房补贴：人力资源和社会保障局审核未通过。",
        "en": (
            "Rent subsidy for talents: not passed by Human Resources and Social Security Bureau."
        ),
    }


def test_two_of_three_are_enough_and_the_third_need_not_answer(world, purchase):
    stage = review(purchase, "housing_purchase", "joint_review")
    assert stage.departments == [BUILDERS, PEOPLE, MONEY]
    held = tasks(purchase, stage)
    banker = world.staff(f"reviewer.{MONEY}")
    claimed = claim(banker, {"id": held[MONEY].id}).json
    purchase.say("joint_review", department=BUILDERS)
    assert len(purchase.todo()) == 2
    purchase.say("joint_review", department=PEOPLE)
    assert purchase.stages() == ["publicity"]
    refused(decide(banker, claimed, "reject"), 409, "task_closed")
    states = {name: task.status for name, task in tasks(purchase, stage).items()}
    assert states == {BUILDERS: "closed", PEOPLE: "closed", MONEY: "cancelled"}


def test_one_of_three_may_reject(purchase):
    purchase.say("joint_review", "reject", department=MONEY)
    assert purchase.stages() == ["joint_review", "joint_review"]
    purchase.say("joint_review", department=BUILDERS)
    purchase.say("joint_review", department=PEOPLE)
    assert purchase.stages() == ["publicity"]
    kinds = purchase.story.kinds()
    assert (kinds.count("vote_told"), kinds.count("item_rejected")) == (2, 0)


def test_two_of_three_may_not(purchase):
    purchase.say("joint_review", "reject", department=MONEY)
    purchase.say("joint_review", "reject", department=PEOPLE)
    item = purchase.story.items[0]
    assert (item.phase, item.outcome) == ("ended", "rejected")
    stage = review(purchase, "housing_purchase", "joint_review")
    assert tasks(purchase, stage)[BUILDERS].status == "cancelled"
    assert purchase.story.kinds().count("item_rejected") == 1


def test_the_applicant_sees_one_stage_with_all_its_departments(rent, talent):
    rent.say("review", department=BUILDERS)
    item = talent.get(f"/v1/tickets/{rent.ticket}").json["items"][0]
    stage = item["stages"][-1]
    assert (stage["key"], stage["state"], stage["verdict"]) == ("review", "open", None)
    assert (stage["department"], stage["departments"]) == (BUILDERS, [BUILDERS, PEOPLE])


@pytest.fixture
def counting(database):
    """Here the joint review records something."""
    flow = demo_pack().offerings["housing_rent"].flow
    stages = [
        stage | {"records": COUNTED} if stage["key"] == "review" else stage
        for stage in flow["stages"]
    ]
    publish(database, with_flow(demo_pack(), "housing_rent", {**flow, "stages": stages}))
    yield
    publish(database, demo_pack())


def test_each_department_records_a_result_of_its_own(counting, world, walk):
    rent = walk("housing_rent")
    rent.until("review")
    for department, count in ((BUILDERS, 3), (PEOPLE, 5)):
        rent.say("review", department=department, result={"count": count})
    held = tasks(rent, review(rent))
    for department, count in ((BUILDERS, 3), (PEOPLE, 5)):
        clerk = world.staff(f"clerk.{department}")
        shown = clerk.get(f"/v1/desk/tasks/{held[department].id}").json
        assert (shown["result"], shown["verdict"]) == ({"count": count}, Verdict.PASS)


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 10
