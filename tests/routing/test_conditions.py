"""Clauses: every source, every comparison, all three answers."""

from __future__ import annotations

from datetime import date

import pytest

from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import MalformedCondition, Truth, parse_condition
from service.routing.conditions.known import Known
from tests.routing.cases import CASE, TODAY

MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN


def truth(raw, known=CASE):
    return evaluate(parse_condition(raw), known).truth


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"field": "home.kind", "is": "flat"}, MET),
        ({"field": "home.kind", "is": "house"}, NOT_MET),
        ({"field": "home.gone", "is": "flat"}, UNKNOWN),
        ({"field": "home.absent", "is": "flat"}, UNKNOWN),
        ({"field": "nowhere.kind", "is": "flat"}, UNKNOWN),
        ({"field": "home.owned", "is": True}, MET),
        ({"field": "home.owned", "is": False}, NOT_MET),
        ({"field": "home.owned", "is": 1}, NOT_MET),
        ({"field": "home.rooms", "is": 3}, MET),
        ({"field": "home.rooms", "is": True}, NOT_MET),
        ({"field": "lease.rooms", "is": 3}, MET),
        ({"field": "home.kind", "in": ["boat", "flat"]}, MET),
        ({"field": "home.kind", "in": ["boat", "house"]}, NOT_MET),
        ({"field": "home.absent", "in": ["boat"]}, UNKNOWN),
        ({"field": "home.owned", "in": [1, "true"]}, NOT_MET),
        ({"field": "home.rooms", "in": [True, 2, 3]}, MET),
        ({"field": "home.rooms", "at_least": 3}, MET),
        ({"field": "home.rooms", "at_least": 4}, NOT_MET),
        ({"field": "home.absent", "at_least": 4}, UNKNOWN),
        ({"field": "home.rooms", "at_least": "3"}, UNKNOWN),
        ({"field": "home.kind", "at_least": 3}, UNKNOWN),
        ({"field": "home.rooms", "at_most": 3}, MET),
        ({"field": "home.rooms", "at_most": 2.5}, NOT_MET),
        ({"field": "home.absent", "at_most": 4}, UNKNOWN),
        ({"field": "home.since", "at_least": "2024-06-01"}, MET),
        ({"field": "home.since", "at_most": "2024-05-31"}, NOT_MET),
        ({"field": "home.since", "within_last": {"years": 2}}, MET),
        ({"field": "home.since", "within_last": {"years": 1, "months": 11}}, NOT_MET),
        ({"field": "home.absent", "within_last": {"years": 2}}, UNKNOWN),
        ({"field": "lease.ends", "within_last": {"days": 1}}, MET),
        ({"field": "home.rooms", "within_last": {"days": 1}}, UNKNOWN),
        ({"field": "home.since", "at_least_ago": {"years": 2}}, MET),
        ({"field": "home.since", "at_least_ago": {"years": 2, "days": 1}}, NOT_MET),
        ({"field": "home.absent", "at_least_ago": {"years": 2}}, UNKNOWN),
        ({"field": "home.rooms", "at_least_ago": {"days": 1}}, UNKNOWN),
    ],
)
def test_an_answer_of_the_form(raw, expected):
    assert truth(raw) is expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"fact": "degree.level", "is": 1}, MET),
        ({"fact": "degree.level", "is": 3}, MET),
        ({"fact": "degree.level", "is": 2}, NOT_MET),
        ({"fact": "degree.absent", "is": 2}, UNKNOWN),
        ({"fact": "record.level", "is": 2}, UNKNOWN),
        ({"fact": "absent.level", "is": 2}, UNKNOWN),
        ({"fact": "degree.kind", "in": ["arts", "law"]}, MET),
        ({"fact": "degree.kind", "in": ["law"]}, NOT_MET),
        ({"fact": "absent.kind", "in": ["law"]}, UNKNOWN),
        ({"fact": "degree.level", "at_least": 3}, MET),
        ({"fact": "degree.level", "at_least": 4}, NOT_MET),
        ({"fact": "degree.level", "at_most": 1}, MET),
        ({"fact": "degree.level", "at_most": 0}, NOT_MET),
        ({"fact": "degree.level", "at_least": {"field": "home.rooms"}}, MET),
        ({"fact": "permit.on", "within_last": {"months": 1}}, MET),
        ({"fact": "permit.on", "within_last": {"days": 30}}, NOT_MET),
        ({"fact": "degree.on", "at_least_ago": {"years": 6}}, MET),
        ({"fact": "degree.on", "at_least_ago": {"years": 7}}, NOT_MET),
        ({"fact": "record.on", "at_least_ago": {"years": 6}}, UNKNOWN),
    ],
)
def test_a_fact_of_which_any_will_do(raw, expected):
    assert truth(raw) is expected


