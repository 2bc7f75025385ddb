"""What is wrong with a filing, and who may apply, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from service.catalogue.rules.definitions import (
    Binding,
    BundleDefinition,
    Criterion,
    OfferingDefinition,
    SectionForm,
)
from service.catalogue.rules.forms import Form
from service.catalogue.rules.pack import Consent, Scope, Subject
from service.filing.rules.criteria import cited, criterion_faults
from service.filing.rules.filing import (
    Filing,
    RequestedItem,
    answers_for,
    filing_faults,
    section_holders,
)
from service.routing.conditions.asked import parse_condition
from service.routing.conditions.known import Known
from service.routing.flow import parse_flow

CHILD, SPOUSE, STRANGER = (UUID(int=one) for one in (1, 2, 3))
KINSHIP = {CHILD: "child", SPOUSE: "spouse"}
FLOW = parse_flow({"promise": {"working_days": 1}, "stages": []})


def section(code, scope):
    schema = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    return SectionForm(code, Scope(scope), {}, schema, Form(schema), rules=())


def offering(code, subject, *sections, criteria=()):
    return OfferingDefinition(
        code=code,
        version_id=UUID(int=9),
        version=1,
        title={},
        summary={},
        subject=Subject(subject),
        private=False,
        citations=(),
        criteria=criteria,
        flow=FLOW,
        sections={one.code: one for one in sections},
        materials=(),
        records={},
        facts={},
    )


SHARED, SCHOOL, JOB = section("person", "ticket"), section("school", "item"), section("job", "item")
BUNDLE = BundleDefinition(
    code="arrival",
    version_id=UUID(int=8),
    version=1,
    release=1,
    title={},
    summary={},
    consents=(
        Consent("processing", 1, {}, {}),
        Consent("sensitive", 2, {}, {}),
        Consent("employer", 1, {}, {}, optional=True),
    ),
    edges=(),
    offerings={
        one.code: one
        for one in (
            offering("medical", "self", SHARED),
            offering("schooling", "child", SHARED, SCHOOL),
            offering("spouse", "spouse", JOB),
        )
    },
)
GIVEN = {"name": "x"}
CONSENTS = ("processing@1", "sensitive@2")
TODAY = date(2026, 3, 2)


def filing(*items, sections=None, consents=CONSENTS):
    shared = {"person": GIVEN} if sections is None else sections
    return Filing("arrival", items, shared, consents)


def wanted(code, subject=None, **sections):
    return RequestedItem(code, subject, sections)


def faults(filed):
    return [
        (fault.path, fault.code) for fault in filing_faults(filed, BUNDLE, KINSHIP, today=TODAY)
    ]


# fmt: off
FILINGS = [
    (filing(wanted("medical")), []),
    (filing(wanted("schooling", CHILD, school=GIVEN), wanted("medical")), []),
    (filing(wanted("spouse", SPOUSE, job=GIVEN), sections={}), []),
    (filing(wanted("schooling", school=GIVEN)), [("items.0.subject", "subject_missing")]),
    (filing(wanted("schooling", SPOUSE, school=GIVEN)), [("items.0.subject", "subject_unknown")]),
    (filing(wanted("schooling", STRANGER, school=GIVEN)),
        [("items.0.subject", "subject_unknown")]),
    (filing(wanted("medical", CHILD)), [("items.0.subject", "subject_not_expected")]),
    (filing(wanted("medical"), wanted("medical")), [("items.1", "item_repeated")]),
    (filing(wanted("schooling", CHILD, school=GIVEN), wanted("schooling", CHILD, school=GIVEN)),
        [("items.1", "item_repeated")]),
    (filing(wanted("pension"), sections={}), [("items.0.offering", "offering_not_in_bundle")]),
    (filing(wanted("pension"), wanted("pension"), sections={}),
        [("items.0.offering", "offering_not_in_bundle"),
         ("items.1.offering", "offering_not_in_bundle")]),
    (filing(wanted("pension"), wanted("medical")),
        [("items.0.offering", "offering_not_in_bundle")]),
    (filing(wanted("schooling", CHILD)), [("items.0.sections.school", "section_missing")]),
    (filing(wanted("schooling", CHILD, school={})),
        [("items.0.sections.school.name", "required")]),
    (filing(wanted("schooling", CHILD, school=GIVEN, job=GIVEN)),
        [("items.0.sections.job", "section_not_expected")]),
    (filing(wanted("medical"), sections={}), [("sections.person", "section_missing")]),
    (filing(wanted("medical"), sections={"person": {"name": 1}}),
        [("sections.person.name", "wrong_type")]),
    (filing(wanted("spouse", SPOUSE, job=GIVEN)), [("sections.person", "section_not_expected")]),
    (filing(wanted("medical"), consents=("employer@1", *CONSENTS)), []),
    (filing(wanted("medical"), consents=()),
        [(f"consents.{ref}", "consent_missing") for ref in CONSENTS]),
    (filing(wanted("medical"), consents=("sensitive@1", *CONSENTS)),
        [("consents.0", "not_one_of")]),
]
# fmt: on


@pytest.mark.parametrize(("filed", "expected"), FILINGS)
def test_filing_faults(filed, expected):
    assert faults(filed) == expected


def test_two_children_are_two_items():
    other = UUID(int=4)
    filed = filing(*(wanted("schooling", who, school=GIVEN) for who in (CHILD, other)))
    assert filing_faults(filed, BUNDLE, KINSHIP | {other: "child"}, today=TODAY) == []


def test_sections_stand_with_their_holders():
    job = {"name": "y"}
    filed = filing(wanted("schooling", CHILD, school=GIVEN), wanted("spouse", SPOUSE, job=job))
    assert list(section_holders(filed)) == [
        (None, "person", GIVEN),
        (0, "school", GIVEN),
        (1, "job", job),
    ]


def test_answers_for_an_item_come_before_those_for_all():
    filed = filing(wanted("schooling", CHILD, school={"name": "y"}), wanted("medical"))
    first, second = filed.items
    assert answers_for(filed, first) == {"person": GIVEN, "school": {"name": "y"}}
    assert answers_for(filed, second) == {"person": GIVEN}


BOOK = {"zh": "《办法》", "en": "Rules"}
ARTICLE = {"zh": "第三条", "en": "article 3"}


def criterion(code, when, *, article=ARTICLE, binding=Binding.REFUSE):
    title = {"zh": f"须{code}", "en": f"Must {code}"}
    return Criterion(code, title, parse_condition(when), BOOK, article, binding)


def known(**answers):
    return Known(TODAY, answers={"person": answers})


LONG = criterion("wait", {"field": "person.months", "at_least": 6})
NAMED = criterion("sign", {"field": "person.name", "given": True}, article=None)
ADVICE = criterion("rest", {"field": "person.months", "at_least": 12}, binding=Binding.ADVISE)


@pytest.mark.parametrize(
    ("answers", "unmet"),
    [
        ({"months": 6, "name": "x"}, []),
        ({"months": 5, "name": "x"}, [("wait", "criterion_not_met")]),
        ({"months": 5}, [("wait", "criterion_not_met"), ("sign", "criterion_not_met")]),
        ({"name": "x"}, [("wait", "criterion_unknown")]),
        ({"months": "many", "name": "x"}, [("wait", "criterion_unknown")]),
    ],
)
def test_criteria_that_refuse(answers, unmet):
    definition = offering("medical", "self", SHARED, criteria=(LONG, NAMED, ADVICE))
    found = criterion_faults(definition, known(**answers), "items.3")
    assert [(fault.params["criterion"], fault.code) for fault in found] == unmet
    assert {fault.path for fault in found} <= {"items.3"}


@pytest.mark.parametrize(
    ("when", "missing", "named"),
    [
        ({"field": "person.months", "at_least": 6}, "field:person.months", ("满月数", "Months")),
        ({"field": "person.odd", "at_least": 6}, "field:person.odd", ("person.odd",) * 2),
        (
            {"age": "subject", "at_least": 6},
            "age:subject",
            ("所办家庭成员的出生日期", "the date of birth of the member of the family"),
        ),
        (
            {"age": "applicant", "at_least": 6},
            "age:applicant",
            ("申请人的出生日期", "the applicant's date of birth"),
        ),
        ({"fact": "degree.level", "at_least": 6}, "fact:degree.level", ("degree.level",) * 2),
    ],
)
def test_what_is_missing_for_a_criterion_is_named(when, missing, named):
    titled = {"properties": {"months": {"x-title": {"zh": "满月数", "en": "Months"}}}}
    person = SectionForm("person", Scope.TICKET, {}, titled, Form({}), ())
    definition = replace(
        offering("medical", "self", SHARED, criteria=(criterion("wait", when),)),
        sections={"person": person},
    )
    [fault] = criterion_faults(definition, known(name="x"), "items.0")
    assert (fault.code, fault.params["missing"]) == ("criterion_unknown", [missing])
    assert fault.text["zh"].endswith(f"需要补充：{named[0]}")
    assert fault.text["en"].endswith(f"Needed: {named[1]}.")


def test_a_criterion_that_refuses_says_why_in_both_languages():
    definition = offering("medical", "self", SHARED, criteria=(LONG, NAMED))
    long, named = criterion_faults(definition, known(months=1), "items.0")
    assert long.text == {
        "zh": "不符合条件：须wait（依据：《办法》第三条）",
        "en": "A criterion is not met: Must wait (Rules, article 3).",
    }
    assert named.text == {
        "zh": "不符合条件：须sign（依据：《办法》）",
        "en": "A criterion is not met: Must sign (Rules).",
    }


@pytest.mark.parametrize(
    ("one", "tongue", "text"),
    [
        (LONG, "zh", "《办法》第三条"),
        (LONG, "en", "Rules, article 3"),
        (NAMED, "zh", "《办法》"),
        (NAMED, "en", "Rules"),
    ],
)
def test_a_citation_with_its_article(one, tongue, text):
    assert cited(one, tongue) == text
