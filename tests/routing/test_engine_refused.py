"""What does not fit the state is refused by name, and changes nothing."""

from __future__ import annotations

import pytest

from service.routing.engine import IllegalEvent, advance
from service.routing.events import (
    AcceptanceDeemed,
    Cancelled,
    Corrected,
    Filed,
    NoticeEnded,
    PredecessorsSettled,
    TaskDecided,
    Withdrawn,
)
from service.routing.flow import Verdict
from service.routing.states import Phase
from tests.routing.flows import flow_of, panel, stage
from tests.routing.steps import NOTHING, after, says

FLOW = flow_of(
    stage("a", "acceptance"),
    stage("papers", "review", ("a",), may=["pass", "return"]),
    stage("notice", "publicity", ("papers",)),
    stage("d", "decision", ("notice",)),
    stage("f", "fulfilment", ("d",)),
)
WAITING = [Filed(hard=True)]
ACCEPTED = [Filed(), says("a", "accept")]
NOTICED = [*ACCEPTED, says("papers", "pass")]
DECIDING = [*NOTICED, NoticeEnded("notice", 1)]
APPROVED = [*DECIDING, says("d", "approve")]
ENDED = [*APPROVED, says("f", "pass")]
BEFORE = {
    "before filing": [],
    "waiting": WAITING,
    "acceptance": [Filed()],
    "acceptance held": [Filed(), says("a", "return")],
    "processing held": [*ACCEPTED, says("papers", "return")],
    "processing": NOTICED,
    "fulfilment": APPROVED,
    "ended": ENDED,
}
SETTLED = PredecessorsSettled(hard=False, soft=False)
# When each event is legal; where it names a stage, that stage is open then.
BEGUN = {"acceptance", "acceptance held", "processing", "processing held"}
NOT_DECIDED = {"before filing", "waiting", *BEGUN}
LEGAL = [
    (Filed(), {"before filing"}),
    (Filed(hard=True), {"before filing"}),
    (SETTLED, {"waiting", *BEGUN}),
    (PredecessorsSettled(hard=True, soft=True), {"waiting", *BEGUN}),
    (says("a", "accept"), {"acceptance"}),
    (says("a", "return"), {"acceptance"}),
    (AcceptanceDeemed("a", 1), {"acceptance"}),
    (Corrected(), {"acceptance held", "processing held"}),
    (says("notice", "pass"), {"processing"}),
    (NoticeEnded("notice", 1), {"processing"}),
    (says("f", "pass"), {"fulfilment"}),
    (Withdrawn(), NOT_DECIDED),
    (Cancelled(), NOT_DECIDED),
]


@pytest.mark.parametrize(("event", "legal"), LEGAL)
@pytest.mark.parametrize("phase", BEFORE)
def test_every_phase_knows_its_events(phase, event, legal):
    state = after(FLOW, BEFORE[phase])
    if phase in legal:
        advance(FLOW, state, event, NOTHING)
    else:
        with pytest.raises(IllegalEvent):
            advance(FLOW, state, event, NOTHING)
    assert state == after(FLOW, BEFORE[phase])


