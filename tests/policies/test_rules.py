from __future__ import annotations

from datetime import date
from itertools import product
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.catalogue.rules.definitions import (
    Binding,
    Criterion,
    FactForm,
    OfferingDefinition,
    SectionForm,
)
from service.catalogue.rules.forms import Form
from service.catalogue.rules.pack import Scope, Subject
from service.policies.rules import (
    Relative,
    Stated,
    StatedFact,
    eligibility,
    stated_faults,
    subjects,
)
from service.routing.conditions.asked import Truth, parse_condition
from service.routing.conditions.known import Known

TODAY = date(2026, 11, 24)
TEXT = {"zh": "文", "en": "text"}
MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN
REFUSE, ADVISE = Binding.REFUSE, Binding.ADVISE
ANSWERS = {MET: {"home": "rented"}, NOT_MET: {"home": "own"}, UNKNOWN: {}}
BORN = date(2019, 4, 1)
ELDER = Relative(Subject.CHILD, date(2010, 4, 1), uuid4())
YOUNGER = Relative(Subject.CHILD, BORN, uuid4())
STATED = Relative(Subject.CHILD, BORN)
SPOUSE = Relative(Subject.SPOUSE, None, uuid4())

LEASE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rent", "bank"],
    "properties": {
        "rent": {"type": "integer", "minimum": 100},
        "bank": {"type": "string", "minLength": 2},
        "to": {"type": "string", "format": "date"},
        "own": {"const": True},
    },
}
TIER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["class", "level"],
    "properties": {"class": {"enum": ["A", "B"]}, "level": {"type": "string"}},
}


def criterion(binding, number=0):
    """Met, not met or unknown as `ANSWERS` to the section of its number have it."""
    return Criterion(
        code=f"c{number}",
        title=TEXT,
        met_when=parse_condition({"field": f"s{number}.home", "is": "rented"}),
        citation=TEXT,
        article=None,
        binding=binding,
    )


def offering(*criteria, subject=Subject.SELF, sections=(), facts=()):
    return OfferingDefinition(
        code="rent",
        version_id=uuid4(),
        version=1,
        title=TEXT,
        summary=TEXT,
        subject=subject,
        private=False,
        citations=(),
        criteria=criteria,
        flow=None,
        sections={code: section(code) for code in sections},
        materials=(),
        records={},
        facts={kind: FactForm(TEXT, TIER, Form(TIER)) for kind in facts},
    )


def section(code):
    return SectionForm(code, Scope.ITEM, TEXT, LEASE, Form(LEASE), ())


def judged(*wanted, subject=None):
    """What criteria of these bindings come to where each is of that truth."""
    criteria = [criterion(binding, number) for number, (binding, _) in enumerate(wanted)]
    answers = {f"s{number}": ANSWERS[truth] for number, (_, truth) in enumerate(wanted)}
    return eligibility(offering(*criteria), Known(TODAY, answers), subject)


# --- the verdict


@pytest.mark.parametrize(
    ("wanted", "verdict"),
    [
        ([], MET),
        ([(REFUSE, MET)], MET),
        ([(REFUSE, NOT_MET)], NOT_MET),
        ([(REFUSE, UNKNOWN)], UNKNOWN),
        ([(ADVISE, MET)], MET),
        ([(ADVISE, NOT_MET)], MET),
        ([(ADVISE, UNKNOWN)], MET),
        ([(REFUSE, MET), (REFUSE, UNKNOWN)], UNKNOWN),
        ([(REFUSE, MET), (REFUSE, NOT_MET)], NOT_MET),
        ([(REFUSE, UNKNOWN), (REFUSE, NOT_MET)], NOT_MET),
        ([(REFUSE, NOT_MET), (REFUSE, UNKNOWN), (REFUSE, MET)], NOT_MET),
        ([(REFUSE, MET), (ADVISE, NOT_MET)], MET),
        ([(REFUSE, MET), (ADVISE, UNKNOWN)], MET),
        ([(REFUSE, UNKNOWN), (ADVISE, NOT_MET)], UNKNOWN),
        ([(REFUSE, NOT_MET), (ADVISE, MET)], NOT_MET),
    ],
)
def test_a_verdict_is_that_of_the_criteria_that_refuse(wanted, verdict):
    assert judged(*wanted).verdict is verdict


@given(st.lists(st.sampled_from(list(product(Binding, Truth))), max_size=6), st.randoms())
def test_a_verdict_depends_neither_on_advice_nor_on_order(wanted, random):
    verdict = judged(*wanted).verdict
    binding = [one for one in wanted if one[0] is REFUSE]
    random.shuffle(wanted)
    assert judged(*binding).verdict is judged(*wanted).verdict is verdict
    assert (verdict is MET) is all(truth is MET for _, truth in binding)


@pytest.mark.parametrize("binding", Binding)
@pytest.mark.parametrize("truth", Truth)
def test_a_criterion_comes_with_its_clause_whatever_it_comes_to(binding, truth):
    [one] = judged((binding, truth)).criteria
    [finding] = one.answer.reasons
    assert one.criterion.binding is binding
    assert one.answer.truth is finding.truth is truth
    assert finding.asked == ("is", "rented")
    assert finding.missing == (("field:s0.home",) if truth is UNKNOWN else ())


