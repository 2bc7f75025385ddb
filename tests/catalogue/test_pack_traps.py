"""What is easily overlooked in a pack: right in shape and name, and yet it would not run."""

from __future__ import annotations

from datetime import date

import pytest

from service.catalogue.rules.checks import parse_pack
from service.routing.conditions.answered import evaluate
from service.routing.conditions.known import Known
from tests.catalogue.faulty_conditions import EMPLOYED
from tests.catalogue.packs import edited, faults_of, whole

APPLICANT = "sections/applicant.yaml"
HOUSEHOLD = "sections/household.yaml"
MEDICAL_SECTION = "sections/medical.yaml"
SCHOOLING = "sections/schooling.yaml"
SETTLEMENT = "offerings/settlement.yaml"
RENT = "offerings/housing_rent.yaml"
MEDICAL = "offerings/medical.yaml"
DISCOUNT = "offerings/purchase_discount.yaml"
SPOUSE = "offerings/spouse.yaml"
RECOGNITION = "offerings/recognition.yaml"
ARRIVAL = "bundles/arrival.yaml"

INTO = "      enum: [own_home, rented_home, collective]\n"
STAGE = "      enum: [kindergarten, primary, junior]\n"
CHILDREN = "      type: integer\n      minimum: 0\n      maximum: 5\n"
SWITCH = "      x-widget: switch\n      type: boolean\n"
CHOSEN = """\
      enum: [true, false]
      x-options: {"true": {zh: 是, en: "Yes"}, "false": {zh: 否, en: "No"}}
"""
GRADUATED = "{field: applicant.graduated_on, at_least_ago: {days: 0}}"
WITH_CHILDREN = "{field: household.children, at_least: 1}"
IF_PASSED = "{stage: experts, is: passed}"
BY_CLASS = "by: {fact: recognition.class}\n        cases: {A: health, B: health}"


def nested(depth, condition="{field: applicant.degree, is: master}"):
    """A condition so many levels deep."""
    for _ in range(depth - 1):
        condition = f"{{not: {condition}}}"
    return condition


def criterion(condition):
    return (SETTLEMENT, EMPLOYED, f"met_when: {condition}")


def answers_of(offering):
    """The first example of every section."""
    return {form.code: form.schema["examples"][0] for form in offering.forms}


REFUSED = [
    # deeper than conditions are evaluated
    (criterion(nested(9)), "criteria.1.met_when"),
    ((SETTLEMENT, WITH_CHILDREN, nested(9)), "materials.8.when"),
    ((RECOGNITION, IF_PASSED, nested(9)), "flow.stages.3.when"),
    ((ARRIVAL, "{field: applicant.degree, is: college}", nested(9)), "edges.0.if"),
    ((APPLICANT, GRADUATED, nested(9)), "rules.0.must"),
    # a stage that comes to something only later, or where there is no flow yet
    ((RECOGNITION, IF_PASSED, "{stage: decision, is: passed}"), "flow.stages.3.when.stage"),
    ((RECOGNITION, IF_PASSED, "{stage: deliberation, is: passed}"), "flow.stages.3.when.stage"),
    ((SETTLEMENT, WITH_CHILDREN, "{stage: decision, is: passed}"), "materials.8.when.stage"),
    (criterion("{stage: acceptance, is: passed}"), "criteria.1.met_when.stage"),
    # numbers against dates, and dates that are written otherwise than answers are
    (
        criterion(
            "{field: household.children, at_least: {field: residence.since, plus: {days: 1}}}"
        ),
        "criteria.1.met_when.at_least",
    ),
    (
        criterion('{field: employment.insured_since, at_least: "20260101"}'),
        "criteria.1.met_when.at_least",
    ),
    (
        criterion("{field: employment.insured_since, at_least: 2026-W01-1}"),
        "criteria.1.met_when.at_least",
    ),
    # from when until when a fact holds
    ((RENT, "until: {years: 3}", "until: 3"), "flow.stages.3.gives.0.until"),
    ((RENT, "until: {years: 3}", "until: soon"), "flow.stages.3.gives.0.until"),
    ((RENT, "until: {years: 3}", "until: {result: months}"), "flow.stages.3.gives.0.until"),
    ((RENT, "until: {field: lease.to}", "until: {field: lease.bank}"), "flow.stages.3.gives.1"),
    ((RENT, "from: {field: lease.from}", "from: {field: lease.bank}"), "flow.stages.3.gives.1"),
    ((RENT, "from: {field: lease.from}", "from: 2099-01-01"), "flow.stages.3.gives.1"),
    # a case that no answer has
    (
        (MEDICAL, BY_CLASS, "by: {field: medical.covers_spouse}\n        cases: {maybe: health}"),
        "flow.stages.4.department.cases.maybe",
    ),
    # a limit is told where it stands
    (
        (DISCOUNT, "limit: {working_hours: 4}", "limit: {working_hours: 0}"),
        "flow.stages.1.limit.working_hours",
    ),
]


