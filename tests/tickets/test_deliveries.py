"""What came of an item, as its applicant is told: the decision's result, then each delivery's."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.packs import demo_pack, publish, with_flow

SEAT = {"school": "东湾高新区实验小学", "grade": 1}
NOTICE = {"notice_number": "RX-2026-000219"}
COUNTED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["count"],
    "properties": {"count": {"type": "integer", "minimum": 1, "x-title": {"zh": "数", "en": "X"}}},
    "examples": [{"count": 1}],
}
BUILDERS, PEOPLE = "construction", "human_resources"


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def told(talent):
    """An item as its applicant is told of it with the ticket, which is as by itself."""

    def look(walk, offering, subject=None):
        item = str(walk.story.item(offering, subject).id)
        ticket = talent.get(f"/v1/tickets/{walk.ticket}").json
        with_it = next(one for one in ticket["items"] if one["id"] == item)
        alone = talent.get(f"/v1/items/{item}").json
        assert {name: alone[name] for name in with_it} == with_it
        return with_it

    return look


@pytest.fixture
def schooling(world, walk, talent):
    schooling = walk(("schooling", world.child(talent)), talent=talent)
    schooling.until("decision")
    return schooling


def test_nothing_before_the_decision(schooling, told):
    """What was suggested to it stays between departments."""
    item = told(schooling, "schooling")
    assert (item["result"], item["deliveries"]) == (None, [])


def test_the_decision_then_its_delivery(schooling, told):
    schooling.say("decision", result=SEAT)
    item = told(schooling, "schooling")
    assert (item["phase"], item["result"], item["deliveries"]) == ("fulfilment", SEAT, [])
    schooling.say("registration", result=NOTICE)
    item = told(schooling, "schooling")
    assert (item["phase"], item["result"]) == ("ended", SEAT)
    (delivery,) = item["deliveries"]
    assert delivery.pop("delivered_at").startswith(schooling.at.isoformat()[:16])
    shown = delivery["result_shown"]
    assert {one["code"]: one["value"] for one in shown} == NOTICE
    assert all(one["title"]["zh"] and one["title"]["en"] for one in shown)
    assert delivery == {
        "stage": "registration",
        "title": {"zh": "入学通知与报到注册", "en": "Notice and registration"},
        "department": "education",
        "department_name": {"zh": "教育局", "en": "Education Bureau"},
        "result": NOTICE,
        "result_shown": shown,
    }


def test_each_child_has_its_own(world, walk, talent, told):
    children = [world.child(talent) for _ in range(2)]
    both = walk(*(("schooling", child) for child in children), talent=talent)
    for number, child in enumerate(children):
        item = both.story.item("schooling", child).id
        both.until("registration", item=item)
        both.say("registration", result={"notice_number": f"RX-2026-{number}"}, item=item)
    numbers = [told(both, "schooling", child)["deliveries"][0]["result"] for child in children]
    assert numbers == [{"notice_number": f"RX-2026-{number}"} for number in range(2)]


def test_a_delivery_that_records_nothing(world, walk, talent, told):
    spouse = walk(("spouse", world.spouse(talent)), talent=talent)
    spouse.through()
    item = told(spouse, "spouse")
    assert item["result"]
    assert item["deliveries"] == []


def test_a_refusal(schooling, told):
    schooling.say("decision", "reject")
    item = told(schooling, "schooling")
    assert (item["outcome"], item["result"], item["deliveries"]) == ("rejected", None, [])


@contextmanager
def delivered_by_two(database, join):
    """The rent subsidy is paid out by two departments, each of which counts."""
    flow = demo_pack().offerings["housing_rent"].flow
    review, decision = (
        next(one for one in flow["stages"] if one["key"] == key) for key in ("review", "decision")
    )
    decision = decision | {"records": COUNTED, "gives": []}
    paying = {name: review[name] for name in ("departments", "role", "limit", "sees")}
    paying |= {"key": "paying", "kind": "fulfilment", "title": {"zh": "发放", "en": "Payment"}}
    paying |= {"after": ["decision"], "join": join, "records": COUNTED}
    stages = [decision if one["key"] == "decision" else one for one in flow["stages"]]
    publish(database, with_flow(demo_pack(), "housing_rent", {**flow, "stages": [*stages, paying]}))
    try:
        yield
    finally:
        publish(database, demo_pack())


def test_names_that_a_decision_and_two_departments_share(database, walk, talent, told):
    """Nothing is merged: each says whose it is, in the order in which they came."""
    with delivered_by_two(database, "all"):
        rent = walk("housing_rent", talent=talent)
        rent.until("paying")
        for count, department in enumerate((PEOPLE, BUILDERS), 2):
            rent.say("paying", department=department, result={"count": count})
            rent.at = rent.at.replace(minute=count)
    item = told(rent, "housing_rent")
    assert item["result"] == {"count": 1}
    assert [(one["department"], one["result"]) for one in item["deliveries"]] == [
        (PEOPLE, {"count": 2}),
        (BUILDERS, {"count": 3}),
    ]


def test_one_of_two_is_enough(database, walk, talent, told):
    with delivered_by_two(database, "any"):
        rent = walk("housing_rent", talent=talent)
        rent.until("paying")
        rent.say("paying", department=BUILDERS, result={"count": 5})
    (delivery,) = told(rent, "housing_rent")["deliveries"]
    assert (delivery["department"], delivery["result"]) == (BUILDERS, {"count": 5})


def test_they_cost_no_statement_of_their_own(schooling, talent, sql_count):
    schooling.say("decision", result=SEAT)
    costs = []
    for _ in range(2):
        talent.get(f"/v1/tickets/{schooling.ticket}")
        with sql_count() as sent:
            assert talent.get(f"/v1/tickets/{schooling.ticket}").status_code == 200
        costs.append(sent.total)
        if schooling.todo():
            schooling.say("registration", result=NOTICE)
    assert costs == [8, 8]  # with the key of the applicant