FEW = Known(TODAY, facts=CASE.facts, facts_complete=False)


@pytest.mark.parametrize(
    ("source", "complete", "incomplete"),
    [
        ({"field": "home.rooms"}, MET, UNKNOWN),
        ({"field": "home.gone"}, NOT_MET, UNKNOWN),
        ({"field": "home.absent"}, NOT_MET, UNKNOWN),
        ({"field": "empty.absent"}, NOT_MET, UNKNOWN),
        ({"field": "nowhere.rooms"}, UNKNOWN, UNKNOWN),
        ({"fact": "degree"}, MET, MET),
        ({"fact": "degree.level"}, MET, MET),
        ({"fact": "degree.absent"}, NOT_MET, NOT_MET),
        ({"fact": "record"}, NOT_MET, NOT_MET),
        ({"fact": "absent"}, NOT_MET, UNKNOWN),
        ({"fact": "absent.level"}, NOT_MET, UNKNOWN),
    ],
)
def test_whether_there_is_a_value_at_all(source, complete, incomplete):
    """The second case knows no section, and of the facts only some kinds."""
    opposite = {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}
    assert truth({**source, "given": True}) is complete
    assert truth({**source, "given": False}) is opposite[complete]
    assert truth({**source, "given": True}, FEW) is incomplete
    assert truth({**source, "given": False}, FEW) is opposite[incomplete]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"age": "applicant", "at_least": 22}, MET),
        ({"age": "applicant", "at_least": 23}, NOT_MET),
        ({"age": "applicant", "at_most": 22}, MET),
        ({"age": "applicant", "is": 22}, MET),
        ({"age": "applicant", "in": [21, 23]}, NOT_MET),
        ({"age": "subject", "at_least": 0}, UNKNOWN),
        ({"stage": "papers", "is": "passed"}, MET),
        ({"stage": "papers", "is": "rejected"}, NOT_MET),
        ({"stage": "visit", "in": ["rejected", "skipped"]}, MET),
        ({"stage": "visit", "in": ["passed", "skipped"]}, NOT_MET),
        ({"stage": "later", "is": "passed"}, NOT_MET),
        ({"stage": "later", "in": ["passed", "rejected", "skipped"]}, NOT_MET),
        ({"requested": "schooling"}, MET),
        ({"requested": "medical"}, NOT_MET),
    ],
)
def test_an_age_a_stage_and_what_else_is_asked_for(raw, expected):
    assert truth(raw) is expected


@pytest.mark.parametrize(
    ("requested", "expected"),
    [(None, UNKNOWN), (frozenset(), NOT_MET), (frozenset({"schooling"}), MET)],
)
def test_what_is_asked_for_may_not_be_known_yet(requested, expected):
    assert truth({"requested": "schooling"}, Known(TODAY, requested=requested)) is expected


@pytest.mark.parametrize(
    ("today", "age"),
    [("2025-02-28", 20), ("2025-03-01", 21), ("2028-02-28", 23), ("2028-02-29", 24)],
)
def test_who_was_born_on_29_february_is_a_year_older_on_1_march(today, age):
    known = Known(date.fromisoformat(today), born={"applicant": date(2004, 2, 29)})
    assert truth({"age": "applicant", "is": age}, known) is MET


