from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.context import Context, decode_context, encode_context
from service.routing.events import (
    AcceptanceDeemed,
    Cancelled,
    Corrected,
    Filed,
    NoticeEnded,
    PredecessorsSettled,
    TaskDecided,
    Withdrawn,
    decode_event,
    encode_event,
)
from service.routing.flow import Verdict
from tests.routing.cases import unhurried

ROUNDS = st.integers(1, 99)
NAMES = st.text()
EVENTS = st.one_of(
    st.builds(Filed, hard=st.booleans(), soft=st.booleans()),
    st.builds(PredecessorsSettled, hard=st.booleans(), soft=st.booleans()),
    st.builds(TaskDecided, NAMES, ROUNDS, NAMES, st.sampled_from(Verdict)),
    st.builds(AcceptanceDeemed, NAMES, ROUNDS),
    st.builds(NoticeEnded, NAMES, ROUNDS),
    st.builds(Corrected),
    st.builds(Withdrawn),
    st.builds(Cancelled),
)
ANSWERS = st.dictionaries(NAMES, st.booleans())
CONTEXTS = st.builds(
    Context, ANSWERS, ANSWERS, st.dictionaries(NAMES, st.lists(NAMES, max_size=3).map(tuple))
)


@unhurried
@given(EVENTS)
def test_an_event_survives_json(event):
    assert decode_event(json.loads(json.dumps(encode_event(event)))) == event


@unhurried
@given(CONTEXTS)
def test_a_context_survives_json(context):
    assert decode_context(json.loads(json.dumps(encode_context(context)))) == context


@pytest.mark.parametrize(
    ("event", "stored"),
    [
        (Filed(hard=True), {"event": "filed", "hard": True, "soft": False}),
        (PredecessorsSettled(hard=False, soft=True),
         {"event": "predecessors_settled", "hard": False, "soft": True}),
        (TaskDecided("d", 2, "east", Verdict.APPROVE),
         {"event": "task_decided", "stage": "d", "round": 2, "department": "east",
          "verdict": "approve"}),
        (AcceptanceDeemed("a", 1), {"event": "acceptance_deemed", "stage": "a", "round": 1}),
        (NoticeEnded("n", 3), {"event": "notice_ended", "stage": "n", "round": 3}),
        (Corrected(), {"event": "corrected"}),
        (Withdrawn(), {"event": "withdrawn"}),
        (Cancelled(), {"event": "cancelled"}),
    ],
)  # fmt: skip
def test_the_stored_form_of_an_event_is_settled(event, stored):
    assert encode_event(event) == stored


@pytest.mark.parametrize(
    ("context", "stored"),
    [
        (Context(), {}),
        (Context({"r.1": True}), {"opened": {"r.1": True}}),
        (Context(passed={"c.2": False}), {"passed": {"c.2": False}}),
        (Context(chosen={"r.1": ("east", "west")}), {"chosen": {"r.1": ["east", "west"]}}),
    ],
)
def test_the_stored_form_of_a_context_is_settled(context, stored):
    assert json.loads(json.dumps(encode_context(context))) == stored


def test_an_item_filed_without_a_word_waits_for_nothing():
    assert decode_event({"event": "filed"}) == Filed(hard=False, soft=False)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"event": "party"},
        {"event": None},
        {"event": ["filed"]},
        {"event": "filed", "stage": "a"},
        {"event": "predecessors_settled", "hard": True},
        {"event": "task_decided", "stage": "a", "round": 1, "department": "east"},
        {"event": "task_decided", "stage": "a", "round": 1, "verdict": "pass"},
        {"event": "task_decided", "stage": "a", "round": 1, "department": "e", "verdict": "shrug"},
        {"event": "notice_ended", "stage": "a", "round": 1, "verdict": "pass"},
    ],
)
def test_anything_else_is_refused(raw):
    with pytest.raises(ValueError, match="not an event"):
        decode_event(raw)
