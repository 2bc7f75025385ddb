"""Clauses: every source, every comparison, all three answers."""

from __future__ import annotations

from datetime import date

import pytest

from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Truth, parse_condition
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
        ({"field": "home.rooms", "at_least": "3"}, NOT_MET),
        ({"field": "home.kind", "at_least": 3}, NOT_MET),
        ({"field": "home.rooms", "at_most": 3}, MET),
        ({"field": "home.rooms", "at_most": 2.5}, NOT_MET),
        ({"field": "home.absent", "at_most": 4}, UNKNOWN),
        ({"field": "home.since", "at_least": "2024-06-01"}, MET),
        ({"field": "home.since", "at_most": "2024-05-31"}, NOT_MET),
        ({"field": "home.since", "within_last": {"years": 2}}, MET),
        ({"field": "home.since", "within_last": {"years": 1, "months": 11}}, NOT_MET),
        ({"field": "home.absent", "within_last": {"years": 2}}, UNKNOWN),
        ({"field": "lease.ends", "within_last": {"days": 1}}, MET),
        ({"field": "home.rooms", "within_last": {"days": 1}}, NOT_MET),
        ({"field": "home.since", "at_least_ago": {"years": 2}}, MET),
        ({"field": "home.since", "at_least_ago": {"years": 2, "days": 1}}, NOT_MET),
        ({"field": "home.absent", "at_least_ago": {"years": 2}}, UNKNOWN),
        ({"field": "home.rooms", "at_least_ago": {"days": 1}}, NOT_MET),
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
        ({"field": "home.rooms"}, NOT_MET),
        ({"field": "home.rooms", "plus": {"days": 1}}, UNKNOWN),
        ({"field": "home.kind", "minus": {"days": 1}}, UNKNOWN),
    ],
)
def test_a_bound_may_be_another_answer_moved_by_a_span(operand, expected):
    assert truth({"field": "lease.ends", "at_least": operand}) is expected


def test_a_year_that_no_calendar_has_is_unknown():
    """The schemas' `date` takes the year 0, and an applicant may write it."""
    bound = {"field": "lease.zero", "plus": {"years": 1}}
    answer = evaluate(parse_condition({"field": "lease.ends", "at_least": bound}), CASE)
    assert (answer.truth, answer.missing) == (UNKNOWN, ("field:lease.zero",))
    assert truth({"field": "lease.zero", "at_least_ago": {"years": 1}}) is MET


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
        assert truth({"field": "home.value", op: 1}, known) is NOT_MET
