"""What was sent and nobody asks for: not kept, not shown to a department, and said so."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.catalogue.rules.definitions import SectionForm
from service.catalogue.rules.forms import Form
from service.catalogue.rules.pack import Scope
from service.routing.conditions.asked import parse_condition
from tests.materials.handing_in import upload
from tests.packs import demo_pack, publish, whole_pack
from tests.papers import with_documents

TRANSFER = {"entry": "transfer", "present_school": "杭州市文澜小学"}


@pytest.fixture(scope="module", autouse=True)
def documents_are_asked(app, database):
    publish(database, whole_pack())
    yield
    publish(database, demo_pack())


@pytest.fixture
def talent(world):
    return world.talent()


def filed(talent, body, key=None):
    answer = talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": key or uuid4().hex})
    assert answer.status_code == 201, answer.json
    return answer.json


def everything(talent, body):
    """A filing with one of every document that may be asked for with it."""
    return with_documents(body, lambda code: upload(talent, code=code)["id"])


def material(code):
    return {"section": None, "field": None, "material": code}


def field(section, name):
    return {"section": section, "field": name, "material": None}


def handed(item):
    return {one["code"] for one in item["materials"]}


def test_documents_whose_condition_does_not_hold_are_left_out_and_said_so(world, talent):
    """Who goes to a collective household alone is asked for no home and no family."""
    alone = {"into": "collective", "with_spouse": False, "children": 0}
    body = everything(talent, world.filing("settlement", household=alone))
    [item] = filed(talent, body)["items"]
    needless = {
        "marriage_certificate", "birth_certificate", "property_certificate", "lease_contract"
    }  # fmt: skip
    assert {one["material"] for one in item["left_out"]} >= needless
    assert all(one["section"] is None for one in item["left_out"])
    kept = talent.get(f"/v1/items/{item['id']}").json
    assert kept["left_out"] == item["left_out"]
    assert handed(kept) == handed_in(body) - {one["material"] for one in item["left_out"]}


def handed_in(body):
    own = [one for item in body["items"] for one in item["materials"]]
    return {one["code"] for one in (*body["materials"], *own)}


def test_no_department_is_shown_them(world, talent, superuser):
    alone = {"into": "collective", "with_spouse": False, "children": 0}
    body = everything(talent, world.filing("settlement", household=alone))
    [item] = filed(talent, body)["items"]
    rows = superuser.execute(
        "SELECT count(*) FROM ticket_materials m JOIN items i USING (district_id, ticket_id)"
        " WHERE i.id = %s AND m.code IN ('marriage_certificate', 'birth_certificate')",
        (item["id"],),
    ).fetchone()
    assert rows == (0,)
    clerk = world.staff("clerk.public_security")
    task = world.claimed(clerk, item["number"])
    shown = clerk.get(f"/v1/desk/tasks/{task['id']}").json["materials"]
    assert shown
    assert not {one["code"] for one in shown} & {one["material"] for one in item["left_out"]}


def test_what_holds_is_kept(world, talent):
    family = {"into": "own_home", "with_spouse": True, "children": 1}
    body = everything(talent, world.filing("settlement", household=family))
    [item] = filed(talent, body)["items"]
    left_out = {one["material"] for one in item["left_out"]}
    assert not left_out & {"marriage_certificate", "birth_certificate", "property_certificate"}


def test_a_shared_document_counts_for_those_items_alone_that_ask_for_it(world, talent):
    """One child is at school by the lease, the other by the household."""
    by_lease, by_household = world.child(talent), world.child(talent, name="张小雨")
    body = world.filing(("schooling", by_lease), ("schooling", by_household))
    body["items"][0]["sections"]["schooling"] |= {"proof": "lease"}
    body["items"][1]["sections"]["schooling"] |= {"proof": "household"}
    body = everything(talent, body)
    first, second = filed(talent, body)["items"]
    assert material("lease_contract") not in first["left_out"]
    assert material("lease_contract") in second["left_out"]
    detail = [talent.get(f"/v1/items/{one['id']}").json for one in (first, second)]
    assert ["lease_contract" in handed(one) for one in detail] == [True, False]


@pytest.mark.parametrize(
    ("changes", "dropped"),
    [
        ({"entry": "new", "present_school": "杭州市文澜小学"}, {"present_school"}),
        ({"seat_by": "proximity", "first_choice": "实验小学"}, {"first_choice"}),
        # not even looked at: what does not apply cannot be wrong
        ({"entry": "new", "present_school": "\u200b"}, {"present_school"}),
        ({"entry": "new", "present_school": 7}, {"present_school"}),
        (TRANSFER, set()),
    ],
)
def test_fields_that_do_not_apply_are_left_out_and_said_so(world, talent, changes, dropped):
    child = world.child(talent)
    body = world.filing(("schooling", child))
    body["items"][0]["sections"]["schooling"] |= changes
    [item] = filed(talent, everything(talent, body))["items"]
    told = [one for one in item["left_out"] if one["section"]]
    assert told == [field("schooling", name) for name in dropped]
    kept = talent.get(f"/v1/items/{item['id']}").json["sections"]["schooling"]
    assert not dropped & set(kept)
    assert set(changes) - dropped <= set(kept)


def test_the_same_filing_again_says_the_same(world, talent):
    child = world.child(talent)
    body = world.filing(("schooling", child))
    body["items"][0]["sections"]["schooling"] |= {"entry": "new", "present_school": "文澜小学"}
    body = everything(talent, body)
    first, again = filed(talent, body, "left-out-1"), filed(talent, body, "left-out-1")
    assert first["items"] == again["items"]
    assert first["items"][0]["left_out"]


def test_a_draft_keeps_what_is_in_it(world, talent):
    body = world.filing(("schooling", world.child(talent)))
    body["items"][0]["sections"]["schooling"] |= {"entry": "new", "present_school": "文澜小学"}
    draft = talent.post(
        "/v1/tickets", json=body | {"file": False}, headers={"Idempotency-Key": uuid4().hex}
    ).json
    kept = draft["draft"]["items"][0]["sections"]["schooling"]
    assert kept["present_school"] == "文澜小学"


CHAIN = SectionForm(
    "x",
    Scope.ITEM,
    {},
    {},
    Form({}),
    (),
    {
        "b": parse_condition({"field": "x.a", "is": True}),
        "c": parse_condition({"field": "x.b", "is": True}),
    },
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys("abc", st.booleans() | st.none())))
def test_a_field_that_depends_on_one_that_is_left_out_is_left_out(answers):
    kept, gone = CHAIN.applying(answers, today=date(2026, 6, 1))
    assert {**kept, **{name: answers[name] for name in gone}} == answers
    if answers.get("a") is False:
        assert "b" not in kept
        assert "c" not in kept or "b" not in answers
    assert CHAIN.applying(kept, today=date(2026, 6, 1)) == (kept, ())


@pytest.mark.parametrize("answers", [None, [], "x", 1, {}])
def test_what_is_no_section_is_left_as_it_is(answers):
    assert CHAIN.applying(answers, today=date(2026, 6, 1)) == (answers, ())
