from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing import (
    AcceptanceDeemed,
    Context,
    Filed,
    StageClosed,
    Verdict,
    Withdrawn,
    decode_context,
    decode_event,
    encode_context,
    encode_event,
)

ROUNDS = st.integers(1, 99)
EVENTS = st.one_of(
    st.builds(Filed),
    st.builds(Withdrawn),
    st.builds(AcceptanceDeemed, st.text(), ROUNDS),
    st.builds(StageClosed, st.text(), ROUNDS, st.sampled_from(Verdict)),
)


@given(EVENTS)
def test_an_event_survives_json(event):
    assert decode_event(json.loads(json.dumps(encode_event(event)))) == event


@given(st.builds(Context, st.dictionaries(st.text(), st.text())))
def test_a_context_survives_json(context):
    assert decode_context(json.loads(json.dumps(encode_context(context)))) == context


def test_the_stored_form_is_settled():
    event = StageClosed("decision", 1, Verdict.APPROVE)
    stored = {"event": "stage_closed", "stage": "decision", "round": 1, "verdict": "approve"}
    assert encode_event(event) == stored
    assert encode_context(Context()) == {}


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"event": "party"},
        {"event": "filed", "stage": "a"},
        {"event": "stage_closed", "stage": "a", "round": 1},
        {"event": "stage_closed", "stage": "a", "round": 1, "verdict": "shrug"},
    ],
)
def test_anything_else_is_refused(raw):
    with pytest.raises(ValueError, match="not an event"):
        decode_event(raw)