BEGINS = {"field": "lease.begins"}


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        (BEGINS, MET),
        ({**BEGINS, "plus": {"years": 1}}, NOT_MET),
        ({**BEGINS, "plus": {"years": 1}, "minus": {"days": 1}}, MET),
        ({**BEGINS, "minus": {"days": 1}}, MET),
        ({**BEGINS, "plus": {"months": 11}}, MET),
        ({"field": "lease.ends"}, MET),
        ({"field": "lease.absent"}, UNKNOWN),
        ({"field": "nowhere.begins", "plus": {"days": 1}}, UNKNOWN),
        ({"field": "home.rooms"}, UNKNOWN),
        ({"field": "home.rooms", "plus": {"days": 1}}, UNKNOWN),
        ({"field": "home.kind", "minus": {"days": 1}}, UNKNOWN),
    ],
)
def test_a_bound_may_be_another_answer_moved_by_a_span(operand, expected):
    assert truth({"field": "lease.ends", "at_least": operand}) is expected


NO_DAYS = [
    "0000-01-01", "-001-01-01", "+2026-01-01", "2026-02-30", "20260101", "2026-W01-1", "2026-1-1",
    "２０２６-01-01", "2026-01-01\n", "2026-01-01T00:00:00Z", " 2026-01-01", "x", "", True,
    20260101,
]  # fmt: skip
BOUND = {"field": "home.day", "plus": {"years": 1}}


@pytest.mark.parametrize("value", NO_DAYS)
@pytest.mark.parametrize(
    "raw",
    [
        {"field": "lease.ends", "at_least": BOUND},
        {"field": "home.day", "at_least_ago": {"years": 1}},
        {"field": "home.day", "within_last": {"years": 1}},
        {"field": "home.day", "at_most": "2026-06-01"},
        {"field": "home.since", "within_last": {"years": 1}, "on": {"field": "home.day"}},
        {"not": {"field": "home.day", "at_least_ago": {"days": 0}}},
    ],
)
def test_what_is_no_day_is_malformed_and_never_merely_unknown(raw, value):
    known = Known(TODAY, {**CASE.answers, "home": {**CASE.answers["home"], "day": value}})
    answer = evaluate(parse_condition(raw), known)
    assert (answer.truth, answer.missing) == (UNKNOWN, ("field:home.day",))
    assert answer.malformed


def test_what_is_missing_is_not_malformed():
    assert not evaluate(parse_condition({"field": "lease.ends", "at_least": BOUND}), CASE).malformed


@pytest.mark.parametrize(
    ("day", "moved"),
    [("9999-01-02", {"plus": {"years": 1}}), ("0001-06-01", {"minus": {"years": 1}})],
)
def test_a_bound_beyond_all_years_is_malformed(day, moved):
    """Else a lease of one day at the end of time would run for a year."""
    known = Known(TODAY, {"lease": {"from": day, "to": day}})
    bound = {"field": "lease.from", **moved}
    assert evaluate(parse_condition({"field": "lease.to", "at_least": bound}), known).malformed


YEAR = {"each_year": "08-31", "of": {"field": "school.year"}}


@pytest.mark.parametrize(
    ("today", "school_year", "of_six"),
    [
        (today, year, year)
        for today in ("2025-08-31", "2026-07-15", "2026-08-31", "2026-09-01", "2027-12-31")
        for year in ("2026", "2027")
    ],
)
def test_an_age_as_of_a_day_does_not_depend_on_today(today, school_year, of_six):
    """Who is six by 31 August of the year of entry; the next day is a year too late."""
    asked = parse_condition({"age": "subject", "on": YEAR, "at_least": 6})
    in_time = date(int(of_six) - 6, 8, 31)
    for born, expected in [(in_time, MET), (in_time.replace(month=9, day=1), NOT_MET)]:
        known = Known(
            date.fromisoformat(today),
            {"school": {"year": school_year}},
            born={"subject": born},
        )
        answer = evaluate(asked, known)
        assert answer.truth is expected
        assert answer.reasons[0].on == date(int(school_year), 8, 31)


