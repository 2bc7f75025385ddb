"""Events, effects and states in the words of the tests.

An effect is a line: `open r.1 r_department`, `close r.1 pass`, `end approved`; `drop r.1` is a
stage that is closed without a verdict.
A state is a line for each round: `r.1 superseded pass`.
"""

from __future__ import annotations

from collections.abc import Iterable

from service.routing.context import Context
from service.routing.engine import advance, replay
from service.routing.events import Event, TaskDecided
from service.routing.flow import Flow, Verdict
from service.routing.states import (
    CancelTask,
    CheckStage,
    CloseStage,
    Effect,
    EndItem,
    GiveFacts,
    ItemState,
    OpenStage,
    SkipStage,
    StartPromise,
    StopPromise,
    SupersedeStage,
)

NOTHING = Context()


def says(stage: str, verdict: str, *, round_: int = 1, of: str | None = None) -> TaskDecided:
    """A department gives its verdict; the one named after the stage, unless another is."""
    return TaskDecided(stage, round_, of or f"{stage}_department", Verdict(verdict))


def after(flow: Flow, events: Iterable[Event], context: Context = NOTHING) -> ItemState:
    return replay(flow, [(event, context) for event in events])


def step(
    flow: Flow, before: Iterable[Event], event: Event, context: Context = NOTHING
) -> tuple[ItemState, list[str]]:
    """The state after one more event, and what has to be done about it, as lines."""
    state, effects = advance(flow, after(flow, before, context), event, context)
    return state, [told(effect) for effect in effects]


_TOLD = {
    OpenStage: "open {0.stage}.{0.round} {who}",
    SkipStage: "skip {0.stage}.{0.round}",
    CheckStage: "check {0.stage}.{0.round} {0.verdict}",
    CancelTask: "cancel {0.stage}.{0.round} {0.department}",
    CloseStage: "close {0.stage}.{0.round} {0.verdict}",
    SupersedeStage: "supersede {0.stage}.{0.round}",
    StartPromise: "start",
    StopPromise: "stop",
    GiveFacts: "give {0.stage}",
    EndItem: "end {0.outcome}",
}


def told(effect: Effect) -> str:
    if isinstance(effect, CloseStage) and effect.verdict is None:
        return f"drop {effect.stage}.{effect.round}"
    return _TOLD[type(effect)].format(effect, who=" ".join(getattr(effect, "departments", ())))


def stands(state: ItemState) -> str:
    """Phase and outcome: `ended approved`, `processing`."""
    return " ".join(filter(None, (state.phase, state.outcome)))


def rows(state: ItemState) -> list[str]:
    """What has been entered: `r.1 superseded pass`."""
    return [
        " ".join(filter(None, (f"{one.key}.{one.round}", one.status, one.verdict)))
        for one in state.stages
    ]


def parts(state: ItemState, key: str) -> list[str]:
    """The departments of a stage's last round: `east closed pass`."""
    last = next(one for one in reversed(state.stages) if one.key == key)
    return [" ".join(filter(None, (p.department, p.status, p.verdict))) for p in last.parts]
