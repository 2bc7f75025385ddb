"""When an item is due: computed from a start, an allotment, segments and waits, never patched."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.bundle import EdgeKind
from service.routing.flow import parse_flow
from service.tickets.rules.clock import (
    Segment,
    SegmentEffect,
    Wait,
    due_within,
    item_due,
    paused_days,
    received_at,
)
from tests.calendars.notices import CHINA
from tests.routing.flows import raw_flow, stage

FLOW = parse_flow(
    raw_flow(
        stage("a", "acceptance", limit={"working_days": 5}),
        stage("d", "decision", ("a",), limit={"working_days": 3}),
        promise=20,
    )
)
MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)
moments = st.integers(0, 38_000).map(
    lambda quarters: MONDAY + timedelta(minutes=15 * quarters)  # until the end of March 2027
)


def pause(first: datetime, last: datetime | None, effect=SegmentEffect.PAUSES) -> Segment:
    return Segment(effect, first, last)


@given(moments, st.integers(0, 30), st.integers(0, 30))
def test_a_pause_of_so_many_working_days_moves_the_promise_by_as_many(accepted, wait, days):
    begins = CHINA.local_date(accepted) + timedelta(days=wait)
    first = CHINA.begins(begins)
    last = CHINA.begins(CHINA.add(begins, days) if days else begins)
    plain = item_due(FLOW, CHINA, received=accepted, accepted=accepted)
    paused = item_due(
        FLOW, CHINA, received=accepted, accepted=accepted, segments=[pause(first, last)]
    )
    passed = CHINA.between(CHINA.local_date(plain.at), CHINA.local_date(paused.at))
    assert passed == CHINA.between(CHINA.local_date(first), CHINA.local_date(last))


@pytest.mark.parametrize("effect", [SegmentEffect.RESTARTS, SegmentEffect.NONE])
def test_only_a_pause_adds_days(effect):
    segments = [pause(MONDAY, MONDAY + timedelta(days=14), effect)]
    assert paused_days(CHINA, segments) == 0
    assert paused_days(CHINA, [pause(MONDAY, MONDAY + timedelta(hours=9))]) == 0
    assert paused_days(CHINA, [pause(MONDAY, None)]) == 0
    assert paused_days(CHINA, [pause(MONDAY, MONDAY + timedelta(days=14))]) == 10


@given(moments, moments, st.sampled_from(EdgeKind), st.booleans())
def test_waiting_never_makes_anything_due_earlier(received, until, kind, settled):
    plain = item_due(FLOW, CHINA, received=received)
    waits = [Wait(kind, until, settled=settled)]
    assert item_due(FLOW, CHINA, received=received, waits=waits) >= plain


def test_what_it_waits_for_with_everything_begins_its_time_for_acceptance():
    until = MONDAY + timedelta(days=30)
    begun = item_due(FLOW, CHINA, received=until)
    waits = [Wait(EdgeKind.HARD, until, settled=False)]
    assert item_due(FLOW, CHINA, received=MONDAY, waits=waits) == begun


@pytest.mark.parametrize("settled", [True, False])
def test_the_decision_has_its_own_time_behind_what_it_alone_waits_for(settled):
    until = MONDAY + timedelta(days=90)
    due = item_due(
        FLOW,
        CHINA,
        received=MONDAY,
        accepted=MONDAY,
        waits=[Wait(EdgeKind.SOFT, until, settled=settled)],
    )
    assert due == due_within(CHINA, until, FLOW.decision.limit)


def test_what_was_over_before_acceptance_counts_no_longer():
    waits = [Wait(EdgeKind.SOFT, MONDAY, settled=True)]
    later = MONDAY + timedelta(days=1)
    alone = item_due(FLOW, CHINA, received=MONDAY, accepted=later)
    assert item_due(FLOW, CHINA, received=MONDAY, accepted=later, waits=waits) == alone


def test_the_time_for_acceptance_counts_from_what_came_last():
    answered, begun = MONDAY + timedelta(days=7), MONDAY + timedelta(days=3)
    restart = pause(MONDAY, answered, SegmentEffect.RESTARTS)
    open_yet = pause(answered, None, SegmentEffect.RESTARTS)
    hard = [Wait(EdgeKind.HARD, begun, settled=True), Wait(EdgeKind.HARD, answered, settled=False)]
    assert received_at(MONDAY, [], []) == MONDAY
    assert received_at(MONDAY, [], hard) == begun
    assert received_at(MONDAY, [restart, open_yet], hard) == answered


def test_a_year_whose_days_are_not_published_makes_it_provisional():
    december = datetime(2026, 12, 28, 2, tzinfo=UTC)
    assert item_due(FLOW, CHINA, received=december).provisional
    assert not item_due(FLOW, CHINA, received=MONDAY).provisional
    assert CHINA.published_through == date(2026, 12, 31)
