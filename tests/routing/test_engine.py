from __future__ import annotations

import pytest

from service.routing import (
    AcceptanceDeemed,
    CloseStage,
    Context,
    EndItem,
    Filed,
    IllegalEvent,
    OpenStage,
    Outcome,
    Phase,
    StageClosed,
    StageState,
    StageStatus,
    StartPromise,
    StopPromise,
    Verdict,
    Withdrawn,
    advance,
    initial,
    replay,
)
from tests.routing.flows import SMALL, WIDE

NOTHING = Context()


def closed(stage, verdict):
    return StageClosed(stage, 1, Verdict(verdict))


def opens(stage):
    return OpenStage(stage, 1, f"{stage}_department", "clerk")


def closes(stage, *, cancelled=False):
    return CloseStage(stage, 1, cancelled=cancelled)


ACCEPTED = [Filed(), closed("acceptance", "accept")]
REVIEWED = [*ACCEPTED, closed("papers", "pass"), closed("visit", "pass")]
APPROVED = [*REVIEWED, closed("decision", "approve")]


def state_after(flow, events):
    return replay(flow, [(event, NOTHING) for event in events])


@pytest.mark.parametrize(
    ("before", "event", "phase", "outcome", "effects"),
    [
        ([], Filed(), "acceptance", None, [opens("acceptance")]),
        ([], Withdrawn(), "ended", "withdrawn", [EndItem(Outcome.WITHDRAWN)]),
        ([Filed()], closed("acceptance", "accept"), "processing", None, [
            closes("acceptance"), StartPromise(), opens("papers"), opens("visit"),
        ]),
        ([Filed()], AcceptanceDeemed("acceptance", 1), "processing", None, [
            closes("acceptance"), StartPromise(), opens("papers"), opens("visit"),
        ]),
        ([Filed()], closed("acceptance", "not_accept"), "ended", "not_accepted", [
            closes("acceptance"), EndItem(Outcome.NOT_ACCEPTED),
        ]),
        ([Filed()], Withdrawn(), "ended", "withdrawn", [
            closes("acceptance", cancelled=True), EndItem(Outcome.WITHDRAWN),
        ]),
        (ACCEPTED, closed("papers", "pass"), "processing", None, [closes("papers")]),
        (ACCEPTED, closed("papers", "reject"), "ended", "rejected", [
            closes("papers"), closes("visit", cancelled=True), StopPromise(),
            EndItem(Outcome.REJECTED),
        ]),
        (ACCEPTED, Withdrawn(), "ended", "withdrawn", [
            closes("papers", cancelled=True), closes("visit", cancelled=True), StopPromise(),
            EndItem(Outcome.WITHDRAWN),
        ]),
        ([*ACCEPTED, closed("papers", "pass")], closed("visit", "pass"), "processing", None, [
            closes("visit"), opens("decision"),
        ]),
        (REVIEWED, closed("decision", "reject"), "ended", "rejected", [
            closes("decision"), StopPromise(), EndItem(Outcome.REJECTED),
        ]),
        (REVIEWED, closed("decision", "approve"), "fulfilment", "approved", [
            closes("decision"), StopPromise(), opens("payment"), opens("letter"),
        ]),
        (APPROVED, closed("letter", "pass"), "fulfilment", "approved", [closes("letter")]),
        ([*APPROVED, closed("letter", "pass")], closed("payment", "pass"), "ended", "approved", [
            closes("payment"), EndItem(Outcome.APPROVED),
        ]),
    ],
)  # fmt: skip
def test_what_follows_from_an_event(before, event, phase, outcome, effects):
    state, told = advance(WIDE, state_after(WIDE, before), event, NOTHING)
    assert (state.phase, state.outcome) == (phase, outcome)
    assert list(told) == effects


def test_without_fulfilment_the_approval_ends_the_item():
    events = [Filed(), closed("acceptance", "accept")]
    state, told = advance(SMALL, state_after(SMALL, events), closed("decision", "approve"), NOTHING)
    assert (state.phase, state.outcome) == (Phase.ENDED, Outcome.APPROVED)
    assert told == (closes("decision"), StopPromise(), EndItem(Outcome.APPROVED))


def test_the_state_keeps_verdicts_and_what_was_cancelled():
    state = state_after(WIDE, [*ACCEPTED, closed("visit", "reject")])
    rows = [(one.key, one.status, one.verdict) for one in state.stages]
    assert rows == [
        ("acceptance", StageStatus.CLOSED, Verdict.ACCEPT),
        ("papers", StageStatus.CANCELLED, None),
        ("visit", StageStatus.CLOSED, Verdict.REJECT),
    ]


def test_silence_is_kept_as_an_acceptance():
    state = state_after(SMALL, [Filed(), AcceptanceDeemed("acceptance", 1)])
    assert state.stages[0].verdict is Verdict.ACCEPT


def test_the_context_chooses_the_department():
    state, told = advance(SMALL, initial(), Filed(), Context({"acceptance": "county"}))
    assert told == (OpenStage("acceptance", 1, "county", "clerk"),)
    assert state.stages == (StageState("acceptance", 1, StageStatus.OPEN, "county"),)


WITHDRAWN = [Filed(), Withdrawn()]


@pytest.mark.parametrize(
    ("before", "event", "code"),
    [
        ([], closed("acceptance", "accept"), "item_event_not_allowed"),
        ([], AcceptanceDeemed("acceptance", 1), "item_event_not_allowed"),
        ([Filed()], Filed(), "item_event_not_allowed"),
        ([Filed()], closed("decision", "approve"), "stage_not_open"),
        ([Filed()], closed("nowhere", "approve"), "stage_not_open"),
        ([Filed()], StageClosed("acceptance", 2, Verdict.ACCEPT), "stage_not_open"),
        ([Filed()], AcceptanceDeemed("papers", 1), "stage_not_open"),
        ([Filed()], closed("acceptance", "approve"), "verdict_not_allowed"),
        (ACCEPTED, Filed(), "item_event_not_allowed"),
        (ACCEPTED, AcceptanceDeemed("acceptance", 1), "item_event_not_allowed"),
        (ACCEPTED, closed("acceptance", "accept"), "stage_not_open"),
        (ACCEPTED, closed("papers", "approve"), "verdict_not_allowed"),
        (ACCEPTED, closed("decision", "approve"), "stage_not_open"),
        (APPROVED, Filed(), "item_event_not_allowed"),
        (APPROVED, Withdrawn(), "item_event_not_allowed"),
        (APPROVED, AcceptanceDeemed("acceptance", 1), "item_event_not_allowed"),
        (APPROVED, closed("payment", "reject"), "verdict_not_allowed"),
        (APPROVED, closed("decision", "approve"), "stage_not_open"),
        (WITHDRAWN, Filed(), "item_event_not_allowed"),
        (WITHDRAWN, Withdrawn(), "item_event_not_allowed"),
        (WITHDRAWN, closed("acceptance", "accept"), "item_event_not_allowed"),
        (WITHDRAWN, AcceptanceDeemed("acceptance", 1), "item_event_not_allowed"),
    ],
)
def test_an_illegal_event_is_refused_and_changes_nothing(before, event, code):
    state = state_after(WIDE, before)
    with pytest.raises(IllegalEvent) as refused:
        advance(WIDE, state, event, NOTHING)
    assert refused.value.code == code
    assert refused.value.params
    assert state == state_after(WIDE, before)
