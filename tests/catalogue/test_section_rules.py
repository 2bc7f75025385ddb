"""What must hold between the fields of a section, and what is told where it does not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.catalogue.rules.definitions import Rule, SectionForm
from service.catalogue.rules.forms import Form
from service.catalogue.rules.pack import Scope
from service.routing.conditions.asked import parse_condition
from tests.catalogue.packs import compiled, demo_pack

PACK = demo_pack()
TODAY = date(2026, 6, 1)
ASKED = {
    code: one
    for offering in PACK.offerings
    for code, one in compiled(PACK, offering).sections.items()
}
TOMORROW = (TODAY + timedelta(days=1)).isoformat()


def faults(section, answers, today=TODAY):
    return ASKED[section].faults(answers, at=f"sections.{section}", today=today)


def told(section, answers, today=TODAY):
    return [(one.path, one.code) for one in faults(section, answers, today)]


def example(section, number=0):
    return PACK.sections[section].schema["examples"][number]


def broken(section, field):
    return [(f"sections.{section}.{field}", "rule_broken")]


@pytest.mark.parametrize(
    ("section", "changes", "field"),
    [
        ("applicant", {"graduated_on": TOMORROW}, "graduated_on"),
        ("employment", {"contract_to": "2025-07-14"}, "contract_to"),
        ("lease", {"to": "2026-07-08"}, "to"),
        ("lease", {"to": "2045-07-11"}, "to"),
        ("recognition_basis", {"annual_salary_fen": None}, "annual_salary_fen"),
        ("recognition_basis", {"basis": "programme"}, "talent_programme"),
        ("schooling", {"stage": "junior", "grade": 4}, "grade"),
        ("schooling", {"school_year": "2023"}, "school_year"),
        ("schooling", {"school_year": "2028"}, "school_year"),
        ("schooling", {"entry": "transfer"}, "present_school"),
        ("schooling", {"seat_by": "choice"}, "first_choice"),
        ("spouse", {"last_employer": None}, "last_employer"),
        ("spouse", {"married_on": TOMORROW}, "married_on"),
        ("discount", {"agreed_price_fen": 240000001}, "agreed_price_fen"),
        ("purchase", {"signed_on": TOMORROW}, "signed_on"),
    ],
)
def test_a_broken_rule_is_told_at_its_field_in_the_packs_words(section, changes, field):
    answers = {
        name: value for name, value in (example(section) | changes).items() if value is not None
    }
    [fault] = faults(section, answers)
    assert [(fault.path, fault.code)] == broken(section, field)
    messages = [rule["message"] for rule in PACK.sections[section].rules if rule["at"] == field]
    assert fault.text in messages
    assert all(fault.text[tongue] for tongue in ("zh", "en"))


def test_every_rule_of_the_pack_has_its_words_in_both_languages():
    rules = [rule for section in PACK.sections.values() for rule in section.rules]
    assert len(rules) > 10
    assert all(set(rule["message"]) == {"zh", "en"} for rule in rules)


@pytest.mark.parametrize("to", ["2026-07-09", "2045-07-10"])
def test_a_lease_of_a_year_to_the_day_and_one_of_twenty(to):
    assert told("lease", example("lease") | {"to": to}) == []


def test_a_rule_is_asked_where_every_field_of_it_is_right_by_itself():
    """Whatever is wrong besides is told with it, in one round."""
    wrong = example("lease") | {"to": "2026-01-01"}
    assert told("lease", wrong) == broken("lease", "to")
    assert told("lease", wrong | {"bank": "?"}) == [
        ("sections.lease.bank", "too_short"),
        *broken("lease", "to"),
    ]
    assert told("lease", wrong | {"from": "yesterday"}) == [
        ("sections.lease.from", "wrong_pattern")
    ]
    without = {name: value for name, value in wrong.items() if name != "from"}
    assert told("lease", without) == [("sections.lease.from", "required")]


def test_every_rule_that_is_broken_is_told_in_the_order_of_the_pack():
    answers = example("schooling") | {
        "stage": "kindergarten",
        "grade": 6,
        "entry": "transfer",
        "seat_by": "choice",
    }
    assert told("schooling", answers) == [
        *broken("schooling", "grade"),
        *broken("schooling", "present_school"),
        *broken("schooling", "first_choice"),
    ]


def test_what_is_not_answered_breaks_no_rule():
    answers = {
        name: value for name, value in example("employment").items() if name != "contract_to"
    }
    assert told("employment", answers) == []


def test_today_is_the_day_on_which_it_is_asked():
    answers = example("applicant") | {"graduated_on": "2026-06-30"}
    assert told("applicant", answers, date(2026, 6, 29)) == broken("applicant", "graduated_on")
    assert told("applicant", answers, date(2026, 6, 30)) == []


@pytest.mark.parametrize("today", [date(2027, 1, 1), date(2027, 12, 31), date(2028, 2, 29)])
def test_a_school_year_lies_between_two_years_back_and_the_next(today):
    """Of the calendar: it is told by the year in which it begins."""
    taken = [
        year
        for year in range(today.year - 5, today.year + 5)
        if not told("schooling", example("schooling") | {"school_year": str(year)}, today)
    ]
    assert taken == [today.year - 2, today.year - 1, today.year, today.year + 1]


@pytest.mark.parametrize("day", ["0000-01-01", "-001-01-01", "0000-12-01"])
def test_a_date_that_no_calendar_has_is_a_fault_of_its_field(day):
    assert told("lease", example("lease") | {"from": day}) == [
        ("sections.lease.from", "wrong_pattern")
    ]


def test_a_lease_that_begins_where_the_calendar_ends_breaks_its_rule():
    """A year from the last day there is cannot be told; that makes no lease of a day a year's."""
    last = {"from": "9999-12-31", "to": "9999-12-31"}
    assert broken("lease", "to")[0] in told("lease", example("lease") | last)


def test_what_cannot_be_compared_breaks_a_rule():
    """A form that was published before may take what no rule can be asked about."""
    schema = {"type": "object", "properties": {"from": {"type": "string"}}}
    rule = Rule("from", parse_condition({"field": "x.from", "at_least_ago": {"days": 0}}), {})
    form = SectionForm("x", Scope.ITEM, {}, schema, Form(schema), (rule,))
    assert form.faults({}, at="x", today=TODAY) == []
    faults = form.faults({"from": "0000-01-01"}, at="x", today=TODAY)
    assert [(one.path, one.code) for one in faults] == [("x.from", "rule_broken")]


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**18), 10**18),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
        st.sampled_from(
            ["2026-02-29", "2024-02-29", "0000-01-01", "9999-12-31", "91350100M000100Y43"]
        ),
    ),
    lambda parts: st.one_of(
        st.lists(parts, max_size=3), st.dictionaries(st.text(max_size=8), parts, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_anything_that_is_answered_is_taken_or_told_and_raises_nothing(data):
    section = data.draw(st.sampled_from(sorted(ASKED)))
    fields = st.sampled_from(sorted(PACK.sections[section].schema["properties"]))
    answers = dict(example(section))
    answers |= data.draw(st.dictionaries(fields, ANYTHING, max_size=3))
    answers |= data.draw(st.dictionaries(st.text(max_size=5), ANYTHING, max_size=1))
    for fault in faults(section, answers):
        assert fault.path.startswith(f"sections.{section}")
        assert fault.text is None or all(fault.text[tongue] for tongue in ("zh", "en"))


@settings(max_examples=60, deadline=None)
@given(answers=ANYTHING)
def test_what_is_no_section_at_all_is_told(answers):
    assert told("lease", answers)
