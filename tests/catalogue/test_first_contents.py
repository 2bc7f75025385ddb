"""Contents are never rewritten: what the first packs published is read by every later service."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from service.catalogue.rules.definitions import compile_bundle, compile_offering
from service.routing.context import Asking
from service.routing.engine import advance, initial
from service.routing.events import Filed
from service.routing.flow import Verdict
from service.routing.states import Phase
from tests.routing.walks import goes_on, legal

FIRST = json.loads(Path(__file__).with_name("first_contents.json").read_text("utf-8"))


@pytest.fixture
def offering():
    """Settlement as it was before there were criteria, documents, facts and edges."""
    return compile_offering(FIRST["offering"], version_id=uuid4(), version=1)


def test_what_there_was_not_is_empty(offering):
    assert (offering.criteria, offering.materials, offering.facts) == ((), (), {})
    assert offering.private is False
    assert offering.remedies is None
    assert offering.department_name("public_security") == {
        "zh": "public_security",
        "en": "public_security",
    }
    assert set(offering.sections) == {"applicant", "employment", "household", "residence"}
    stage = offering.flow.by_key["acceptance"]
    assert stage.may == {Verdict.ACCEPT, Verdict.NOT_ACCEPT}
    assert stage.sees.sections["applicant"] == {"degree", "school", "graduated_on", "mobile"}
    assert not stage.sees.materials


def test_its_way_can_be_gone_to_the_end(offering):
    nothing = Asking(lambda: pytest.fail("nothing has to be looked up"))
    state, _ = advance(offering.flow, initial(), Filed(), nothing)
    while state.phase is not Phase.ENDED:
        event = next(one for one in legal(offering.flow, state) if goes_on(offering.flow, one))
        state, _ = advance(offering.flow, state, event, nothing)
    assert state.outcome == "approved"


def test_its_bundle_has_no_edges(offering):
    bundle = compile_bundle(
        FIRST["bundle"],
        version_id=uuid4(),
        version=1,
        release=1,
        offerings={offering.code: offering},
    )
    assert bundle.edges == ()
    assert [one.ref for one in bundle.consents] == ["processing@1", "sensitive@1"]
