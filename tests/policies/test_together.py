"""What is meant to be filed together, or is under way, counts for criteria."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.catalogue.actions.publish import publish_pack
from service.kernel import clock
from service.kernel.actor import guest as as_guest
from service.policies.queries import eligibility_for
from service.policies.rules import Stated
from tests.packs import demo_pack
from tests.policies.asking import DISTRICT, ago, ask, asked_one, criteria, criterion, reason

pytestmark = pytest.mark.dated

PACK = demo_pack()
RECENT = {
    "applicant": {"degree": "master", "graduated_on": ago(years=1)},
    "employment": {"insured_since": ago(days=200)},
}


def test_the_two_subsidies_for_a_home_exclude_each_other(guest):
    both = ["housing_rent", "housing_purchase"]
    rows = ask(guest, offerings=both, together=both, sections=RECENT)
    for row, code in zip(rows, ("no_rent_subsidy", "no_purchase_subsidy"), strict=True):
        assert (row["verdict"], criteria(row)[code]) == ("not_met", "not_met")
        told = criterion(row, code)["reasons"]
        assert [one["source"] for one in told] == ["requested"]
        assert told[0]["name"] in both
        assert told[0]["name"] != row["offering"]
    alone = ask(guest, offerings=both, sections=RECENT)
    assert {row["verdict"] for row in alone} == {"unknown"}


def test_what_is_asked_for_together_counts_as_if_it_were_granted(guest):
    row = asked_one(guest, "medical", together=["recognition"])
    assert row["verdict"] == "met"
    assert (reason(row, "recognised")["source"], reason(row, "recognised")["name"]) == (
        "requested",
        "recognition",
    )


def test_an_offering_does_not_stand_beside_itself(session):
    alone = {
        "code": "alone",
        "title": {"zh": "单独申请", "en": "Asked for alone"},
        "met_when": {"not": {"requested": "medical"}},
        "cites": {"citation": "rules"},
    }
    changed = replace(PACK.offerings["medical"], criteria=(alone,))
    publish_pack(
        session,
        replace(PACK, offerings={**PACK.offerings, "medical": changed}),
        at=clock.now(),
    )
    stated = Stated(offerings=["medical"], together=["medical", "spouse"])
    [row] = eligibility_for(session, as_guest(DISTRICT), DISTRICT, stated, at=clock.now()).rows
    assert row.verdict == "met"
