"""What a decision gives: the value of a fact, and from when until when it holds."""

from __future__ import annotations

from datetime import date

import pytest

from service.catalogue.rules.fact_templates import fact_dates, fact_value
from service.routing.flow import FactTemplate
from tests.catalogue.packs import compiled, demo_pack

TODAY = date(2026, 3, 31)
RESULT = {"number": "R000042", "since": "2026-05-01", "count": 3}
ANSWERS = {"lease": {"from": "2025-07-10", "to": "2027-07-09", "landlord": "陈某"}}


def value(**parts):
    return fact_value(parts, result=RESULT, answers=ANSWERS)


def dates(begins=None, ends=None):
    template = FactTemplate("residence", "applicant", {}, begins, ends)
    return fact_dates(template, result=RESULT, answers=ANSWERS, today=TODAY)


def test_a_value_is_fixed_recorded_or_answered():
    assert value(kind="rent", number={"result": "number"}, owner={"field": "lease.landlord"}) == {
        "kind": "rent",
        "number": "R000042",
        "owner": "陈某",
    }


def test_what_is_no_is_a_value_too():
    assert value(none=False, few=0) == {"none": False, "few": 0}


@pytest.mark.parametrize(
    "part", [{"result": "colour"}, {"field": "lease.colour"}, {"field": "purchase.address"}]
)
def test_what_is_not_there_is_left_out(part):
    assert value(kind="rent", colour=part) == {"kind": "rent"}


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [
        (None, None, ("2026-03-31", None)),
        (None, {"years": 3}, ("2026-03-31", "2029-03-30")),
        (None, {"months": 1}, ("2026-03-31", "2026-04-29")),
        ({"field": "lease.from"}, {"field": "lease.to"}, ("2025-07-10", "2027-07-09")),
        ({"result": "since"}, {"years": 1, "days": 1}, ("2026-05-01", "2027-05-01")),
        ("2026-01-01", "2026-12-31", ("2026-01-01", "2026-12-31")),
        ({"result": "colour"}, {"field": "lease.colour"}, ("2026-03-31", None)),
        (None, {"days": 1}, ("2026-03-31", "2026-03-31")),
    ],
)
def test_a_fact_holds_from_today_unless_the_gift_says_so(begins, ends, told):
    first, last = dates(begins, ends)
    assert (first.isoformat(), last and last.isoformat()) == told


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (None, "2026-03-30"),
        ({"field": "lease.to"}, {"field": "lease.from"}),
        ({"result": "number"}, None),
        (None, {"field": "lease.landlord"}),
        (None, {"result": "count"}),
        ({"result": "count"}, {"years": 1}),
        ({"result": "count"}, None),
        (3, None),
        (None, 3),
    ],
)
def test_what_is_no_date_and_an_end_before_the_beginning_are_refused(begins, ends):
    with pytest.raises(ValueError, match=r"."):
        dates(begins, ends)


@pytest.mark.parametrize("code", sorted(demo_pack().offerings))
def test_every_example_of_the_demonstration_makes_good_facts(code):
    offering = compiled(demo_pack(), code)
    answers = {form.code: form.schema["examples"][0] for form in offering.forms}
    decision = offering.flow.decision
    assert decision.gives
    for result in decision.records["examples"]:
        for template in decision.gives:
            given = fact_value(template.value, result=result, answers=answers)
            assert offering.facts[template.fact].form.faults(given, at="value") == []
            fact_dates(template, result=result, answers=answers, today=TODAY)
