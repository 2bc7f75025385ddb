from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.catalogue.rules.forms import BadSchema, Form
from service.catalogue.rules.pack import Scope
from service.routing.flow import StageKind, Verdict
from tests.catalogue.packs import compiled, demo_pack

PACK = demo_pack()
RENT = compiled(PACK, "housing_rent")
TODAY = date(2026, 6, 1)
LEASE = PACK.sections["lease"].schema["examples"][0]
APPLICANT = PACK.sections["applicant"].schema["examples"][0]


def told(faults):
    return [(fault.path, fault.code) for fault in faults]


@pytest.mark.parametrize("code", sorted(PACK.offerings))
def test_every_example_is_a_good_answer(code):
    for section in compiled(PACK, code).forms:
        for example in section.schema["examples"]:
            assert section.faults(example, at="sections", today=TODAY) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"monthly_rent_fen": "2800"}, ("sections.lease.monthly_rent_fen", "wrong_type")),
        ({"monthly_rent_fen": 1}, ("sections.lease.monthly_rent_fen", "below_minimum")),
        ({"monthly_rent_fen": 10**9}, ("sections.lease.monthly_rent_fen", "above_maximum")),
        ({"no_home_here": False}, ("sections.lease.no_home_here", "not_confirmed")),
        ({"from": "2025-02-30"}, ("sections.lease.from", "wrong_pattern")),
        ({"contract_number": "?"}, ("sections.lease.contract_number", "wrong_pattern")),
        ({"landlord": "陈"}, ("sections.lease.landlord", "too_short")),
        ({"landlord": "陈" * 61}, ("sections.lease.landlord", "too_long")),
        ({"landlord": "   "}, ("sections.lease.landlord", "blank")),
        ({"hobby": "chess"}, ("sections.lease.hobby", "unknown_field")),
        ({"bank": None}, ("sections.lease.bank", "wrong_type")),
    ],
)
def test_a_wrong_answer_is_told_at_its_field_in_both_languages(change, fault):
    faults = RENT.section_faults("lease", LEASE | change, at="sections.lease", today=TODAY)
    assert told(faults) == [fault]
    assert all(faults[0].text[language] for language in ("zh", "en"))


def test_a_missing_answer_is_told_at_the_field_it_should_have():
    answers = {key: value for key, value in LEASE.items() if key not in ("bank", "from")}
    faults = RENT.section_faults("lease", answers, at="items.0.sections.lease", today=TODAY)
    assert told(faults) == [
        ("items.0.sections.lease.bank", "required"),
        ("items.0.sections.lease.from", "required"),
    ]


def test_what_is_no_section_at_all():
    assert told(RENT.section_faults("lease", [], at="lease", today=TODAY)) == [
        ("lease", "wrong_type")
    ]


@pytest.mark.parametrize("code", ["91350100M000100Y44", "91350100M000100Y4", "ABC"])
def test_a_credit_code_has_its_check_character(code):
    answers = PACK.sections["employment"].schema["examples"][0] | {"employer_code": code}
    faults = RENT.section_faults("employment", answers, at="employment", today=TODAY)
    assert told(faults) == [("employment.employer_code", "wrong_pattern")]


@pytest.mark.parametrize(
    "code",
    ["91350100M000100Y43 ", "91350100m000100y43", "9135 0100M000100Y43", "９1350100M000100Y43"],
)
def test_a_credit_code_is_taken_as_it_is_printed_and_in_no_other_way(code):
    assert told(Form({"format": "uscc"}).faults(code, at="x")) == [("x", "wrong_pattern")]


DATE = Form({"type": "string", "format": "date"})
BIRTH = Form({"type": "string", "format": "birth-date"})
MOMENT = Form({"type": "string", "format": "date-time"})


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day):
    assert DATE.faults(day.isoformat(), at="x") == []
    assert (BIRTH.faults(day.isoformat(), at="x") == []) is (day.year >= 1900)


