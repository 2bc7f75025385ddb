"""When an item is due: values in, values out.

A clock starts, has time allotted, stands still in segments, and cannot end before what the item
waits for. Everything that moves a due date is one of these, so a due date is always computed anew
and never patched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.calendars.rules import Due, WorkingCalendar
from service.routing.bundle import EdgeKind
from service.routing.flow import Flow, Limit


class SegmentKind(StrEnum):
    """Why a clock stood still or began anew."""

    CORRECTION = "correction"  # the applicant was asked to correct something


class SegmentEffect(StrEnum):
    """What a segment does to the clocks of its item."""

    RESTARTS = "restarts"  # before acceptance: its end starts the time for acceptance anew
    PAUSES = "pauses"  # its working days are added to the promise
    NONE = "none"  # it is kept for the record: the promise goes on


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time with its effect; it has no end while it lasts."""

    effect: SegmentEffect
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that the item waits for or waited for.

    `until` is when it is over, as far as is known; `settled`: it is over, and that was when.
    """

    kind: EdgeKind
    until: datetime
    settled: bool


def due_within(calendar: WorkingCalendar, at: datetime, limit: Limit) -> Due:
    """When a limit that starts at a moment is used up."""
    if limit.working_hours:
        return calendar.due_after_hours(at, working_hours=limit.working_hours)
    return calendar.due_at(at, working_days=limit.working_days)


def received_at(filed_at: datetime, segments: Iterable[Segment], waits: Iterable[Wait]) -> datetime:
    """From when an item's acceptance counts (行政许可法 art. 32): all that was asked is there.

    That is the filing, the end of the last thing it had to wait for before it could begin, or the
    answer to the last correction before acceptance, whichever is latest.
    """
    restarts = (s.ended_at for s in segments if s.effect is SegmentEffect.RESTARTS and s.ended_at)
    begins = (w.until for w in waits if w.kind is EdgeKind.HARD and w.settled)
    return max([filed_at, *restarts, *begins])


def item_due(
    flow: Flow,
    calendar: WorkingCalendar,
    *,
    received: datetime,
    accepted: datetime | None = None,
    held_until: datetime | None = None,
    segments: Sequence[Segment] = (),
    waits: Sequence[Wait] = (),
) -> Due:
    """When an item is due that takes all the time it has.

    The promise counts from acceptance, and every pause adds its working days. An item that is not
    accepted yet is taken to be so when the time for acceptance is over, which begins when it is
    received and not before the end of what it waits for with everything, nor before `held_until`,
    the last moment for an answer of the applicant, with which that time begins anew. The decision
    has its own time behind each thing that it alone waits for, or waited for longer than until
    acceptance.
    """
    if accepted is None:
        (acceptance,) = flow.starts
        hard = [wait.until for wait in waits if wait.kind is EdgeKind.HARD and not wait.settled]
        answered = [] if held_until is None else [held_until]
        accepted = due_within(calendar, max([received, *hard, *answered]), acceptance.limit).at
    own = calendar.due_at(
        accepted, working_days=flow.promise_working_days + paused_days(calendar, segments)
    )
    soft = (
        wait.until
        for wait in waits
        if wait.kind is EdgeKind.SOFT and (not wait.settled or wait.until > accepted)
    )
    return max([own, *(due_within(calendar, until, flow.decision.limit) for until in soft)])


def paused_days(calendar: WorkingCalendar, segments: Iterable[Segment]) -> int:
    """The working days of all pauses that are over; a pause within one day is none."""
    return sum(
        calendar.between(
            calendar.local_date(segment.began_at), calendar.local_date(segment.ended_at)
        )
        for segment in segments
        if segment.effect is SegmentEffect.PAUSES and segment.ended_at is not None
    )
