"""The form under which an item was filed, whatever has been published since."""

from __future__ import annotations

import copy
from dataclasses import replace
from uuid import uuid4

import pytest

from service.catalogue.queries.form import filed_form
from service.catalogue.rules.contents import offering_content
from service.catalogue.rules.definitions import compile_offering
from tests.packs import demo_pack, publish, whole_pack
from tests.tickets.asking import decide

POLICE = "public_security"


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


@pytest.fixture
def item(world, talent):
    return world.ticket(talent, "settlement")["items"][0]


@pytest.fixture
def republished(database, item):
    """After it was filed, the section asks for one more thing, and no longer for another."""
    pack = demo_pack()
    household = copy.deepcopy(pack.sections["household"])
    schema = dict(household.schema)
    schema["properties"] = dict(schema["properties"])
    del schema["properties"]["children"]
    schema["properties"]["reason"] = {"type": "string", "x-title": {"zh": "事由", "en": "Why"}}
    schema["required"] = [one for one in schema["required"] if one != "children"] + ["reason"]
    changed = replace(household, schema=schema)
    publish(database, replace(pack, sections={**pack.sections, "household": changed}))
    yield item
    publish(database, pack)


def form_of(who, path):
    answer = who.get(f"/v1/{path}/form")
    assert answer.status_code == 200, answer.json
    return answer.json


def fields(form, code):
    section = next(one for one in form["sections"] if one["code"] == code)
    return set(section["schema"]["properties"])


def test_an_item_keeps_the_form_it_was_filed_under(talent, republished):
    now = talent.get("/v1/bundles/arrival/form?offerings=settlement").json
    form = form_of(talent, f"items/{republished['id']}")
    assert "reason" in fields(now, "household")
    assert "children" in fields(form, "household")
    assert "reason" not in fields(form, "household")
    assert (form["offering"], form["title"]) == ("settlement", republished["title"])


def test_a_correction_is_answered_by_it(world, talent, clerk, republished):
    """What the form shows as an example is what the correction takes."""
    task = world.claimed(clerk, republished["number"])
    decide(clerk, task, "return", corrections=[{"what": "请核对", "section": "household"}])
    form = form_of(talent, f"items/{republished['id']}")
    household = next(one for one in form["sections"] if one["code"] == "household")
    seen = talent.get(f"/v1/items/{republished['id']}").headers["ETag"]
    answer = talent.post(
        f"/v1/items/{republished['id']}/correction",
        json={"sections": {"household": household["schema"]["examples"][0]}},
        headers={"If-Match": seen},
    )
    assert answer.status_code == 200, answer.json


def test_answers_stay_in_its_words(talent, republished):
    told = talent.get(f"/v1/items/{republished['id']}").json["sections_shown"]
    assert [one["code"] for one in told] == ["applicant", "employment", "residence", "household"]
    household = {one["code"]: one for one in told[-1]["fields"]}
    assert household["children"]["title"]["en"] == "Minor children who move along"
    assert household["with_spouse"]["text"]["zh"] in {"是", "否"}


def test_a_desk_has_the_fields_that_its_stage_sees(world, talent):
    stages = demo_pack().offerings["housing_rent"].flow["stages"]
    sees = next(one["sees"]["sections"] for one in stages if one["key"] == "acceptance")
    item = world.ticket(talent, "housing_rent")["items"][0]
    builder = world.staff("clerk.construction")
    task = world.open_task(builder, item["number"])
    form = form_of(builder, f"desk/tasks/{task['id']}")
    assert {one["code"] for one in form["sections"]} == set(sees)
    assert fields(form, "lease") == set(sees["lease"])
    lease = next(one for one in form["sections"] if one["code"] == "lease")
    assert set(lease["schema"]["required"]) <= set(sees["lease"])
    assert all(set(one) <= set(sees["lease"]) for one in lease["schema"]["examples"])
    assert "account_number" not in str(lease)


def test_nobody_else_has_it(world, talent, clerk, item):
    stranger, builder = world.talent(), world.staff("clerk.construction")
    task = world.open_task(clerk, item["number"])
    assert stranger.get(f"/v1/items/{item['id']}/form").status_code == 404
    assert builder.get(f"/v1/desk/tasks/{task['id']}/form").status_code == 404
    assert talent.get(f"/v1/desk/tasks/{task['id']}/form").status_code == 403


def test_a_desk_has_the_documents_that_its_stage_sees():
    definition = compile_offering(
        offering_content(whole_pack(), "housing_rent"), version_id=uuid4(), version=1
    )
    sees = definition.flow.by_key["decision"].sees
    told = [one.code for one in filed_form(definition, sees).materials]
    assert told == ["lease_contract", "no_home_certificate"]
    assert [one.code for one in filed_form(definition).materials] == [
        one.code for one in definition.materials
    ]
