"""What a step of the engine costs, on the flows of the demonstration district."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from datetime import date

from service.catalogue.rules.definitions import OfferingDefinition
from service.routing.conditions.known import Known
from service.routing.context import Asking
from service.routing.engine import advance, initial
from service.routing.events import Event
from service.routing.flow import Flow
from service.routing.states import ItemState, Phase
from tests.catalogue.packs import compiled
from tests.packs import whole_pack
from tests.routing.walks import goes_on, legal

ROUNDS = 2000


def step_times() -> dict[str, float]:
    """By offering, the microseconds of the dearest step on its way to the end: medians.

    Every event is one that goes on. What conditions look at are the examples of the pack.
    """
    offerings = [compiled(whole_pack(), code) for code in whole_pack().offerings]
    return {
        one.code: max(_median(*step, _known(one)) for step in _way(one, _known(one)))
        for one in offerings
    }


def _known(offering: OfferingDefinition) -> Known:
    """The examples of the sections and kinds of facts, of somebody who is born."""
    born = date(1990, 3, 7)
    return Known(
        date(2026, 11, 24),
        answers={one.code: one.schema["examples"][0] for one in offering.forms},
        facts={kind: [form.schema["examples"][0]] for kind, form in offering.facts.items()},
        born={"applicant": born, "subject": born},
    )


def _way(offering: OfferingDefinition, known: Known) -> Iterator[tuple[Flow, ItemState, Event]]:
    """Every step up to the end of an item of the offering."""
    flow, state = offering.flow, initial()
    while state.phase is not Phase.ENDED:
        event = next(one for one in legal(flow, state) if goes_on(flow, one))
        yield flow, state, event
        state, _ = advance(flow, state, event, Asking(lambda: known))


def _median(flow: Flow, state: ItemState, event: Event, known: Known) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        advance(flow, state, event, Asking(lambda: known))
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1_000_000
