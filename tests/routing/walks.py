"""Random ways through random flows: what may legally happen, and what is looked up then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from hypothesis import strategies as st

from service.routing.context import Asking, Context
from service.routing.engine import advance, initial
from service.routing.events import (
    AcceptanceDeemed,
    Cancelled,
    Corrected,
    Event,
    Filed,
    NoticeEnded,
    PredecessorsSettled,
    TaskDecided,
    Withdrawn,
)
from service.routing.flow import PASSING, Flow, Stage, StageKind, Verdict
from service.routing.states import Effect, ItemState, Phase
from tests.routing.cases import cases
from tests.routing.flows import flows

BOTH = list(product([False, True], repeat=2))
SETTLED = [PredecessorsSettled(hard, soft) for hard, soft in BOTH]
LEAVING: list[Event] = [Withdrawn(), Cancelled()]
MOST_SETTLED = 6
"""How often at the most a walk hears of its predecessors: nothing else bounds that."""


class Dice:
    """Lookups that are answered by chance, and remembered."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw
        self.context = Context({}, {}, {})

    def opens(self, stage: Stage, round_: int, outcomes: Any) -> bool:
        return self._say(self.context.opened, stage, round_, st.booleans())

    def passes(self, stage: Stage, round_: int, outcomes: Any) -> bool:
        return self._say(self.context.passed, stage, round_, st.booleans())

    def departments(self, stage: Stage, round_: int) -> tuple[str, ...]:
        if stage.choice.by is None:
            return stage.choice.departments
        possible = st.sampled_from([(name,) for name in stage.choice.possible])
        return self._say(self.context.chosen, stage, round_, possible)

    def decided(self, stage: Stage) -> None:
        """The dice know nothing that a decision could change."""

    def _say(self, said: Any, stage: Stage, round_: int, strategy: Any) -> Any:
        return said.setdefault(f"{stage.key}.{round_}", self._draw(strategy))


def legal(flow: Flow, state: ItemState) -> list[Event]:
    """What may happen to an item, told without the engine."""
    if state.phase is Phase.ENDED:
        return []
    if state.phase is Phase.WAITING:
        first = SETTLED if state.hard else [Filed(hard, soft) for hard, soft in BOTH]
        return [*first, *LEAVING]
    events = list(_of_tasks(flow, state))
    if state.phase is Phase.FULFILMENT:
        return events
    corrected = [Corrected()] if state.hold else []
    return [*events, *corrected, *SETTLED, *LEAVING]


def _of_tasks(flow: Flow, state: ItemState) -> Iterator[Event]:
    for one in state.open_stages:
        stage = flow.by_key[one.key]
        for part in one.open_parts:
            asked = {one.key for one in state.stages if one.verdict is Verdict.RETURN}
            for verdict in sorted(stage.may - ({Verdict.RETURN} if stage.key in asked else set())):
                yield TaskDecided(one.key, one.round, part.department, verdict)
        if stage.kind is StageKind.ACCEPTANCE:
            yield AcceptanceDeemed(one.key, one.round)
        if stage.kind is StageKind.PUBLICITY:
            yield NoticeEnded(one.key, one.round)


def anything(flow: Flow, state: ItemState) -> Iterator[Event]:
    """All that can be said, sensible or not, of every round there has been and the next one."""
    yield from SETTLED
    yield from (Filed(hard, soft) for hard, soft in BOTH)
    yield from (*LEAVING, Corrected())
    for stage in flow.stages:
        for round_ in range(1, state.rounds(stage.key) + 2):
            yield AcceptanceDeemed(stage.key, round_)
            yield NoticeEnded(stage.key, round_)
            for department in (*stage.choice.possible, "elsewhere"):
                for verdict in Verdict:
                    yield TaskDecided(stage.key, round_, department, verdict)


@dataclass(frozen=True)
class Step:
    """One event of a walk, what was looked up, and what came of it."""

    event: Event
    context: Context
    state: ItemState
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Walk:
    """A flow and a legal history of an item of it, up to its end."""

    flow: Flow
    steps: tuple[Step, ...]

    def before(self, number: int) -> ItemState:
        return self.steps[number - 1].state if number else initial()

    @property
    def end(self) -> ItemState:
        return self.steps[-1].state


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    """A random flow with a random way through it, which rather goes on than not."""
    flow = draw(flows())
    state, steps, settled = initial(), [], 0
    chance = draw(st.booleans())
    known = None if chance else draw(cases(tuple(sorted(flow.by_key))))
    while state.phase is not Phase.ENDED:
        event = draw(_next(flow, state, settled))
        settled += isinstance(event, PredecessorsSettled)
        lookups = Dice(draw) if chance else Asking(lambda: known)
        state, effects = advance(flow, state, event, lookups)
        steps.append(Step(event, lookups.context, state, effects))
        assert len(steps) <= bound(flow)
    return Walk(flow, tuple(steps))


def _next(flow: Flow, state: ItemState, settled: int) -> st.SearchStrategy[Event]:
    """One of what is legal: mostly it goes on or back, now and then anything else."""
    events = legal(flow, state)
    if settled >= MOST_SETTLED:
        frees = [PredecessorsSettled(hard=False, soft=False)] if state.hard or state.soft else []
        events = [one for one in events if one in frees or not isinstance(one, PredecessorsSettled)]
    on = [one for one in events if goes_on(flow, one)]
    back = [one for one in events if _goes_back(flow, state, one)]
    ways = [st.sampled_from(one) for one in (*[on] * 5, *[back] * 4, events) if one]
    return st.one_of(ways)


def goes_on(flow: Flow, event: Event) -> bool:
    match event:
        case TaskDecided(key, _, _, verdict):
            return verdict is PASSING[flow.by_key[key].kind]
        case PredecessorsSettled(hard, soft):
            return not hard and not soft
        case _:
            return isinstance(event, Filed | AcceptanceDeemed | NoticeEnded | Corrected)


def _goes_back(flow: Flow, state: ItemState, event: Event) -> bool:
    if not isinstance(event, TaskDecided) or event.verdict is Verdict.RETURN:
        return isinstance(event, TaskDecided)
    back = flow.by_key[event.stage].on_reject
    done = 0 if back is None else state.rounds(back.to) - state.returns(back.to)
    return event.verdict is Verdict.REJECT and back is not None and done < back.rounds


def bound(flow: Flow) -> int:
    """How many events a walk can have at the most: corrections are no more than stages."""
    tasks = sum(len(one.choice.possible) * most_rounds(flow, one.key) for one in flow.stages)
    filed, freed_or_left = 1, 1
    return filed + tasks + len(flow.stages) + MOST_SETTLED + freed_or_left


def most_rounds(flow: Flow, key: str) -> int:
    """How often a stage can be entered: once, after a return, and after every going back."""
    limits: dict[str, int] = {}
    for stage in flow.stages:
        back = stage.on_reject
        if back is not None and key in flow.downstream[back.to]:
            limits[back.to] = max(limits.get(back.to, 0), back.rounds)
    returned = Verdict.RETURN in flow.by_key[key].may
    return 1 + returned + sum(rounds - 1 for rounds in limits.values())
