from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.facts.rules import FactState, KnownFact, in_force, state_of
from service.kernel.ids import new_id
from tests.facts.issuing import AT, SECRET, new

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


def known(**changes):
    said = {
        "id": new_id(),
        "person_id": new_id(),
        "kind": "tier",
        "value": {"class": "B", "remark": SECRET},
        "issuer": "human_resources",
        "valid_from": FIRST,
        "valid_to": LAST,
        "item_id": None,
        "revoked_at": None,
    }
    return KnownFact(**said | changes)


@pytest.mark.parametrize(
    ("changes", "on", "state"),
    [
        ({}, date(2026, 2, 28), "upcoming"),
        ({}, FIRST, "in_force"),
        ({}, LAST, "in_force"),
        ({}, date(2026, 4, 1), "ended"),
        ({"valid_to": FIRST}, FIRST, "in_force"),
        ({"valid_to": None}, date.max, "in_force"),
        ({"valid_to": None}, date.min, "upcoming"),
        ({"revoked_at": AT}, FIRST, "revoked"),
        ({"revoked_at": AT}, date.min, "revoked"),
        ({"revoked_at": AT}, date.max, "revoked"),
    ],
)
def test_where_a_fact_stands(changes, on, state):
    fact = known(**changes)
    assert state_of(fact, on) == state
    assert in_force(fact, on) is (state == "in_force")


@given(st.dates(), st.integers(0, 5000), st.dates())
def test_a_fact_is_in_force_on_its_days_alone(first, days, on):
    last = first + timedelta(days=min(days, (date.max - first).days))
    assert in_force(known(valid_from=first, valid_to=last), on) is (first <= on <= last)


def test_every_state_can_be_told_from_in_force():
    assert [state.value for state in FactState] == ["upcoming", "in_force", "ended", "revoked"]


def test_a_value_is_not_shown_where_a_fact_is_printed():
    assert SECRET not in repr(known())
    assert SECRET not in repr(new(new_id(), value={"remark": SECRET}))
