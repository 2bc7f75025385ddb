"""Everything that can be wrong with a filing: told at its place, and nothing has changed."""

from __future__ import annotations

from copy import deepcopy
from uuid import uuid4

import pytest

from tests.factories import citizen_id

SOMEBODY = "0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b11"
BOUNDS = ("长度须在 0 至 10 之间。", "The length must be from 0 to 10.")
REQUIRED = ("必填。", "This is required.")
NOT_ASKED = (
    "所选事项不需要这部分表单。",
    "None of the offerings chosen asks for this part of the form.",
)
NO_FIELD = ("未知字段。", "There is no such field.")
NO_CHOICE = ("不在可选范围内", "This is not one of the choices.")


def put(path, value):
    """A change of one place in a body."""

    def change(body):
        *way, last = path.split(".")
        for step in way:
            body = body[int(step) if step.isdigit() else step]
        body[int(last) if last.isdigit() else last] = value

    return change


def drop(path):
    def change(body):
        *way, last = path.split(".")
        for step in way:
            body = body[int(step) if step.isdigit() else step]
        del body[last]

    return change


def repeat(times):
    def change(body):
        body["items"] += [deepcopy(body["items"][0]) for _ in range(times)]

    return change


def consents(*given):
    return put("consents", list(given))


# fmt: off
ONE_FAULT = {
    "no such bundle": (put("bundle", "departure"), "bundle", "bundle_unknown",
        "没有这个“一件事”。", "There is no such bundle."),
    "no such offering": (put("items.0.offering", "pension"), "items.0.offering",
        "offering_not_in_bundle", "该事项不在此“一件事”中。",
        "This offering is not part of the bundle."),
    "the same twice": (repeat(1), "items.2", "item_repeated",
        "同一对象的同一事项重复了。", "The same offering is asked twice for the same person."),
    "a subject where none belongs": (put("items.1.subject", SOMEBODY), "items.1.subject",
        "subject_not_expected", "该事项只能为本人申请。", "This offering is for the applicant."),
    "a shared section missing": (drop("sections.residence"), "sections.residence",
        "section_missing", "缺少表单“现居住信息”。",
        "A part of the form is missing: Present residence."),
    "a shared section too many": (put("sections.vehicle", {}), "sections.vehicle",
        "section_not_expected", *NOT_ASKED),
    "an item's section given as shared": (put("sections.lease", {}), "sections.lease",
        "section_not_expected", *NOT_ASKED),
    "an item's section missing": (drop("items.0.sections.household"),
        "items.0.sections.household", "section_missing", "缺少表单“户口迁移信息”。",
        "A part of the form is missing: Move of the household registration."),
    "another item's section": (put("items.0.sections.lease", {}), "items.0.sections.lease",
        "section_not_expected", *NOT_ASKED),
    "a shared section given for an item": (put("items.1.sections.residence", {}),
        "items.1.sections.residence", "section_not_expected", *NOT_ASKED),
    "no section but a text": (put("sections.residence", "here"), "sections.residence",
        "wrong_type", "应为一组字段", "This must be of type object."),
    "not one of the choices": (put("sections.applicant.degree", "none"),
        "sections.applicant.degree", "not_one_of", *NO_CHOICE),
    "an answer missing": (drop("sections.applicant.mobile"), "sections.applicant.mobile",
        "required", "此项必填", "This is required."),
    "an answer nobody asked for": (put("items.1.sections.lease.pet", "cat"),
        "items.1.sections.lease.pet", "unknown_field", "没有此项", "There is no such field."),
    "a wrong check digit": (put("sections.employment.employer_code", "91350100M000100Y44"),
        "sections.employment.employer_code", "wrong_pattern", "格式不正确",
        "This has not the right form."),
    "no date": (put("sections.residence.since", "2025-02-30"), "sections.residence.since",
        "wrong_pattern", "格式不正确", "This has not the right form."),
    "too much": (put("items.0.sections.household.children", 6),
        "items.0.sections.household.children", "above_maximum", "不得大于 5", "At most 5."),
    "too little": (put("items.1.sections.lease.monthly_rent_fen", 9999),
        "items.1.sections.lease.monthly_rent_fen", "below_minimum", "不得小于 10000",
        "At least 10000."),
    "a number as text": (put("items.0.sections.household.children", "2"),
        "items.0.sections.household.children", "wrong_type", "应为整数",
        "This must be of type integer."),
    "a boolean for a number": (put("items.0.sections.household.children", True),
        "items.0.sections.household.children", "wrong_type", "应为整数",
        "This must be of type integer."),
    "answers that contradict each other": (put("items.1.sections.lease.to", "2026-01-09"),
        "items.1.sections.lease.to", "rule_broken", "租期不得少于一年",
        "The lease must run for at least one year."),
    "a date that is still to come": (put("sections.applicant.graduated_on", "2126-06-30"),
        "sections.applicant.graduated_on", "rule_broken", "毕业日期不能晚于今天",
        "You must already have graduated."),
    "not confirmed": (put("items.1.sections.lease.no_home_here", False),
        "items.1.sections.lease.no_home_here", "not_confirmed", "须确认此项",
        "This must be confirmed."),
    "too short": (put("sections.applicant.school", "大"), "sections.applicant.school",
        "too_short", "至少 2 个字", "At least 2 characters."),
    "too long": (put("sections.applicant.school", "大" * 81), "sections.applicant.school",
        "too_long", "最多 80 个字", "At most 80 characters."),
    "an unknown consent": (consents("processing@1", "sensitive@1", "marketing@1"), "consents.2",
        "not_one_of", "不在可选范围内。", "This is not one of the choices."),
    "a consent missing": (consents("processing@1"), "consents.sensitive@1",
        "consent_missing", "需要您的同意：敏感个人信息单独同意。",
        "Your consent is needed: Separate consent for sensitive personal information."),
    "no items": (put("items", []), "items", "required", *REQUIRED),
    "eleven items": (repeat(9), "items", "length_out_of_bounds", *BOUNDS),
    "items missing": (drop("items"), "items", "required", *REQUIRED),
    "a field nobody knows": (put("draft", True), "draft", "unknown_field", *NO_FIELD),
    "a field nobody knows in an item": (put("items.0.note", "x"), "items.0.note",
        "unknown_field", *NO_FIELD),
    "a subject that is no id": (put("items.0.subject", "me"), "items.0.subject", "not_a_uuid",
        "编号格式有误。", "This is not an id."),
    "sections that are a list": (put("sections", []), "sections", "not_an_object",
        "须为对象。", "This must be an object."),
}
# fmt: on


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def body(world):
    return world.filing()


