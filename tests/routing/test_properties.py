"""Whatever the flow and whatever legally happens: it ends, and the invariants hold throughout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing import (
    AcceptanceDeemed,
    CloseStage,
    Context,
    EndItem,
    Event,
    Filed,
    Flow,
    IllegalEvent,
    ItemState,
    OpenStage,
    Outcome,
    Phase,
    StageClosed,
    StageKind,
    StageStatus,
    StartPromise,
    StopPromise,
    Verdict,
    Withdrawn,
    advance,
    decode_context,
    decode_event,
    encode_context,
    encode_event,
    initial,
    replay,
)
from tests.routing.flows import GOES_ON, flows


def every_event(flow: Flow) -> list[Event]:
    """All that can be said about a flow's first round, sensible or not."""
    return [
        Filed(),
        Withdrawn(),
        *(AcceptanceDeemed(stage.key, 1) for stage in flow.stages),
        *(StageClosed(stage.key, 1, verdict) for stage in flow.stages for verdict in Verdict),
    ]


def legal(flow: Flow, state: ItemState) -> list[Event]:
    allowed = []
    for event in every_event(flow):
        try:
            advance(flow, state, event, Context())
        except IllegalEvent:
            continue
        allowed.append(event)
    return allowed


def hold_invariants(flow: Flow, state: ItemState) -> None:
    assert (state.phase is Phase.ENDED) == (
        state.phase is not Phase.WAITING and not state.open_stages
    )
    assert (state.outcome is not None) == (state.phase in (Phase.FULFILMENT, Phase.ENDED))
    assert len({stage.key for stage in state.stages}) == len(state.stages)
    closed = {stage.key for stage in state.stages if stage.status is StageStatus.CLOSED}
    for stage in state.stages:
        assert closed.issuperset(flow.by_key[stage.key].after)
        assert (stage.verdict is not None) == (stage.status is StageStatus.CLOSED)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Flow, list[tuple[Event, Context]]]:
    """A flow with a legal history of it up to its end, biased towards going on."""
    flow = draw(flows())
    state, history = initial(), []
    while state.phase is not Phase.ENDED:
        events = legal(flow, state)
        going_on = [
            event
            for event in events
            if isinstance(event, StageClosed)
            and event.verdict is GOES_ON[flow.by_key[event.stage].kind]
        ]
        pool = going_on if going_on and draw(st.integers(0, 9)) else events
        event = draw(st.sampled_from(pool))
        names = st.dictionaries(st.sampled_from(sorted(flow.by_key)), st.sampled_from("xyz"))
        context = Context(draw(names))
        state, _ = advance(flow, state, event, context)
        history.append((event, context))
        assert len(history) <= len(flow.stages) + 1
    return flow, history


@given(histories())
def test_every_legal_history_keeps_the_invariants(drawn):
    flow, history = drawn
    state, told = initial(), []
    for event, context in history:
        state, effects = advance(flow, state, event, context)
        hold_invariants(flow, state)
        told += effects
    check_effects(flow, state, told)


def check_effects(flow: Flow, state: ItemState, told: list[object]) -> None:
    opened = [effect.stage for effect in told if isinstance(effect, OpenStage)]
    closed = [effect.stage for effect in told if isinstance(effect, CloseStage)]
    assert opened == [stage.key for stage in state.stages]
    assert sorted(opened) == sorted(closed)
    assert told.count(StartPromise()) == told.count(StopPromise()) <= 1
    assert [effect for effect in told if isinstance(effect, EndItem)] == [EndItem(state.outcome)]
    if state.outcome is Outcome.APPROVED:
        assert len(opened) == len(flow.stages)


@given(histories())
def test_replaying_what_was_stored_gives_the_same_state(drawn):
    flow, history = drawn
    state = initial()
    for event, context in history:
        state, _ = advance(flow, state, event, context)
    stored = [(encode_event(event), encode_context(context)) for event, context in history]
    assert replay(flow, [(decode_event(a), decode_context(b)) for a, b in stored]) == state


@given(histories(), st.data())
def test_nothing_illegal_is_let_through(drawn, data):
    flow, history = drawn
    cut = data.draw(st.integers(0, len(history)))
    state = replay(flow, history[:cut])
    allowed = legal(flow, state)
    event = data.draw(st.sampled_from(every_event(flow)))
    if event in allowed:
        return
    with pytest.raises(IllegalEvent):
        advance(flow, state, event, Context())
    assert state == replay(flow, history[:cut])


@given(flows())
def test_all_going_on_leads_through_every_stage_once(flow):
    state, _ = advance(flow, initial(), Filed(), Context())
    while state.open_stages:
        first = state.open_stages[0]
        kind = flow.by_key[first.key].kind
        state, _ = advance(flow, state, StageClosed(first.key, 1, GOES_ON[kind]), Context())
    assert (state.phase, state.outcome) == (Phase.ENDED, Outcome.APPROVED)
    assert {stage.key for stage in state.stages} == set(flow.by_key)
    assert flow.by_key[state.stages[0].key].kind is StageKind.ACCEPTANCE
