"""What follows from an event: `advance` moves one item through its flow.

The flow is taken as checked (`check_flow`); then every sequence of legal events ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from service.routing.events import (
    AcceptanceDeemed,
    Context,
    Event,
    Filed,
    StageClosed,
    Withdrawn,
)
from service.routing.flow import Flow, Stage, StageKind, Verdict


class Phase(StrEnum):
    WAITING = "waiting"  # not started: a predecessor has not ended
    ACCEPTANCE = "acceptance"
    PROCESSING = "processing"
    FULFILMENT = "fulfilment"  # decided, being delivered
    ENDED = "ended"


class Outcome(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    NOT_ACCEPTED = "not_accepted"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


class StageStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StageState:
    """One round of a stage that has been opened."""

    key: str
    round: int
    status: StageStatus
    department: str
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class ItemState:
    """Where an item stands. `stages` holds what has been opened, in that order.

    The outcome is there from the decision on, or from whatever else ended the item.
    """

    phase: Phase
    outcome: Outcome | None
    stages: tuple[StageState, ...]

    @property
    def open_stages(self) -> tuple[StageState, ...]:
        return tuple(stage for stage in self.stages if stage.status is StageStatus.OPEN)


@dataclass(frozen=True, slots=True)
class OpenStage:
    stage: str
    round: int
    department: str
    role: str


@dataclass(frozen=True, slots=True)
class CloseStage:
    """`cancelled`: nobody decided this stage; something else ended the item."""

    stage: str
    round: int
    cancelled: bool


@dataclass(frozen=True, slots=True)
class StartPromise:
    """Accepted: the item's clock starts."""


@dataclass(frozen=True, slots=True)
class StopPromise:
    """Decided, or ended without a decision: the clock that was running stops."""


@dataclass(frozen=True, slots=True)
class EndItem:
    outcome: Outcome


Effect = OpenStage | CloseStage | StartPromise | StopPromise | EndItem
Step = tuple[ItemState, tuple[Effect, ...]]


class IllegalEvent(Exception):
    """The event does not fit the state, which stays as it was.

    `code`: `item_event_not_allowed` (not in this phase), `stage_not_open` (closed, cancelled, or
    never opened), `verdict_not_allowed` (the stage does not know this verdict).
    """

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


def initial() -> ItemState:
    """An item before anything has happened to it."""
    return ItemState(phase=Phase.WAITING, outcome=None, stages=())


def advance(flow: Flow, state: ItemState, event: Event, context: Context) -> Step:
    """The state after the event and what has to be done about it, in order.

    Raises `IllegalEvent` where the event does not fit the state.
    """
    step = _STEPS.get((state.phase, type(event)))
    if step is None:
        raise IllegalEvent(
            "item_event_not_allowed", phase=state.phase.value, event=type(event).__name__
        )
    return step(flow, state, event, context)


def replay(flow: Flow, history: Iterable[tuple[Event, Context]]) -> ItemState:
    """The state to which a history of events with their stored contexts leads."""
    state = initial()
    for event, context in history:
        state, _ = advance(flow, state, event, context)
    return state


def _file(flow: Flow, state: ItemState, event: Filed, context: Context) -> Step:  # noqa: ARG001
    return _open(replace(state, phase=Phase.ACCEPTANCE), flow.starts, context, ())


def _withdraw(flow: Flow, state: ItemState, event: Withdrawn, context: Context) -> Step:  # noqa: ARG001
    return _end(state, Outcome.WITHDRAWN, ())


def _deem(flow: Flow, state: ItemState, event: AcceptanceDeemed, context: Context) -> Step:
    return _close(flow, state, StageClosed(event.stage, event.round, Verdict.ACCEPT), context)


def _close(flow: Flow, state: ItemState, event: StageClosed, context: Context) -> Step:
    held = _held(state, event)
    stage = flow.by_key[held.key]
    if event.verdict not in stage.may:
        raise IllegalEvent("verdict_not_allowed", stage=stage.key, verdict=event.verdict.value)
    closed = replace(held, status=StageStatus.CLOSED, verdict=event.verdict)
    state = replace(state, stages=tuple(closed if one is held else one for one in state.stages))
    effects = (CloseStage(held.key, held.round, cancelled=False),)
    outcome = _ENDING.get(event.verdict)
    if outcome is not None:
        return _end(state, outcome, effects)
    return _pass(flow, state, stage, context, effects)


