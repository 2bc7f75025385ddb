"""Whatever the flow and whatever legally happens: it ends, and the invariants hold throughout."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.context import Context, decode_context, encode_context
from service.routing.engine import IllegalEvent, advance, initial, replay
from service.routing.events import (
    AcceptanceDeemed,
    Event,
    Filed,
    NoticeEnded,
    TaskDecided,
    decode_event,
    encode_event,
)
from service.routing.flow import PASSING, Flow, StageKind, Verdict
from service.routing.states import (
    CancelTask,
    CheckStage,
    CloseStage,
    Effect,
    EndItem,
    GiveFacts,
    Hold,
    ItemState,
    OpenStage,
    Outcome,
    Phase,
    SkipStage,
    StageStatus,
    StartPromise,
    StopPromise,
    SupersedeStage,
)
from tests.routing.cases import unhurried
from tests.routing.flows import ROUNDS, flows
from tests.routing.walks import Dice, Walk, anything, bound, legal, most_rounds, walks


@unhurried
@given(walks())
def test_the_invariants_hold_after_every_event(walk):
    assert len(walk.steps) <= bound(walk.flow)
    for step in walk.steps:
        hold_invariants(walk.flow, step.state)
    decided = Counter(_decided(walk, number) for number in range(len(walk.steps)))
    del decided[None]
    assert set(decided.values()) <= {1}, "a task is decided twice"


def hold_invariants(flow: Flow, state: ItemState) -> None:
    ended = state.phase is Phase.ENDED
    open_parts = [part for one in state.stages for part in one.open_parts]
    entered = {one.key for one in state.stages if one.current}
    behind = {one.key for one in state.stages if one.behind}
    if ended:
        assert not open_parts
    else:
        held = state.soft and behind.issuperset(flow.decision.after) and "d" not in entered
        waits = state.hard if state.phase is Phase.WAITING else held
        assert open_parts or state.hold or waits
    assert (state.outcome is not None) == (ended or state.phase is Phase.FULFILMENT)
    assert (state.outcome is Outcome.APPROVED) == ("d" in behind)
    assert not (state.phase is Phase.WAITING and state.stages)
    waits_for_applicant = not ended and any(one.returned for one in state.stages)
    assert state.hold is (Hold.CORRECTION if waits_for_applicant else None)
    assert not (state.hold and state.phase is Phase.FULFILMENT)
    hold_rounds(flow, state)
    for one in state.stages:
        assert bool(one.open_parts) == (one.status is StageStatus.OPEN)
        if one.current and not ended:
            assert behind.issuperset(flow.by_key[one.key].after)


def hold_rounds(flow: Flow, state: ItemState) -> None:
    """Of a stage one round counts at the most; rounds follow each other, no more than may be."""
    current = Counter(one.key for one in state.stages if one.current)
    assert set(current.values()) <= {1}
    for key in flow.by_key:
        rounds = [one.round for one in state.stages if one.key == key]
        assert rounds == list(range(1, len(rounds) + 1))
        assert state.rounds(key) == len(rounds) <= most_rounds(flow, key)
        assert state.returns(key) <= 1


def test_the_rounds_that_may_be_are_those_of_all_that_leads_back():
    assert [most_rounds(ROUNDS, key) for key in ("papers", "visit", "beside")] == [4, 5, 2]


def _decided(walk: Walk, number: int) -> tuple[str, int, str] | None:
    """The task that an event closes."""
    event, before = walk.steps[number].event, walk.before(number)
    match event:
        case TaskDecided(key, round_, department, _):
            return key, round_, department
        case AcceptanceDeemed(key, round_) | NoticeEnded(key, round_):
            held = next(o for o in before.open_stages if (o.key, o.round) == (key, round_))
            return key, round_, held.open_parts[0].department
    return None


@dataclass
class Ledger:
    """What somebody knows who sees no state, only what happens and what is to be done."""

    tasks: set[tuple[str, int, str]] = field(default_factory=set)
    stages: dict[tuple[str, int], str] = field(default_factory=dict)
    clock: str = "not started"
    given: list[str] = field(default_factory=list)
    outcome: Outcome | None = None

    def note(self, effect: Effect) -> None:
        assert self.outcome is None, "nothing follows the end"
        match effect:
            case OpenStage(key, round_, departments):
                tasks = {(key, round_, name) for name in departments}
                assert tasks.isdisjoint(self.tasks)
                self.tasks |= tasks
                self._enter(key, round_, "open")
            case SkipStage(key, round_):
                self._enter(key, round_, "skipped")
            case CheckStage(key, round_, verdict):
                self._enter(key, round_, f"closed {verdict}")
            case CancelTask(key, round_, department):
                self.tasks.remove((key, round_, department))
            case CloseStage(key, round_, verdict):
                assert self.stages[key, round_] == "open"
                left = {task for task in self.tasks if task[:2] == (key, round_)}
                assert verdict is None or not left
                self.tasks -= left
                self.stages[key, round_] = f"closed {verdict}" if verdict else "cancelled"
            case SupersedeStage(key, round_):
                assert self.stages[key, round_].startswith(("closed", "skipped"))
                self.stages[key, round_] = "superseded"
            case StartPromise():
                assert self.clock == "not started"
                self.clock = "running"
            case StopPromise():
                assert self.clock == "running"
                self.clock = "stopped"
            case GiveFacts(key):
                self.given.append(key)
            case EndItem(outcome):
                self.outcome = outcome

    def _enter(self, key: str, round_: int, how: str) -> None:
        assert (key, round_) not in self.stages
        self.stages[key, round_] = how


def as_told(state: ItemState) -> dict[tuple[str, int], str]:
    """The state's stages, as a ledger notes them."""
    return {
        (one.key, one.round): f"closed {one.verdict}"
        if one.status is StageStatus.CLOSED
        else str(one.status)
        for one in state.stages
    }


