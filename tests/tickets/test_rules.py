"""The rules of tickets, as tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from service.kernel.errors import Conflict
from service.routing.flow import Sees, StageKind, Verdict
from service.routing.states import Outcome, Phase
from service.tickets.rules.corrections import Point, readable
from service.tickets.rules.dues import DueBasis, ItemDue, ticket_due
from service.tickets.rules.states import (
    ACTIVE,
    Light,
    TaskAct,
    TaskStatus,
    TicketEvent,
    TicketStatus,
    accepted_from,
    acted,
    decided_kind,
    item_number,
    light,
    ticket_number,
    ticket_status,
)

OPEN, CLAIMED, CLOSED, CANCELLED = TaskStatus
CLAIM, RELEASE, ASSIGN, DECIDE = TaskAct
NOON = datetime(2026, 10, 12, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
RECEIVED, DUE = NOON, NOON + 30 * HOUR


class TestTicketStatus:
    @pytest.mark.parametrize(
        ("items", "expected"),
        [
            ([(Phase.ENDED, Outcome.APPROVED)], "completed"),
            ([(Phase.ENDED, Outcome.REJECTED)], "closed"),
            ([(Phase.ENDED, Outcome.NOT_ACCEPTED)] * 2, "closed"),
            ([(Phase.ENDED, Outcome.REJECTED), (Phase.ENDED, Outcome.APPROVED)], "completed"),
            ([(Phase.ENDED, Outcome.APPROVED), (Phase.ACCEPTANCE, None)], "in_progress"),
            ([(Phase.FULFILMENT, Outcome.APPROVED)], "in_progress"),
            ([(Phase.WAITING, None)], "in_progress"),
            ([(Phase.PROCESSING, None), (Phase.ENDED, Outcome.REJECTED)], "in_progress"),
            ([(Phase.ENDED, Outcome.WITHDRAWN)], "withdrawn"),
            ([(Phase.ENDED, Outcome.WITHDRAWN), (Phase.ENDED, Outcome.CANCELLED)], "withdrawn"),
            ([(Phase.ENDED, Outcome.WITHDRAWN), (Phase.ENDED, Outcome.REJECTED)], "closed"),
            ([(Phase.ENDED, Outcome.WITHDRAWN), (Phase.ENDED, Outcome.APPROVED)], "completed"),
            ([(Phase.ENDED, Outcome.CANCELLED)], "closed"),
        ],
    )
    @pytest.mark.parametrize("waits", [True, False])
    def test_table(self, items, expected, waits):
        """What waits for the applicant shows while something has not ended."""
        if waits and expected == "in_progress":
            expected = "awaiting_applicant"
        assert ticket_status(iter(items), awaits_applicant=waits) == TicketStatus(expected)

    @pytest.mark.parametrize("outcome", Outcome)
    def test_nothing_but_an_approval_completes(self, outcome):
        status = ticket_status([(Phase.ENDED, outcome)], awaits_applicant=False)
        completed = status is TicketStatus.COMPLETED
        assert completed == (outcome is Outcome.APPROVED)


def due(hours, *, basis="promised", provisional=False, decided=None):
    decided_at = None if decided is None else NOON + decided * HOUR
    return ItemDue(NOON + hours * HOUR, DueBasis(basis), provisional, decided_at)


class TestTicketDue:
    def test_what_is_decided_as_a_whole_is_due_as_it_was_promised(self):
        assert ticket_due([due(5, decided=2), due(1, decided=9)]) is None

    @pytest.mark.parametrize(
        ("items", "hours", "basis", "provisional"),
        [
            ([due(1), due(5)], 5, "promised", False),
            ([due(5), due(1, basis="projected")], 5, "projected", False),
            ([due(1, provisional=True), due(5)], 5, "promised", True),
            # what is decided counts as it was, early or late, and no longer as uncertain
            ([due(5, decided=2), due(3)], 3, "promised", False),
            ([due(1, decided=9), due(3)], 9, "promised", False),
            (
                [due(5, basis="projected", provisional=True, decided=2), due(3)],
                3,
                "promised",
                False,
            ),
        ],
    )
    def test_table(self, items, hours, basis, provisional):
        found = ticket_due(items)
        assert found.due_at == NOON + hours * HOUR
        assert (found.basis, found.provisional) == (DueBasis(basis), provisional)


# by status and act: what it makes of one's own claim, and of somebody else's
ACTED = {
    (OPEN, CLAIM): (CLAIMED, CLAIMED),
    (OPEN, RELEASE): ("task_not_claimed", "task_not_claimed"),
    (OPEN, DECIDE): ("task_not_claimed", "task_not_claimed"),
    (OPEN, ASSIGN): (CLAIMED, CLAIMED),
    (CLAIMED, CLAIM): (CLAIMED, "task_already_claimed"),
    (CLAIMED, RELEASE): (OPEN, "task_not_mine"),
    (CLAIMED, DECIDE): (CLOSED, "task_not_mine"),
    (CLAIMED, ASSIGN): (CLAIMED, CLAIMED),
    (CLOSED, CLAIM): ("task_closed", "task_closed"),
    (CLOSED, RELEASE): ("task_closed", "task_closed"),
    (CLOSED, DECIDE): ("task_closed", "task_closed"),
    (CLOSED, ASSIGN): ("task_closed", "task_closed"),
    (CANCELLED, CLAIM): ("task_closed", "task_closed"),
    (CANCELLED, RELEASE): ("task_closed", "task_closed"),
    (CANCELLED, DECIDE): ("task_closed", "task_closed"),
    (CANCELLED, ASSIGN): ("task_closed", "task_closed"),
}


@pytest.mark.parametrize(("status", "act"), list(product(TaskStatus, TaskAct)))
@pytest.mark.parametrize("mine", [True, False])
def test_acted(status, act, mine):
    expected = ACTED[status, act][0 if mine else 1]
    if isinstance(expected, TaskStatus):
        assert acted(status, act, mine=mine) is expected
    else:
        with pytest.raises(Conflict) as refused:
            acted(status, act, mine=mine)
        assert refused.value.code == expected


def test_active_is_what_somebody_can_still_work_on():
    workable = {status for (status, _), ends in ACTED.items() if isinstance(ends[0], TaskStatus)}
    assert workable == set(ACTIVE)


def test_every_verdict_has_its_line_in_the_timeline():
    lines = {verdict: decided_kind(StageKind.DECISION, verdict) for verdict in Verdict}
    assert len(set(lines.values())) == len(Verdict)
    assert decided_kind(StageKind.FULFILMENT, Verdict.PASS) is TicketEvent.STAGE_DELIVERED


@pytest.mark.parametrize("kind", [StageKind.REVIEW, StageKind.EXTERNAL, StageKind.PUBLICITY])
def test_a_stage_that_rejects_has_not_yet_rejected_the_item(kind):
    assert decided_kind(kind, Verdict.REJECT) is TicketEvent.STAGE_REJECTED
    assert decided_kind(kind, Verdict.PASS) is TicketEvent.STAGE_PASSED


@pytest.mark.parametrize("verdict", [Verdict.ACCEPT, Verdict.NOT_ACCEPT, Verdict.RETURN])
def test_until_its_time_is_over_an_acceptance_counts_from_now(verdict):
    for at in (RECEIVED, DUE):
        assert accepted_from(verdict, received_at=RECEIVED, due_at=DUE, at=at) == at


def test_after_its_time_an_acceptance_counts_from_receipt_and_a_refusal_not_at_all():
    late = {"received_at": RECEIVED, "due_at": DUE, "at": DUE + timedelta(seconds=1)}
    assert accepted_from(Verdict.ACCEPT, **late) == RECEIVED
    for verdict in (Verdict.NOT_ACCEPT, Verdict.RETURN):
        with pytest.raises(Conflict) as refused:
            accepted_from(verdict, **late)
        assert refused.value.code == "acceptance_deemed"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3601, Light.GREEN),
        (-3600, Light.YELLOW),
        (-1, Light.YELLOW),
        (0, Light.YELLOW),
        (1, Light.RED),
    ],
)
def test_light(seconds, expected):
    at = NOON + timedelta(seconds=seconds)
    assert light(at, warn_at=NOON - HOUR, due_at=NOON) is expected


@given(
    code=st.from_regex(r"[1-9][0-9]{5}", fullmatch=True),
    day=st.dates(date(1000, 1, 1)),
    sequence=st.integers(1, 10**9),
    ordinal=st.integers(1, 10),
)
def test_numbers(code, day, sequence, ordinal):
    number = ticket_number(code, day, sequence)
    body = f"LB{code}{day.year:04}{day.month:02}{day.day:02}{sequence:06}"
    assert number[:-1] == body
    assert mod_37_36.is_valid(number)
    assert item_number(number, ordinal) == f"{number}-{ordinal:02}"


SEES = Sees({"lease": frozenset({"address"}), "residence": "all"}, materials=frozenset({"lease"}))


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"section": "lease", "field": "address"}, True),
        ({"section": "lease", "field": "account_number"}, False),
        ({"section": "lease"}, True),
        ({"section": "residence", "field": "since"}, True),
        ({"section": "medical"}, False),
        ({"section": "medical", "field": "hospital"}, False),
        ({"material": "lease"}, True),
        ({"material": "cv"}, False),
    ],
)
def test_a_point_is_for_who_asked_it_and_who_sees_what_it_is_about(about, expected):
    point = Point("请核对", **about)
    assert readable(point, SEES, own=False) is expected
    assert readable(point, SEES, own=True)