def _held(state: ItemState, event: StageClosed) -> StageState:
    for stage in state.stages:
        if (stage.key, stage.round) == (event.stage, event.round):
            if stage.status is StageStatus.OPEN:
                return stage
            break
    raise IllegalEvent("stage_not_open", stage=event.stage, round=event.round)


def _pass(
    flow: Flow, state: ItemState, stage: Stage, context: Context, effects: tuple[Effect, ...]
) -> Step:
    """Leaves a stage with its passing verdict: turns the phase, opens what was waiting for it."""
    turn = _TURNS.get(stage.kind)
    if turn is not None:
        state = replace(state, phase=turn.phase, outcome=turn.outcome)
        effects = (*effects, turn.effect)
    passed = {one.key for one in state.stages if one.status is StageStatus.CLOSED}
    ready = tuple(one for one in flow.successors[stage.key] if passed.issuperset(one.after))
    state, effects = _open(state, ready, context, effects)
    if state.outcome is None or state.open_stages:
        return state, effects
    return replace(state, phase=Phase.ENDED), (*effects, EndItem(state.outcome))


def _open(
    state: ItemState, stages: tuple[Stage, ...], context: Context, effects: tuple[Effect, ...]
) -> Step:
    opened = tuple(
        OpenStage(one.key, 1, context.departments.get(one.key, one.department), one.role)
        for one in stages
    )
    fresh = tuple(
        StageState(one.stage, one.round, StageStatus.OPEN, one.department) for one in opened
    )
    return replace(state, stages=state.stages + fresh), effects + opened


def _end(state: ItemState, outcome: Outcome, effects: tuple[Effect, ...]) -> Step:
    """Ends the item without passing on: what is still open is cancelled."""
    cancelled = tuple(CloseStage(one.key, one.round, cancelled=True) for one in state.open_stages)
    running = (StopPromise(),) if state.phase is Phase.PROCESSING else ()
    stages = tuple(
        replace(one, status=StageStatus.CANCELLED) if one.status is StageStatus.OPEN else one
        for one in state.stages
    )
    ended = ItemState(phase=Phase.ENDED, outcome=outcome, stages=stages)
    return ended, (*effects, *cancelled, *running, EndItem(outcome))


@dataclass(frozen=True, slots=True)
class _Turn:
    phase: Phase
    outcome: Outcome | None
    effect: Effect


# Passing one of these turns the whole item; passing the others only opens what comes next.
_TURNS: Mapping[StageKind, _Turn] = {
    StageKind.ACCEPTANCE: _Turn(Phase.PROCESSING, None, StartPromise()),
    StageKind.DECISION: _Turn(Phase.FULFILMENT, Outcome.APPROVED, StopPromise()),
}
# The verdicts that end the item there and then.
_ENDING: Mapping[Verdict, Outcome] = {
    Verdict.NOT_ACCEPT: Outcome.NOT_ACCEPTED,
    Verdict.REJECT: Outcome.REJECTED,
}
# Which events a phase knows. An item that is decided can no longer be withdrawn, only delivered.
_STEPS: Mapping[tuple[Phase, type[Event]], Callable[[Flow, ItemState, Any, Context], Step]] = {
    (Phase.WAITING, Filed): _file,
    (Phase.WAITING, Withdrawn): _withdraw,
    (Phase.ACCEPTANCE, StageClosed): _close,
    (Phase.ACCEPTANCE, AcceptanceDeemed): _deem,
    (Phase.ACCEPTANCE, Withdrawn): _withdraw,
    (Phase.PROCESSING, StageClosed): _close,
    (Phase.PROCESSING, Withdrawn): _withdraw,
    (Phase.FULFILMENT, StageClosed): _close,
}
