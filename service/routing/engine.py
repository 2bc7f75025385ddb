"""What follows from an event: `advance` moves one item through its flow.

The flow is taken as checked (`check_flow`); then every sequence of legal events ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from service.routing.context import Context, Lookups
from service.routing.events import (
    AcceptanceDeemed,
    Cancelled,
    Corrected,
    Event,
    Filed,
    NoticeEnded,
    PredecessorsSettled,
    ReturnsGathered,
    TaskDecided,
    Withdrawn,
)
from service.routing.flow import PASSING, Flow, Stage, StageKind, Verdict
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
    Part,
    Phase,
    SkipStage,
    StageState,
    StageStatus,
    StartPromise,
    StopPromise,
    SupersedeStage,
    outcomes,
    returns,
    rounds,
)

Step = tuple[ItemState, tuple[Effect, ...]]


class IllegalEvent(Exception):
    """The event does not fit the state, which stays as it was.

    `code`: `item_event_not_allowed` (not in this phase), `stage_not_open` (closed, cancelled,
    never opened, or not this department's), `verdict_not_allowed` (the stage does not know this
    verdict), `returned_already` (the applicant is asked once).
    """

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


def initial() -> ItemState:
    """An item before anything has happened to it."""
    return ItemState(phase=Phase.WAITING, outcome=None, stages=())


def advance(flow: Flow, state: ItemState, event: Event, context: Lookups) -> Step:
    """The state after the event and what has to be done about it, in order.

    Raises `IllegalEvent` where the event does not fit the state.
    """
    step = _STEPS.get((state.phase, type(event)))
    if step is None:
        raise IllegalEvent(
            "item_event_not_allowed", phase=state.phase.value, event=type(event).__name__
        )
    run = _Run(flow, state, context)
    step(run, event)
    return run.state(), tuple(run.effects)


def replay(flow: Flow, history: Iterable[tuple[Event, Context]]) -> ItemState:
    """The state to which a history of events with their stored contexts leads."""
    state = initial()
    for event, context in history:
        state, _ = advance(flow, state, event, context)
    return state


class _Run:
    """One step in the making: what the state will be, and the effects so far."""

    def __init__(self, flow: Flow, state: ItemState, context: Lookups) -> None:
        self.flow, self.context = flow, context
        self.phase, self.outcome = state.phase, state.outcome
        self.stages = list(state.stages)
        self.hard, self.soft, self.hold = state.hard, state.soft, state.hold
        self.effects: list[Effect] = []

    def state(self) -> ItemState:
        """Where the item stands by now."""
        return ItemState(
            self.phase, self.outcome, tuple(self.stages), self.hard, self.soft, self.hold
        )

    # What happens.

    def file(self, event: Filed) -> None:
        if self.hard:
            raise IllegalEvent("item_event_not_allowed", phase=Phase.WAITING.value, event="Filed")
        self.hard, self.soft = event.hard, event.soft
        if not event.hard:
            self._begin()

    def settle(self, event: PredecessorsSettled) -> None:
        waited = self.phase is Phase.WAITING
        if waited and not self.hard:
            raise IllegalEvent(
                "item_event_not_allowed", phase=Phase.WAITING.value, event="PredecessorsSettled"
            )
        self.hard, self.soft = event.hard, event.soft
        if waited and not event.hard:
            self._begin()
        elif self.phase is Phase.PROCESSING:
            self._open_ready()

    def decide(self, event: TaskDecided) -> None:
        stage, place = self._held(event.stage, event.round)
        held = self.stages[place]
        if event.verdict not in stage.may:
            raise IllegalEvent("verdict_not_allowed", stage=stage.key, verdict=event.verdict.value)
        part = next((one for one in held.open_parts if one.department == event.department), None)
        if part is None:
            raise IllegalEvent("stage_not_open", stage=event.stage, round=event.round)
        if event.verdict is Verdict.RETURN and returns(self.stages, stage.key):
            raise IllegalEvent("returned_already", stage=stage.key)
        closed = replace(part, status=StageStatus.CLOSED, verdict=event.verdict)
        parts = tuple(closed if one is part else one for one in held.parts)
        self.stages[place] = replace(held, parts=parts)
        gathers = event.gathers or event.verdict is not Verdict.RETURN
        if any(one.verdict is Verdict.RETURN for one in parts):
            if not (gathers and self.stages[place].open_parts):
                self._return(place)
        else:
            self._judge(stage, place, event.verdict)

    def gather(self, event: ReturnsGathered) -> None:
        """Who has not spoken by now is not waited for any more."""
        _, place = self._held(event.stage, event.round)
        if not self.stages[place].gathers:
            raise IllegalEvent("stage_not_open", stage=event.stage, round=event.round)
        self._return(place)

    def correct(self, _event: Corrected) -> None:
        """What was returned is done once more, with the time that it has."""
        if self.hold is not Hold.CORRECTION:
            raise IllegalEvent("item_event_not_allowed", phase=self.phase.value, event="Corrected")
        for place, one in enumerate(self.stages):
            if one.returned:
                self._supersede(place)
        self.hold = None
        self._open_ready()

    def deem(self, event: AcceptanceDeemed) -> None:
        _, place = self._held(event.stage, event.round)
        department = self.stages[place].department
        self.decide(TaskDecided(event.stage, event.round, department, Verdict.ACCEPT))

    def end_notice(self, event: NoticeEnded) -> None:
        stage, place = self._held(event.stage, event.round)
        if stage.kind is not StageKind.PUBLICITY:
            raise IllegalEvent("stage_not_open", stage=event.stage, round=event.round)
        department = self.stages[place].department
        self.decide(TaskDecided(event.stage, event.round, department, Verdict.PASS))

    def withdraw(self, _event: Withdrawn) -> None:
        self._end(Outcome.WITHDRAWN)

    def cancel(self, _event: Cancelled) -> None:
        self._end(Outcome.CANCELLED)

    # What follows.

    def _begin(self) -> None:
        self.phase = Phase.ACCEPTANCE
        self._open_ready()

    def _held(self, key: str, round_: int) -> tuple[Stage, int]:
        """An open stage, and its place."""
        for place, held in enumerate(self.stages):
            if held.key == key and held.round == round_ and held.status is StageStatus.OPEN:
                return self.flow.by_key[key], place
        raise IllegalEvent("stage_not_open", stage=key, round=round_)

    def _judge(self, stage: Stage, place: int, verdict: Verdict) -> None:
        """Whether enough departments have spoken, and what the stage comes to."""
        held, passing = self.stages[place], PASSING[stage.kind]
        passed = sum(part.verdict is passing for part in held.parts)
        needed = stage.join.needed(len(held.parts))
        if passed >= needed:
            self._close(place, passing)
            self._pass(stage)
        elif passed + len(held.open_parts) < needed:
            self._close(place, verdict)
            self._reject(stage, verdict)

    def _return(self, place: int) -> None:
        """The applicant is asked once, for everything that departments have returned it for."""
        self._close(place, Verdict.RETURN)
        self.hold = Hold.CORRECTION

    def _close(self, place: int, verdict: Verdict) -> None:
        """The stage is over; departments that were not needed any more need not answer."""
        held = self.stages[place]
        for part in held.open_parts:
            self.effects.append(CancelTask(held.key, held.round, part.department))
        self.stages[place] = StageState(
            held.key, held.round, StageStatus.CLOSED, verdict, held.without_open_parts()
        )
        self.effects.append(CloseStage(held.key, held.round, verdict))

    def _pass(self, stage: Stage) -> None:
        """Leaves a stage that was passed: turns the phase, opens what was waiting for it."""
        if stage.kind is StageKind.ACCEPTANCE:
            self.phase = Phase.PROCESSING
            self.effects.append(StartPromise())
        elif stage.kind is StageKind.DECISION:
            self.phase, self.outcome = Phase.FULFILMENT, Outcome.APPROVED
            self.effects.append(StopPromise())
            if stage.gives:
                self.effects.append(GiveFacts(stage.key))
                self.context.decided(stage)
        self._open_ready()

    def _reject(self, stage: Stage, verdict: Verdict) -> None:
        """Leads back to an earlier stage where the flow says so, else ends the item."""
        back = stage.on_reject
        if verdict is Verdict.NOT_ACCEPT:
            self._end(Outcome.NOT_ACCEPTED)
        elif back is not None and self._rounds_done(back.to) < back.rounds:
            self._go_back(back.to)
        else:
            self._end(Outcome.REJECTED)

    def _rounds_done(self, key: str) -> int:
        """How often a stage was done; that it went back to the applicant does not count."""
        return rounds(self.stages, key) - returns(self.stages, key)

    def _go_back(self, to: str) -> None:
        """Undoes a stage and everything that came of it; then it opens for another round."""
        undone = self.flow.downstream[to]
        for place, one in enumerate(self.stages):
            if one.key not in undone or not one.current:
                continue
            if one.status is StageStatus.OPEN:
                self.stages[place] = one.cancelled()
                self.effects.append(CloseStage(one.key, one.round, None))
            else:
                self._supersede(place)
        if not any(one.returned for one in self.stages):
            self.hold = None  # what was to be corrected is done anew in any case
        self._open_ready()

    def _supersede(self, place: int) -> None:
        one = self.stages[place]
        self.stages[place] = replace(one, status=StageStatus.SUPERSEDED)
        self.effects.append(SupersedeStage(one.key, one.round))

    def _open_ready(self) -> None:
        """Enters every stage whose turn has come, until none is left or the item has ended."""
        while (stage := self._next_ready()) is not None:
            self._enter(stage)
        if self.phase is Phase.FULFILMENT and not any(
            one.status is StageStatus.OPEN for one in self.stages
        ):
            self.phase = Phase.ENDED
            self.effects.append(EndItem(Outcome.APPROVED))

    def _next_ready(self) -> Stage | None:
        if self.phase is Phase.ENDED:
            return None
        entered = {one.key: one for one in self.stages if one.current}
        for stage in self.flow.stages:
            if stage.key not in entered and all(
                before in entered and entered[before].behind for before in stage.after
            ):
                held_back = self.soft and stage.kind is StageKind.DECISION
                if not held_back:
                    return stage
        return None

    def _enter(self, stage: Stage) -> None:
        round_ = rounds(self.stages, stage.key) + 1
        if stage.when and not self.context.opens(stage, round_, outcomes(self.stages)):
            self.stages.append(StageState(stage.key, round_, StageStatus.SKIPPED))
            self.effects.append(SkipStage(stage.key, round_))
        elif stage.kind is StageKind.CHECK:
            self._check(stage, round_)
        else:
            departments = self.context.departments(stage, round_)
            parts = tuple(Part(name, StageStatus.OPEN) for name in departments)
            self.stages.append(StageState(stage.key, round_, StageStatus.OPEN, None, parts))
            self.effects.append(OpenStage(stage.key, round_, departments, stage.role))

    def _check(self, stage: Stage, round_: int) -> None:
        """The system looks at once: a check never waits."""
        passes = self.context.passes(stage, round_, outcomes(self.stages))
        verdict = Verdict.PASS if passes else Verdict.REJECT
        self.stages.append(StageState(stage.key, round_, StageStatus.CLOSED, verdict))
        self.effects.append(CheckStage(stage.key, round_, verdict))
        if not passes:
            self._reject(stage, verdict)

    def _end(self, outcome: Outcome) -> None:
        """Ends the item without passing on: what is still open is cancelled."""
        for place, one in enumerate(self.stages):
            if one.status is StageStatus.OPEN:
                self.stages[place] = one.cancelled()
                self.effects.append(CloseStage(one.key, one.round, None))
        if self.phase is Phase.PROCESSING:
            self.effects.append(StopPromise())
        self.effects.append(EndItem(outcome))
        self.phase, self.outcome = Phase.ENDED, outcome
        self.hard = self.soft = False
        self.hold = None


# Which events a phase knows. An item that is decided can no longer be withdrawn, only delivered.
_STEPS: Mapping[tuple[Phase, type[Event]], Callable[[_Run, Any], None]] = {
    (Phase.WAITING, Filed): _Run.file,
    (Phase.WAITING, PredecessorsSettled): _Run.settle,
    (Phase.WAITING, Withdrawn): _Run.withdraw,
    (Phase.WAITING, Cancelled): _Run.cancel,
    (Phase.ACCEPTANCE, TaskDecided): _Run.decide,
    (Phase.ACCEPTANCE, AcceptanceDeemed): _Run.deem,
    (Phase.ACCEPTANCE, PredecessorsSettled): _Run.settle,
    (Phase.ACCEPTANCE, ReturnsGathered): _Run.gather,
    (Phase.ACCEPTANCE, Corrected): _Run.correct,
    (Phase.ACCEPTANCE, Withdrawn): _Run.withdraw,
    (Phase.ACCEPTANCE, Cancelled): _Run.cancel,
    (Phase.PROCESSING, TaskDecided): _Run.decide,
    (Phase.PROCESSING, NoticeEnded): _Run.end_notice,
    (Phase.PROCESSING, PredecessorsSettled): _Run.settle,
    (Phase.PROCESSING, ReturnsGathered): _Run.gather,
    (Phase.PROCESSING, Corrected): _Run.correct,
    (Phase.PROCESSING, Withdrawn): _Run.withdraw,
    (Phase.PROCESSING, Cancelled): _Run.cancel,
    (Phase.FULFILMENT, TaskDecided): _Run.decide,
}
