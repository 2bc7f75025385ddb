"""What eligibility says is what a filing with the same answers is held to."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.packs import demo_pack
from tests.policies.asking import BOUGHT, RENTED, ago, ask

PACK = demo_pack()
LATELY, LONG_AGO = ago(years=1), ago(years=9)
OPEN = {"contract_to": ago(years=-4)}
INSURED = {"insured_since": ago(days=300), "contract_from": ago(days=300)} | OPEN
NEW_HERE = {"insured_since": ago(days=3), "contract_from": ago(days=3)} | OPEN
MASTER = {"degree": "master", "graduated_on": LATELY}
COLLEGE = {"degree": "college", "graduated_on": LONG_AGO}
BOUGHT_LATELY, BOUGHT_LONG_AGO = {"signed_on": ago(days=60)}, {"signed_on": ago(years=3)}
BOTH = ("housing_rent", "housing_purchase")


def sections_of(*offerings, **changes):
    """The first example of every section that the offerings ask, with other answers in it."""
    asked = {code for one in offerings for code in PACK.offerings[one].sections}
    return {
        code: PACK.sections[code].schema["examples"][0] | changes.get(code, {}) for code in asked
    }


def filing(sections, *offerings):
    def part(scope, codes):
        return {code: sections[code] for code in codes if PACK.sections[code].scope == scope}

    return {
        "bundle": "arrival",
        "items": [
            {"offering": one, "sections": part("item", PACK.offerings[one].sections)}
            for one in offerings
        ],
        "sections": part("ticket", sections),
        "consents": [one.ref for one in PACK.consents],
    }


@pytest.mark.parametrize(
    ("offerings", "changes", "facts", "refusing"),
    [
        (["housing_rent"], {"applicant": MASTER, "employment": INSURED}, [], set()),
        (
            ["housing_rent"],
            {"applicant": COLLEGE, "employment": NEW_HERE},
            [],
            {"graduate", "degree", "insured"},
        ),
        (
            ["housing_rent"],
            {"applicant": MASTER, "employment": INSURED},
            [BOUGHT],
            {"no_purchase_subsidy"},
        ),
        (
            ["housing_purchase"],
            {"applicant": MASTER, "employment": INSURED, "purchase": BOUGHT_LATELY},
            [RENTED],
            {"no_rent_subsidy"},
        ),
        (
            ["housing_purchase"],
            {"applicant": COLLEGE, "employment": INSURED, "purchase": BOUGHT_LONG_AGO},
            [BOUGHT],
            {"class", "insured_before", "in_time", "once"},
        ),
        (
            BOTH,
            {"applicant": MASTER, "employment": INSURED, "purchase": BOUGHT_LATELY},
            [],
            {"no_purchase_subsidy", "no_rent_subsidy"},
        ),
        (["medical"], {"applicant": MASTER}, [], {"recognised"}),
        (["recognition", "medical"], {"applicant": MASTER, "employment": INSURED}, [], set()),
    ],
)
def test_a_filing_is_refused_for_what_is_not_met(world, issue, offerings, changes, facts, refusing):
    talent = world.talent()
    for fact in facts:
        issue(talent, fact["kind"], fact["value"])
    sections = sections_of(*offerings, **changes)
    rows = ask(talent, offerings=offerings, together=offerings, sections=sections)
    told = [
        one
        for row in rows
        for one in row["criteria"]
        if (one["binding"], one["verdict"]) == ("refuse", "not_met")
    ]
    assert {one["code"] for one in told} == refusing
    answer = talent.post(
        "/v1/tickets",
        json=filing(sections, *offerings),
        headers={"Idempotency-Key": uuid4().hex},
    )
    assert answer.status_code == (422 if refusing else 201), answer.json
    errors = answer.json.get("errors", [])
    assert {one["code"] for one in errors} == ({"criterion_not_met"} if refusing else set())
    assert len(errors) == len(told)
    for one in told:
        assert any(one["title"]["zh"] in error["message"] for error in errors)