@pytest.mark.parametrize(
    ("on", "day"),
    [
        (None, TODAY),
        ("2020-02-29", date(2020, 2, 29)),
        ({"field": "home.since"}, date(2024, 6, 1)),
        ({"each_year": "02-29", "of": {"field": "home.since"}}, date(2024, 2, 29)),
        ({"each_year": "02-29", "of": {"field": "lease.begins"}}, date(2025, 2, 28)),
        ({"each_year": "12-31", "of": {"field": "home.year"}}, date(2021, 12, 31)),
        ({"each_year": "12-31", "of": {"field": "home.number"}}, date(2022, 12, 31)),
    ],
)
@pytest.mark.parametrize("op", ["within_last", "at_least_ago"])
def test_a_span_counts_from_the_day_that_is_said(on, day, op):
    answers = {**CASE.answers, "home": {**CASE.answers["home"], "year": "2021", "number": 2022}}
    said = {} if on is None else {"on": on}
    for moved, within in [(0, True), (1, False)]:
        value = date.fromordinal(day.toordinal() - 10 - moved).isoformat()
        known = Known(TODAY, {**answers, "x": {"day": value}})
        answer = evaluate(parse_condition({"field": "x.day", op: {"days": 10}, **said}), known)
        assert answer.truth is (MET if op == "at_least_ago" or within else NOT_MET)
        assert answer.reasons[0].on == day


@pytest.mark.parametrize("year", ["0000", "10000", "26", "２０２６", "x", True, 0, 10000, 2026.5])
def test_what_states_no_year_is_malformed(year):
    known = Known(TODAY, {"school": {"year": year}}, born={"subject": date(2020, 1, 1)})
    answer = evaluate(parse_condition({"age": "subject", "on": YEAR, "at_least": 6}), known)
    assert (answer.malformed, answer.missing) == (True, ("field:school.year",))


def test_a_day_that_is_not_stated_is_missing():
    known = Known(TODAY, {"school": {}}, born={"subject": date(2020, 1, 1)})
    answer = evaluate(parse_condition({"age": "subject", "on": YEAR, "at_least": 6}), known)
    assert (answer.truth, answer.malformed) == (UNKNOWN, False)
    assert answer.missing == ("field:school.year",)


@pytest.mark.parametrize(
    "raw", [{"field": "home.since", "is": "x"}, {"field": "home.since", "at_least": "2026-01-01"}]
)
def test_a_comparison_with_no_day_has_none(raw):
    with pytest.raises(MalformedCondition):
        parse_condition({**raw, "on": "2026-01-01"})


@pytest.mark.parametrize("value", [[1], {"a": 1}, [], "", "x", True, 1, 1.5])
@pytest.mark.parametrize(
    "compared",
    [
        {"is": 1},
        {"in": [1, "x"]},
        {"at_least": 1},
        {"at_least": "2026-01-01"},
        {"at_most": {"field": "home.value", "plus": {"days": 1}}},
        {"within_last": {"days": 1}},
        {"at_least_ago": {"days": 1}},
        {"given": True},
    ],
)
def test_whatever_was_answered_there_is_an_answer(value, compared):
    known = Known(TODAY, answers={"home": {"value": value}})
    assert truth({"field": "home.value", **compared}, known) in Truth


@pytest.mark.parametrize("value", [[1], {"a": 1}, "1"])
def test_what_is_no_number_does_not_compare_with_one(value):
    known = Known(TODAY, answers={"home": {"value": value}})
    for op in ("at_least", "at_most"):
        answer = evaluate(parse_condition({"field": "home.value", op: 1}), known)
        assert (answer.truth, answer.malformed) == (UNKNOWN, True)