@pytest.mark.parametrize(("edit", "key"), REFUSED, ids=lambda one: str(one)[-60:])
def test_what_would_not_run_is_told(edit, key):
    found = faults_of(edited(edit))
    assert found
    assert {fault[0] for fault in found} == {edit[0]}
    assert any(one[2].startswith(key) for one in found)


TAKEN = [
    # an expression over what is not in every example
    [criterion("{cel: applicant.email != '', needs: [{field: applicant.email}]}")],
    # whole numbers written with a point
    [(APPLICANT, "at_least_ago: {days: 0}", "at_least_ago: {years: 0.0}")],
    [(APPLICANT, "at_least_ago: {days: 0}", "at_least_ago: {months: 1.0}")],
    [criterion("{field: employment.insured_since, at_least_ago: {years: 1.0}}")],
    [(ARRIVAL, "wait_until: {working_days: 40}", "wait_until: {working_days: 40.0}")],
    [(SPOUSE, "rounds: 2}", "rounds: 2.0}")],
    # a choice between yes and no
    [
        (MEDICAL_SECTION, SWITCH, CHOSEN),
        (MEDICAL, BY_CLASS, 'by: {field: medical.covers_spouse}\n        cases: {"true": health}'),
    ],
]


@pytest.mark.parametrize("edits", TAKEN, ids=lambda one: str(one)[-60:])
def test_what_may_be_said_is_taken_and_runs(edits):
    assert faults_of(edited(*edits)) == []
    for offering in whole(parse_pack(edited(*edits))).members:
        known = Known(date(2026, 6, 1), answers=answers_of(offering))
        for one in offering.criteria:
            evaluate(one.met_when, known)
        for section in offering.forms:
            answers = known.answers[section.code]
            assert section.faults(answers, at="answers", today=known.today) == []


SCHEMAS = [
    "enum: 5",
    "type: strin",
    "$ref: http://127.0.0.1:9/x",
    '$ref: "#/$defs/nowhere"',
    "not: 5",
    "format: telepathic",
]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize(
    ("file", "old"), [(HOUSEHOLD, INTO), (HOUSEHOLD, CHILDREN), (SCHOOLING, STAGE)]
)
def test_a_field_without_a_schema_is_told_whatever_names_it(file, old, schema):
    found = faults_of(edited((file, old, f"      {schema}\n")))
    assert (file, "bad_schema") in {(one[0], one[3]) for one in found}


@pytest.mark.parametrize(
    "schema",
    [
        'type: [integer, "null"]',
        "$ref: '#/$defs/few'",
        "anyOf: [{type: integer}, {type: string, format: date}]",
        "const: 1",
    ],
)
def test_a_field_of_no_simple_type_is_told_or_taken_where_it_is_compared(schema):
    defined = (HOUSEHOLD, "schema:\n", "schema:\n  $defs: {few: {type: integer, maximum: 5}}\n")
    found = faults_of(edited(defined, (HOUSEHOLD, CHILDREN, f"      {schema}\n")))
    assert {one[:1] + one[3:] for one in found} <= {
        (SETTLEMENT, "wrong_clause"),
        (HOUSEHOLD, "example_invalid"),
    }


@pytest.mark.parametrize("name", ["today", "facts"])
def test_a_section_that_is_called_like_what_expressions_know_already(name):
    files = edited(
        (
            SETTLEMENT,
            "[applicant, employment, residence, household]",
            f"[applicant, employment, residence, household, {name}]",
        ),
        criterion(f"{{cel: {name}.into == 'x', needs: [{{field: {name}.into}}]}}"),
    )
    text = files[HOUSEHOLD].decode().replace("code: household", f"code: {name}")
    found = faults_of(files | {f"sections/{name}.yaml": text.encode()})
    assert all(one[0] in {SETTLEMENT, f"sections/{name}.yaml"} for one in found)
