"""What is known of a talent already stands in their own form, and in nobody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.catalogue.rules.definitions import SectionForm
from service.catalogue.rules.forms import Form
from service.catalogue.rules.pack import Scope
from service.catalogue.rules.prefill import prefilled
from tests.packs import demo_pack, publish
from tests.policies.asking import add_member, add_profile, born

pytestmark = pytest.mark.dated

PACK = demo_pack()
NOTHING = {code: {} for code in PACK.sections}
MASTER = {"degree": "master", "school": "东湾理工大学", "graduated_on": "2025-06-30"}
DOCTOR = {"degree": "doctor", "school": "海西工学院", "graduated_on": "2026-06-30"}
RENTED = {"basis": "rented_home", "address": "东湾高新区望海路 18 号 3 幢 702 室"}
EMPLOYED = {
    "employer": "东湾海芯科技有限公司",
    "employer_code": "91350100M000100Y43",
    "insured_since": "2025-08-01",
}
CANARY = "canary-9b20d4"
TEXT = {"zh": "文", "en": "text"}


@pytest.fixture
def talent(world):
    return world.stranger()


def known(who, *offerings, **query):
    """By section, what is filled in."""
    if offerings:
        query["offerings"] = ",".join(offerings)
    answer = who.get("/v1/bundles/arrival/form", query_string=query)
    assert answer.status_code == 200, answer.json
    return {one["code"]: one["prefilled"] for one in answer.json["sections"]}


# --- the rule


def section(**fields):
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(fields),
        "properties": fields,
    }
    return SectionForm("s", Scope.ITEM, TEXT, schema, Form(schema), ())


NAMED = {"type": "string", "maxLength": 4, "x-prefill": {"profile": "name"}}
LEVEL = {"enum": ["A", "B"], "x-prefill": {"fact": "tier.level"}}
YEARS = {"type": "integer", "minimum": 1, "x-prefill": {"fact": "tier.years"}}
SKILLS = {
    "type": "array",
    "maxItems": 2,
    "items": {"enum": ["a", "b"]},
    "x-prefill": {"fact": "tier.skills"},
}


@pytest.mark.parametrize(
    ("fields", "details", "facts", "found"),
    [
        ({}, {"name": "张伟"}, {"tier": [{"level": "A"}]}, {}),
        ({"other": {"type": "string"}}, {"name": "张伟", "other": "x"}, {}, {}),
        ({"n": NAMED}, {"name": "张伟"}, {}, {"n": "张伟"}),
        ({"n": NAMED}, {"phone": "13800138000"}, {}, {}),
        ({"n": NAMED}, {"name": "欧阳修远之"}, {}, {}),
        ({"l": LEVEL}, {}, {"tier": [{"level": "A"}]}, {"l": "A"}),
        ({"l": LEVEL}, {}, {"tier": [{"level": "B"}, {"level": "A"}]}, {"l": "B"}),
        ({"l": LEVEL}, {}, {"tier": [{"years": 3}, {"level": "A"}]}, {"l": "A"}),
        ({"l": LEVEL}, {}, {"rank": [{"level": "A"}]}, {}),
        ({"l": LEVEL}, {}, {"tier": []}, {}),
        ({"l": LEVEL}, {}, {"tier": [{"level": "C"}]}, {}),
        ({"l": LEVEL}, {}, {"tier": [{"level": "C"}, {"level": "A"}]}, {}),
        ({"l": LEVEL}, {}, {"tier": [{"level": None}]}, {}),
        ({"y": YEARS}, {}, {"tier": [{"years": 0}]}, {}),
        ({"y": YEARS}, {}, {"tier": [{"years": "3"}]}, {}),
        ({"l": LEVEL, "y": YEARS}, {}, {"tier": [{"level": "C", "years": 3}]}, {"y": 3}),
        ({"l": LEVEL, "n": NAMED}, {"name": "张"}, {"tier": [{"level": "C"}]}, {"n": "张"}),
        ({"k": SKILLS}, {}, {"tier": [{"skills": ["a", "b"]}]}, {"k": ["a", "b"]}),
        ({"k": SKILLS}, {}, {"tier": [{"skills": ["a", "b", "a"]}]}, {}),
        ({"k": SKILLS, "y": YEARS}, {}, {"tier": [{"skills": ["a", "c"], "years": 3}]}, {"y": 3}),
    ],
)  # fmt: skip
def test_what_a_field_takes_of_what_is_known_is_filled_in(fields, details, facts, found):
    assert prefilled(section(**fields), details, facts) == found


# --- from the profile


def test_the_phone_number_of_the_profile_is_filled_in(talent):
    assert known(talent) == NOTHING
    add_profile(talent, phone="+86 138 0013 8000")
    assert known(talent) == NOTHING | {"applicant": {"mobile": "13800138000"}}


def test_a_number_that_the_field_would_not_take_is_left_out(talent, issue):
    add_profile(talent, phone="+49 30 1234567")
    issue(talent, "degree", MASTER)
    assert known(talent)["applicant"] == MASTER


@pytest.fixture(scope="module")
def asking_for_names(database):
    """The applicant's section also asks for name and birth date, until the module's end."""
    asked = {
        "family_name": NAMED | {"maxLength": 40, "x-title": TEXT},
        "born_on": {
            "type": "string",
            "format": "date",
            "x-title": TEXT,
            "x-prefill": {"profile": "birth_date"},
        },
    }
    applicant = PACK.sections["applicant"]
    schema = {**applicant.schema, "properties": {**applicant.schema["properties"], **asked}}
    changed = replace(applicant, schema=schema)
    publish(database, replace(PACK, sections={**PACK.sections, "applicant": changed}))
    yield
    publish(database, PACK)


def test_name_and_birth_date_are_filled_in_where_a_form_asks_for_them(
    talent, world, guest, asking_for_names
):
    day = born(40)
    add_profile(talent, name="张伟", born=day, phone="13800138000")
    told = {"family_name": "张伟", "born_on": day, "mobile": "13800138000"}
    assert known(talent, "medical")["applicant"] == told
    assert known(world.stranger(), "medical")["applicant"] == {}
    assert known(guest, "medical")["applicant"] == {}


# --- from facts


def test_facts_are_filled_in_wherever_they_are_asked(talent, issue):
    issue(talent, "degree", MASTER)
    issue(talent, "employment", EMPLOYED)
    issue(talent, "residence", RENTED)
    issue(talent, "household", {"region": "330106", "into": "collective"})
    issue(talent, "recognition", {"class": "A", "level": "national"})
    assert known(talent) == NOTHING | {
        "applicant": MASTER,
        "employment": EMPLOYED,
        "residence": RENTED,
        "lease": {"address": RENTED["address"]},
        "schooling": {"proof_address": RENTED["address"]},
        "household": {"from_region": "330106"},
    }


def test_sections_that_are_not_asked_are_not_told(talent, issue):
    issue(talent, "residence", RENTED)
    issue(talent, "degree", MASTER)
    assert known(talent, "medical") == {"applicant": MASTER, "medical": {}}


def test_the_newest_fact_comes_first(talent, issue):
    issue(talent, "degree", DOCTOR)
    issue(talent, "degree", MASTER)
    assert known(talent)["applicant"] == MASTER


def test_a_value_that_a_field_would_not_take_is_left_out_alone(talent, issue):
    issue(talent, "degree", MASTER | {"degree": "habilitation"})
    issue(talent, "household", {"region": "33", "into": "collective"})
    issue(talent, "employment", EMPLOYED | {"employer_code": "91350100M000100Y44"})
    told = known(talent)
    assert told["applicant"] == {name: MASTER[name] for name in ("school", "graduated_on")}
    assert told["household"] == {}
    assert told["employment"] == {name: EMPLOYED[name] for name in ("employer", "insured_since")}


@pytest.mark.parametrize(
    "days", [{"valid_to": date(2020, 12, 31)}, {"valid_from": date(2090, 1, 1)}]
)
def test_a_fact_is_filled_in_on_its_days_alone(talent, issue, days):
    issue(talent, "degree", DOCTOR, **days)
    assert known(talent) == NOTHING
    issue(talent, "degree", MASTER, valid_from=date(2021, 1, 1))
    issue(talent, "degree", DOCTOR, **days)
    assert known(talent)["applicant"] == MASTER


# --- of nobody else


def test_guests_and_staff_find_nothing_filled_in(guest, world, talent, issue):
    issue(talent, "degree", MASTER)
    assert known(guest) == known(world.staff("head.human_resources")) == NOTHING


def test_what_is_known_of_other_people_is_not_filled_in(world, talent, issue):
    other = world.stranger()
    add_profile(other, phone="15812345678")
    family = [add_member(talent, "child", born(7)), add_member(talent, "spouse", born(33))]
    for about in (other, *family, add_member(other, "child", born(7))):
        issue(about, "degree", DOCTOR | {"school": CANARY})
        issue(about, "residence", RENTED | {"address": CANARY})
    answer = talent.get("/v1/bundles/arrival/form")
    assert CANARY not in answer.text
    assert "15812345678" not in answer.text
    assert known(talent) == NOTHING
    assert known(other)["applicant"] == DOCTOR | {"school": CANARY, "mobile": "15812345678"}


def test_in_another_district_nothing_is_filled_in(talent, issue, elsewhere):
    add_profile(talent, phone="13800138000")
    issue(talent, "degree", MASTER)
    issue(talent, "degree", DOCTOR, district=elsewhere)
    assert set(map(str, known(talent, district=elsewhere).values())) == {"{}"}
    own = MASTER | {"mobile": "13800138000"}
    assert known(talent)["applicant"] == known(talent, district="demo")["applicant"] == own


# --- what it costs


def test_the_form_costs_a_guest_two_statements(guest, sql_count):
    known(guest)
    with sql_count() as sent:
        known(guest)
    assert sent.total == 2


def test_and_a_talent_five(talent, issue, sql_count):
    add_profile(talent, phone="13800138000")
    add_member(talent, "child", born(7))
    for kind, value in (("degree", MASTER), ("degree", DOCTOR), ("residence", RENTED)):
        issue(talent, kind, value)
    with sql_count() as sent:
        known(talent)
    assert sent.total == 5


def test_another_districts_form_costs_a_talent_one_more(talent, elsewhere, sql_count):
    known(talent, district=elsewhere)
    with sql_count() as sent:
        known(talent, district=elsewhere)
    assert sent.total == 5  # whether there is such a district
