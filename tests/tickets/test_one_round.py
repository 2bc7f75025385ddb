"""A refusal of a filing says everything that is wrong at once, as far as it can be told."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.factories import citizen_id
from tests.packs import demo_pack, publish, whole_pack

LONG_AGO = "2010-06-30"


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def with_papers(database):
    publish(database, whole_pack())
    yield
    publish(database, demo_pack())


def refused(talent, body):
    key = {"Idempotency-Key": uuid4().hex}
    answer = talent.post("/v1/tickets", json=body, headers=key)
    assert answer.status_code == 422, answer.json
    return {(one["path"], one["code"]): one["message"] for one in answer.json["errors"]}


@pytest.mark.usefixtures("with_papers")
def test_sections_consents_fields_rules_criteria_and_documents_come_together(world, talent):
    body = world.filing("housing_rent", "settlement")
    body["consents"] = ["processing@1"]
    del body["sections"]["residence"]
    lease = body["items"][0]["sections"]["lease"]
    lease |= {"monthly_rent_fen": 1, "from": "2026-07-10", "to": "2026-08-09"}
    body["sections"]["applicant"] |= {"degree": "bachelor", "graduated_on": LONG_AGO}
    told = refused(talent, body)
    assert told.keys() >= {
        ("consents.sensitive@1", "consent_missing"),
        ("sections.residence", "section_missing"),
        ("items.0.sections.lease.monthly_rent_fen", "below_minimum"),
        ("items.0.sections.lease.to", "rule_broken"),
        ("items.0", "criterion_not_met"),
        ("materials.id_card", "material_missing"),
        ("materials.degree_certificate", "material_missing"),
    }
    assert "毕业五年内" in told["items.0", "criterion_not_met"]
    assert told["materials.id_card", "material_missing"] == "缺少材料：居民身份证。"


def test_what_looks_at_a_wrong_answer_is_not_asked(world, talent):
    """The day of graduation is no date: whether it was within five years cannot be told."""
    body = world.filing("housing_rent")
    body["sections"]["applicant"]["graduated_on"] = "lately"
    assert refused(talent, body).keys() == {("sections.applicant.graduated_on", "wrong_pattern")}


def test_nor_a_rule_between_fields_of_which_one_is_wrong(world, talent):
    body = world.filing("housing_rent")
    body["items"][0]["sections"]["lease"]["from"] = "2025-02-30"
    told = refused(talent, body)
    assert told.keys() == {("items.0.sections.lease.from", "wrong_pattern")}


def test_nor_what_looks_at_a_section_that_is_not_there(world, talent):
    body = world.filing("housing_rent")
    del body["sections"]["applicant"]
    assert refused(talent, body).keys() == {("sections.applicant", "section_missing")}


@pytest.mark.parametrize("section", ["here", 7, None, ["a"], True])
def test_a_section_that_is_none_hides_no_other_fault(world, talent, section):
    body = world.filing("housing_rent")
    body["sections"]["applicant"] = section
    body["sections"]["employment"]["insured_since"] = "2026-11-24"
    told = refused(talent, body)
    assert ("sections.applicant", "wrong_type") in told
    assert ("items.0", "criterion_not_met") in told


@pytest.mark.usefixtures("with_papers")
def test_a_document_that_depends_on_a_wrong_answer_is_not_asked_for(world, talent):
    body = world.filing("settlement")
    body["items"][0]["sections"]["household"]["into"] = "castle"
    told = {path for path, code in refused(talent, body) if code == "material_missing"}
    assert "materials.household_booklet" in told
    assert not told & {"materials.lease_contract", "materials.property_certificate"}


def test_of_somebody_who_is_not_of_the_family_nothing_is_looked_up(world, talent):
    """Neither a fact nor an age of a stranger shows in what a filing for them is refused for."""
    other = world.talent()
    stranger = other.post("/v1/me/family", json=_child()).json["id"]
    body = world.filing(("schooling", world.child(talent)))
    body["items"][0]["subject"] = stranger
    told = refused(talent, body)
    assert told.keys() == {("items.0.subject", "subject_unknown")}


def _child():
    number = citizen_id(age=30)
    return {"name": "陈某", "kinship": "child", "id_type": "citizen_id", "id_number": number}