def filed(talent, body, **headers):
    key = {"Idempotency-Key": uuid4().hex}
    return talent.post("/v1/tickets", json=body, headers=key | headers)


@pytest.mark.parametrize("case", ONE_FAULT)
def test_a_fault_is_told_at_its_place_and_leaves_no_trace(talent, body, footprint, case):
    change, path, code, zh, en = ONE_FAULT[case]
    change(body)
    before = footprint()
    for tongue, message in (("zh-CN", zh), ("en", en)):
        answer = filed(talent, body, **{"Accept-Language": tongue})
        assert answer.status_code == 422
        assert answer.json["code"] == "invalid"
        assert answer.json["errors"] == [{"path": path, "code": code, "message": message}]
        assert answer.headers["Content-Language"] == tongue
    assert footprint() == before


def test_all_faults_are_told_at_once(talent, body):
    for case in ("a shared section missing", "a consent missing", "too much", "the same twice"):
        ONE_FAULT[case][0](body)
    told = {(error["path"], error["code"]) for error in filed(talent, body).json["errors"]}
    assert told == {
        ("sections.residence", "section_missing"),
        ("consents.sensitive@1", "consent_missing"),
        ("items.0.sections.household.children", "above_maximum"),
        ("items.2", "item_repeated"),
        ("items.2.sections.household.children", "above_maximum"),
    }


def test_a_family_member_is_no_subject_of_what_is_for_oneself(talent, body, footprint):
    member = {
        "name": "张小明",
        "kinship": "child",
        "id_type": "citizen_id",
        "id_number": citizen_id(age=7),
    }
    body["items"][0]["subject"] = talent.post("/v1/me/family", json=member).json["id"]
    before = footprint()
    answer = filed(talent, body)
    assert answer.json["errors"][0]["code"] == "subject_not_expected"
    assert footprint() == before


def test_a_profile_must_be_complete(world, body, footprint):
    stranger, before = world.stranger(), footprint()
    for tongue, detail in (
        ("zh-CN", "请先在“我的”中填写姓名和证件号码。"),
        ("en", "Please give your name and id number in your profile first."),
    ):
        answer = filed(stranger, body, **{"Accept-Language": tongue})
        assert (answer.status_code, answer.json["code"]) == (409, "profile_incomplete")
        assert answer.json["detail"] == detail
    assert footprint() == before


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "idempotency_key_missing"),
        ({"Idempotency-Key": "a b"}, "idempotency_key_malformed"),
        ({"Idempotency-Key": "k" * 129}, "idempotency_key_malformed"),
    ],
)
def test_a_filing_needs_a_key(talent, body, footprint, headers, code):
    before = footprint()
    answer = talent.post("/v1/tickets", json=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert footprint() == before


def test_what_is_under_way_is_not_filed_again(world, talent, footprint):
    ticket = world.ticket(talent)
    numbers = [item["number"] for item in ticket["items"]]
    before = footprint()
    for offerings, named in (((), numbers), (("housing_rent",), numbers[1:])):
        answer = filed(talent, world.filing(*offerings), **{"Accept-Language": "en"})
        assert (answer.status_code, answer.json["code"]) == (409, "item_already_open")
        assert answer.json["params"] == {"number": ", ".join(named)}
        assert answer.json["detail"].endswith(f"number {', '.join(named)}.")
    assert footprint() == before


def test_one_open_item_of_two_keeps_both_out(world, talent, footprint):
    open_item = world.ticket(talent, "settlement")["items"][0]
    before = footprint()
    answer = filed(talent, world.filing())
    assert answer.json["params"] == {"number": open_item["number"]}
    assert footprint() == before


def test_an_item_that_has_ended_may_be_filed_again(world, talent):
    world.through(world.ticket(talent, "settlement")["items"][0])
    assert filed(talent, world.filing("settlement")).status_code == 201


def test_only_talents_file(client, world, body, footprint):
    before = footprint()
    key = {"Idempotency-Key": "one"}
    assert client.post("/v1/tickets", json=body, headers=key).status_code == 401
    answer = world.staff("clerk.construction").post("/v1/tickets", json=body, headers=key)
    assert answer.status_code == 403
    assert footprint() == before