def test_criteria_stay_in_their_order_and_the_subject_is_told():
    found = judged((ADVISE, MET), (REFUSE, UNKNOWN), (REFUSE, NOT_MET), subject=YOUNGER)
    assert [one.criterion.code for one in found.criteria] == ["c0", "c1", "c2"]
    assert [one.answer.truth for one in found.criteria] == [MET, UNKNOWN, NOT_MET]
    assert found.subject is YOUNGER
    assert found.offering.code == "rent"


# --- whom it is about


@pytest.mark.parametrize(
    ("subject", "family", "found"),
    [
        (Subject.SELF, [], [None]),
        (Subject.SELF, [ELDER, SPOUSE], [None]),
        (Subject.CHILD, [], [Relative(Subject.CHILD, None)]),
        (Subject.CHILD, [SPOUSE], [Relative(Subject.CHILD, None)]),
        (Subject.CHILD, [YOUNGER, SPOUSE, ELDER], [YOUNGER, ELDER]),
        (Subject.CHILD, [ELDER, STATED, STATED], [ELDER, STATED, STATED]),
        (Subject.SPOUSE, [], [Relative(Subject.SPOUSE, None)]),
        (Subject.SPOUSE, [ELDER, SPOUSE], [SPOUSE]),
    ],
)
def test_an_offering_is_about_the_talent_or_about_each_such_member(subject, family, found):
    assert subjects(offering(subject=subject), family) == found


# --- what is stated


def faults(sections=None, *facts, offerings=None):
    offerings = offerings or [offering(sections=["lease"], facts=["tier"])]
    stated = [StatedFact(kind, value) for kind, value in facts]
    return [(one.path, one.code) for one in stated_faults(sections or {}, stated, offerings)]


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"lease": {}},
        {"lease": {"rent": 100}},
        {"lease": {"rent": 100, "bank": "银行", "to": "2027-01-01", "own": True}},
    ],
)
def test_answers_may_be_left_out(sections):
    assert faults(sections) == []


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"lodging": {}}, [("sections.lodging", "section_not_expected")]),
        ({"lodging": None}, [("sections.lodging", "section_not_expected")]),
        ({"": {}}, [("sections.", "section_not_expected")]),
        ({"lease": {"rent": 99}}, [("sections.lease.rent", "below_minimum")]),
        ({"lease": {"rent": "100"}}, [("sections.lease.rent", "wrong_type")]),
        ({"lease": {"rent": None}}, [("sections.lease.rent", "wrong_type")]),
        ({"lease": {"to": "2025-02-30"}}, [("sections.lease.to", "wrong_pattern")]),
        ({"lease": {"own": False}}, [("sections.lease.own", "not_confirmed")]),
        ({"lease": {"flat": 1}}, [("sections.lease.flat", "unknown_field")]),
        (
            {"lease": {"rent": 1, "bank": ""}, "lodging": {}},
            [
                ("sections.lease.bank", "too_short"),
                ("sections.lease.rent", "below_minimum"),
                ("sections.lodging", "section_not_expected"),
            ],
        ),
    ],
)
def test_answers_may_not_be_wrong(sections, told):
    assert faults(sections) == told


@pytest.mark.parametrize("answers", [None, True, 0, 1.5, "", "rent", [], [{"rent": 100}]])
def test_answers_are_an_object(answers):
    assert faults({"lease": answers}) == [("sections.lease", "not_an_object")]


@pytest.mark.parametrize(
    "value", [{}, {"class": "A"}, {"level": "city"}, {"class": "B", "level": "city"}]
)
def test_values_of_facts_may_be_left_out(value):
    assert faults({}, ("tier", value)) == []


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ([("rank", {})], [("facts.0.kind", "fact_unknown")]),
        ([("lease", {})], [("facts.0.kind", "fact_unknown")]),
        ([("tier", {"class": "Z"})], [("facts.0.value.class", "not_one_of")]),
        ([("tier", {"level": 1})], [("facts.0.value.level", "wrong_type")]),
        ([("tier", {"grade": "A"})], [("facts.0.value.grade", "unknown_field")]),
        (
            [("tier", {}), ("rank", {}), ("tier", {"class": "Z"})],
            [("facts.1.kind", "fact_unknown"), ("facts.2.value.class", "not_one_of")],
        ),
    ],
)
def test_facts_may_not_be_wrong(facts, told):
    assert faults({}, *facts) == told


def test_everything_wrong_is_told_at_once_sections_first():
    told = faults({"lease": []}, ("rank", {}))
    assert told == [("sections.lease", "not_an_object"), ("facts.0.kind", "fact_unknown")]


def test_what_one_of_the_offerings_asks_may_be_stated():
    two = [offering(sections=["lease"]), offering(sections=["sale"], facts=["tier"])]
    assert faults({"lease": {}, "sale": {"rent": 100}}, ("tier", {}), offerings=two) == []
    assert faults({"sale": {"rent": 1}}, offerings=two) == [("sections.sale.rent", "below_minimum")]


def test_where_nothing_is_offered_nothing_can_be_stated():
    facts = [StatedFact("tier", {})]
    told = [one.code for one in stated_faults({"lease": {}}, facts, [])]
    assert told == ["section_not_expected", "fact_unknown"]


def test_a_question_may_be_empty():
    empty = Stated()
    assert (empty.offerings, empty.together, empty.facts, empty.family) == ((), (), (), ())
    assert (empty.sections, empty.born) == ({}, None)