@unhurried
@given(walks())
def test_effects_and_state_tell_the_same(walk):
    ledger = Ledger()
    for number, step in enumerate(walk.steps):
        ledger.tasks.discard(_decided(walk, number))
        for effect in step.effects:
            ledger.note(effect)
        state = step.state
        open_tasks = {(o.key, o.round, p.department) for o in state.stages for p in o.open_parts}
        assert ledger.tasks == open_tasks
        assert ledger.stages == as_told(state)
        assert (ledger.clock == "running") == (state.phase is Phase.PROCESSING)
        assert ledger.outcome == (state.outcome if state.phase is Phase.ENDED else None)
    gives = walk.flow.decision.gives and walk.end.outcome is Outcome.APPROVED
    assert ledger.given == (["d"] if gives else [])


@unhurried
@given(walks())
def test_replaying_what_was_stored_gives_the_same_state(walk):
    stored = json.dumps([(encode_event(o.event), encode_context(o.context)) for o in walk.steps])
    history = [(decode_event(event), decode_context(said)) for event, said in json.loads(stored)]
    assert [event for event, _ in history] == [one.event for one in walk.steps]
    assert replay(walk.flow, history) == walk.end


@unhurried
@given(walks(), st.data())
def test_what_is_legal_is_let_through_and_nothing_else(walk, data):
    at = data.draw(st.integers(0, len(walk.steps)))
    state = walk.before(at)
    same = replay(walk.flow, [(one.event, one.context) for one in walk.steps[:at]])
    allowed = set(legal(walk.flow, state))
    for event in anything(walk.flow, state):
        if event not in allowed:
            with pytest.raises(IllegalEvent):
                advance(walk.flow, state, event, Context())
    for event in allowed:
        after, _ = advance(walk.flow, state, event, Yes())
        hold_invariants(walk.flow, after)
    assert state == same


class Yes:
    """Everything opens and passes, with the usual departments."""

    def opens(self, *_: object) -> bool:
        return True

    passes = opens

    def departments(self, stage, _) -> tuple[str, ...]:
        return stage.choice.departments

    def decided(self, stage) -> None:
        pass


@unhurried
@given(flows())
def test_all_going_on_leads_through_every_stage_once(flow):
    state, _ = advance(flow, initial(), Filed(), Yes())
    while state.open_stages:
        first = state.open_stages[0]
        department = first.open_parts[0].department
        verdict = PASSING[flow.by_key[first.key].kind]
        event = TaskDecided(first.key, first.round, department, verdict)
        state, _ = advance(flow, state, event, Yes())
    assert (state.phase, state.outcome) == (Phase.ENDED, Outcome.APPROVED)
    assert Counter(one.key for one in state.stages) == dict.fromkeys(flow.by_key, 1)
    assert flow.by_key[state.stages[0].key].kind is StageKind.ACCEPTANCE


@unhurried
@given(flows(), st.data())
def test_all_rejecting_comes_to_an_end_as_well(flow, data):
    dice = Dice(data.draw)
    state, _ = advance(flow, initial(), Filed(), dice)
    for _ in range(bound(flow)):
        if state.phase is Phase.ENDED:
            break
        first = state.open_stages[-1]
        stage = flow.by_key[first.key]
        verdict = Verdict.REJECT if Verdict.REJECT in stage.may else PASSING[stage.kind]
        event: Event = TaskDecided(first.key, first.round, first.open_parts[0].department, verdict)
        state, _ = advance(flow, state, event, dice)
    assert state.phase is Phase.ENDED
