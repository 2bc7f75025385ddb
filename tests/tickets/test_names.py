"""Wherever a code is shown, its words are: those of the version under which the thing stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.catalogue.rules.contents import offering_content, pack_files
from tests.packs import demo_pack, publish, whole_pack

POLICE = "public_security"
NAMES = {one.code: dict(one.name) for one in whole_pack().departments}


@pytest.fixture
def talent(world):
    return world.talent()


def shown(talent, ticket):
    return talent.get(f"/v1/tickets/{ticket}").json


def test_departments_have_names_in_every_stage(talent, walk):
    purchase = walk("housing_purchase", talent=talent)
    purchase.until("joint_review")
    (item,) = shown(talent, purchase.ticket)["items"]
    for stage in item["stages"]:
        assert stage["department_names"] == [NAMES[code] for code in stage["departments"]]
        assert stage["department_name"] == stage["department_names"][0]


def test_a_stage_of_nobody_has_no_name(talent, walk):
    purchase = walk("housing_purchase", talent=talent)
    purchase.until("publicity")
    (item,) = shown(talent, purchase.ticket)["items"]
    (check,) = [one for one in item["stages"] if one["key"] == "double_benefit"]
    assert (check["department_name"], check["department_names"]) == (None, [])


def test_results_and_deliveries_are_in_words(world, talent, walk):
    child = world.child(talent)
    schooling = walk(("schooling", child), talent=talent)
    schooling.through("schooling")
    (item,) = shown(talent, schooling.ticket)["items"]
    told = {one["code"]: one for one in item["result_shown"]}
    assert {code: one["value"] for code, one in told.items()} == item["result"]
    assert told["school"]["title"]["zh"] != "school"
    assert item["deliveries"]
    for one in item["deliveries"]:
        assert one["department_name"] == NAMES[one["department"]]
        assert {each["code"]: each["value"] for each in one["result_shown"]} == one["result"]


def test_money_is_said_in_yuan(talent, walk):
    rent = walk("housing_rent", talent=talent)
    rent.through("housing_rent")
    (item,) = shown(talent, rent.ticket)["items"]
    (monthly,) = [one for one in item["result_shown"] if one["code"] == "monthly_fen"]
    yuan = item["result"]["monthly_fen"] // 100
    assert monthly["text"] == {"zh": f"{yuan:,}.00 元", "en": f"{yuan:,}.00 yuan"}


def test_what_is_not_decided_has_no_result_to_show(world, talent):
    (item,) = world.ticket(talent, "settlement")["items"]
    assert (item["result"], item["result_shown"]) == (None, None)


def test_what_an_item_waits_for_has_its_title(world, talent):
    ticket = world.ticket(talent, "recognition", "medical")
    titles = {one["offering"]: one["title"] for one in ticket["items"]}
    (medical,) = [one for one in ticket["items"] if one["offering"] == "medical"]
    assert medical["waiting_for"] == ["recognition"]
    assert medical["waiting_for_titles"] == [titles["recognition"]]
    assert all(edge["from_title"] == titles[edge["from"]] for edge in ticket["edges"])


def test_facts_at_a_desk_are_in_words(world, talent, establish, walk):
    establish(talent, "recognition", {"class": "D", "level": "district"}, issuer="office")
    rent = walk("housing_rent", talent=talent)
    clerk = world.staff("clerk.construction")
    task = clerk.get(f"/v1/desk/tasks/{rent.one('acceptance').task.id}").json
    (fact,) = task["facts"]
    assert fact["title"]["en"] == "Recognition as a talent"
    assert fact["issuer_name"] == NAMES["office"]
    assert [one["text"]["en"] for one in fact["value_shown"]] == ["D (senior)", "District"]


def test_answers_at_a_desk_are_in_words_and_no_more_than_it_sees(world, talent, walk):
    rent = walk("housing_rent", talent=talent)
    clerk = world.staff("clerk.construction")
    task = clerk.get(f"/v1/desk/tasks/{rent.one('acceptance').task.id}").json
    for section in task["sections_shown"]:
        told = {one["code"]: one["value"] for one in section["fields"]}
        assert told == task["sections"][section["code"]]
        assert set(section["title"]) == {"zh", "en"}
    applicant = next(one for one in task["sections_shown"] if one["code"] == "applicant")
    degree = next(one for one in applicant["fields"] if one["code"] == "degree")
    assert degree["text"]["zh"] != degree["value"]


def test_the_public_catalogue_names_departments_and_remedies(world):
    told = world.client.get("/v1/offerings/housing_purchase").json
    codes = {code for stage in told["stages"] for code in stage["departments"]}
    assert {one["code"]: one["name"] for one in told["departments"]} == {
        code: NAMES[code] for code in codes
    }
    assert told["remedies"] == whole_pack().offerings["housing_purchase"].remedies


def test_a_ticket_keeps_the_names_under_which_it_was_filed(world, database, talent):
    """A department that is renamed is another version: who filed before reads the former name."""
    ticket = world.ticket(talent, "settlement")
    pack = demo_pack()
    renamed = {"zh": "公安局", "en": "Police"}
    departments = tuple(
        replace(one, name=renamed) if one.code == POLICE else one for one in pack.departments
    )
    publish(database, replace(pack, departments=departments))
    try:
        later = world.ticket(world.talent(), "settlement")
        before = shown(talent, ticket["id"])
    finally:
        publish(database, pack)
    assert before["items"][0]["stages"][0]["department_name"] == NAMES[POLICE]
    assert later["items"][0]["stages"][0]["department_name"] == renamed


def test_names_of_departments_are_no_part_of_an_exported_offering():
    pack = whole_pack()
    contents = {code: offering_content(pack, code) for code in pack.offerings}
    assert all(content["departments"] for content in contents.values())
    files = pack_files(main={}, offerings=contents, bundles={}, facts={})
    assert all("departments" not in files[f"offerings/{code}.yaml"] for code in contents)