@pytest.mark.parametrize(
    ("before", "event", "code"),
    [
        ([], says("a", "accept"), "item_event_not_allowed"),
        ([], SETTLED, "item_event_not_allowed"),
        (WAITING, Filed(), "item_event_not_allowed"),
        (WAITING, says("a", "accept"), "item_event_not_allowed"),
        ([Filed()], Filed(), "item_event_not_allowed"),
        ([Filed()], NoticeEnded("a", 1), "item_event_not_allowed"),
        ([Filed()], says("d", "approve"), "stage_not_open"),
        ([Filed()], says("nowhere", "approve"), "stage_not_open"),
        ([Filed()], says("a", "accept", round_=2), "stage_not_open"),
        ([Filed()], says("a", "accept", of="elsewhere"), "stage_not_open"),
        ([Filed()], AcceptanceDeemed("papers", 1), "stage_not_open"),
        ([Filed()], AcceptanceDeemed("a", 2), "stage_not_open"),
        ([Filed()], says("a", "approve"), "verdict_not_allowed"),
        (ACCEPTED, AcceptanceDeemed("a", 1), "item_event_not_allowed"),
        (ACCEPTED, says("a", "accept"), "stage_not_open"),
        (ACCEPTED, says("papers", "reject"), "verdict_not_allowed"),
        (ACCEPTED, says("papers", "approve"), "verdict_not_allowed"),
        (ACCEPTED, Corrected(), "item_event_not_allowed"),
        ([Filed(), says("a", "return")], says("a", "accept"), "stage_not_open"),
        ([Filed(), says("a", "return")], AcceptanceDeemed("a", 1), "stage_not_open"),
        (ACCEPTED, NoticeEnded("notice", 1), "stage_not_open"),
        (ACCEPTED, NoticeEnded("papers", 1), "stage_not_open"),
        (NOTICED, NoticeEnded("notice", 2), "stage_not_open"),
        (DECIDING, NoticeEnded("notice", 1), "stage_not_open"),
        (DECIDING, NoticeEnded("d", 1), "stage_not_open"),
        (APPROVED, SETTLED, "item_event_not_allowed"),
        (APPROVED, Withdrawn(), "item_event_not_allowed"),
        (APPROVED, says("f", "reject"), "verdict_not_allowed"),
        (APPROVED, says("d", "approve"), "stage_not_open"),
        (ENDED, Withdrawn(), "item_event_not_allowed"),
        (ENDED, says("f", "pass"), "item_event_not_allowed"),
        ([Filed(), Withdrawn()], says("a", "accept"), "item_event_not_allowed"),
    ],
)
def test_a_refusal_is_named(before, event, code):
    with pytest.raises(IllegalEvent) as refused:
        advance(FLOW, after(FLOW, before), event, NOTHING)
    assert refused.value.code == code
    assert refused.value.params


@pytest.mark.parametrize(
    ("join", "event"),
    [
        ("all", says("p", "pass", of="east")),
        ("all", says("p", "reject", of="east")),
        ("all", says("p", "pass", of="elsewhere")),
        ("any", says("p", "pass", of="west")),
    ],
    ids=["said so already", "said otherwise", "not asked", "not needed any more"],
)
def test_no_department_speaks_twice_or_unasked(join, event):
    flow = panel(join)
    state = after(flow, [*ACCEPTED, says("p", "pass", of="east")])
    with pytest.raises(IllegalEvent) as refused:
        advance(flow, state, event, NOTHING)
    assert refused.value.code == "stage_not_open"


def test_a_superseded_round_is_closed_for_good():
    flow = flow_of(
        stage("a", "acceptance"),
        stage("r", "review", ("a",)),
        stage("d", "decision", ("r",), on_reject={"to": "r", "rounds": 2}),
    )
    state = after(flow, [*ACCEPTED, says("r", "pass"), says("d", "reject")])
    for stale in (says("r", "pass"), says("d", "approve")):
        with pytest.raises(IllegalEvent) as refused:
            advance(flow, state, stale, NOTHING)
        assert refused.value.code == "stage_not_open"


def test_a_refusal_says_where_the_item_stands():
    with pytest.raises(IllegalEvent) as refused:
        advance(FLOW, after(FLOW, ENDED), Withdrawn(), NOTHING)
    assert refused.value.params == {"phase": Phase.ENDED, "event": "Withdrawn"}
    unknown = TaskDecided("papers", 1, "papers_department", Verdict.REJECT)
    with pytest.raises(IllegalEvent) as refused:
        advance(FLOW, after(FLOW, ACCEPTED), unknown, NOTHING)
    assert refused.value.params == {"stage": "papers", "verdict": "reject"}