@given(
    st.tuples(st.integers(-20, 10010), st.integers(-1, 14), st.integers(-1, 33)),
    st.sampled_from(["{:04}-{:02}-{:02}", "{:+05}-{:02}-{:02}", "{}-{}-{}", "{:05}-{:02}-{:02}"]),
)
def test_a_date_is_taken_where_the_calendar_has_it_and_it_is_written_so(parts, written):
    text = written.format(*parts)
    try:
        real = date(*parts).isoformat() == text
    except ValueError:
        real = False
    assert (DATE.faults(text, at="x") == []) is real


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01", "-001-01-01", "+2026-01-01", "2026-02-30", "20260101", "2026-W01-1",
        "2026-1-1", "２０２６-01-01", "٢٠٢٦-01-01", " 2026-01-01", "2026-01-01 ",
        "2026-01-01T00:00:00Z", "2026/01/01", "", "12026-01-01",
    ],
)  # fmt: skip
def test_what_is_no_date_of_the_calendar_is_refused(text):
    for form in (DATE, BIRTH):
        assert told(form.faults(text, at="x")) == [("x", "wrong_pattern")]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:00.5+08:00", True),
        ("0000-01-01T00:00:00Z", False),
        ("-001-01-01T00:00:00Z", False),
        ("2026-02-30T00:00:00Z", False),
        ("2026-01-01T24:00:00Z", False),
        ("2026-01-01T00:00:00", False),
    ],
)
def test_a_moment_is_of_a_day_that_the_calendar_has(text, good):
    assert (MOMENT.faults(text, at="x") == []) is good


def test_a_choice_outside_the_list():
    answers = APPLICANT | {"degree": "genius"}
    faults = RENT.section_faults("applicant", answers, at="applicant", today=TODAY)
    assert told(faults) == [("applicant.degree", "not_one_of")]


def test_lists_and_what_has_no_word_of_its_own():
    form = Form(
        {
            "properties": {
                "few": {"type": "array", "minItems": 1},
                "many": {"type": "array", "maxItems": 1},
                "same": {"type": "array", "uniqueItems": True},
                "odd": {"not": {"const": 2}},
                "seven": {"const": 7},
            }
        }
    )
    value = {"few": [], "many": [1, 2], "same": [1, 1], "odd": 2, "seven": 8}
    assert told(form.faults(value, at="x")) == [
        ("x.few", "too_few"),
        ("x.many", "too_many"),
        ("x.odd", "invalid_value"),
        ("x.same", "repeated"),
        ("x.seven", "invalid_value"),
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strin"},
        {"$ref": "http://127.0.0.1:9/other.json"},
        {"$ref": "#/nowhere"},
        {"format": "telepathic"},
        {"pattern": "(?=look)ahead"},
    ],
)
def test_a_schema_that_packs_may_not_use(schema):
    with pytest.raises(BadSchema) as bad:
        Form(schema)
    assert bad.value.problem


def test_a_definition_is_all_that_filing_and_deciding_need():
    assert RENT.ticket_sections == ("applicant", "employment", "residence")
    assert RENT.item_sections == ("lease",)
    assert RENT.sections["lease"].scope is Scope.ITEM
    decision = RENT.flow.by_key["decision"]
    assert decision.kind is StageKind.DECISION
    assert decision.may == {Verdict.APPROVE, Verdict.REJECT}
    assert set(RENT.records) == {"decision"}


def test_the_result_of_a_stage_is_checked_like_a_form():
    good = {"monthly_fen": 100_000, "months": 36, "first_month": "2026-01"}
    assert RENT.result_faults("decision", good) == []
    faults = RENT.result_faults("decision", good | {"monthly_fen": 100_000.5, "months": 0})
    assert told(faults) == [
        ("result.monthly_fen", "wrong_type"),
        ("result.months", "below_minimum"),
    ]


def test_a_department_reads_only_what_its_stage_names():
    acceptance = RENT.flow.by_key["acceptance"]
    seen = acceptance.sees.visible("lease", LEASE)
    assert {"bank", "account_number"}.isdisjoint(seen)
    assert acceptance.sees.visible("household", {"children": 1}) == {}
    assert RENT.flow.by_key["decision"].sees.visible("lease", LEASE) == LEASE
