"""Corrections of an item: asked, answered, or dropped, with the segment of its clocks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from service.calendars.rules import WorkingCalendar
from service.kernel.db import insert_rows
from service.routing.states import Phase
from service.tickets.models.items import ClockSegment, Correction, Item
from service.tickets.models.stages import Task
from service.tickets.queries.rows import unsettled_corrections
from service.tickets.rows import correction_row, segment_row
from service.tickets.rules.clock import Segment, SegmentEffect, SegmentKind
from service.tickets.rules.corrections import Point
from service.tickets.rules.states import Dropped

ANSWER_WITHIN: Final = 10
"""Working days in which a correction is to be answered."""


def answer_by(calendar: WorkingCalendar, asked_at: datetime) -> datetime:
    """By when a correction is to be answered that was asked at a moment."""
    return calendar.due_at(asked_at, working_days=ANSWER_WITHIN).at


def keep(
    session: Session,
    item: Item,
    task: Task,
    points: Sequence[Point],
    *,
    due_at: datetime,
    at: datetime,
) -> None:
    """Keep what a department returns a stage for; the applicant is asked with the stage's end.

    One statement.
    """
    row = correction_row(session, item, task, points, due_at=due_at, at=at)
    insert_rows(session, Correction, [row])


def ask(
    session: Session, item: Item, tasks: Collection[UUID], *, due_at: datetime, at: datetime
) -> None:
    """Ask the applicant, by a moment, what these tasks have returned; the item is held for it.

    The time for acceptance begins anew with the answer; after acceptance the promise goes on. Two
    statements.
    """
    item.hold_until = max(due_at, item.hold_until or due_at)
    sent = session.scalars(
        update(Correction)
        .where(
            Correction.district_id == item.district_id,
            Correction.item_id == item.id,
            Correction.task_id.in_(tasks),
            Correction.sent_at.is_(None),
            Correction.dropped_at.is_(None),
        )
        .values(sent_at=at, asked_at=at, due_at=due_at)
        .returning(Correction.task_id)
        .execution_options(synchronize_session=False)
    ).all()
    restarts = item.phase is Phase.ACCEPTANCE
    effect = SegmentEffect.RESTARTS if restarts else SegmentEffect.NONE
    segment = Segment(effect, at, None)
    rows = [segment_row(item, SegmentKind.CORRECTION, segment, task) for task in sorted(sent)]
    insert_rows(session, ClockSegment, rows)
    item.segments += len(rows)


def end(session: Session, item: Item, *, still: Collection[object] = (), at: datetime) -> None:
    """Corrections are answered or no longer asked: their segments end, but those of `still`.

    `still` are the ids of tasks whose corrections are asked on. None ends before it began, which
    another machine may have written whose clock is ahead. One statement.
    """
    query = update(ClockSegment).where(
        ClockSegment.district_id == item.district_id,
        ClockSegment.item_id == item.id,
        ClockSegment.kind == SegmentKind.CORRECTION,
        ClockSegment.ended_at.is_(None),
    )
    if still:
        query = query.where(ClockSegment.task_id.not_in(still))
    session.execute(
        query.values(ended_at=func.greatest(at, ClockSegment.began_at)).execution_options(
            synchronize_session=False
        )
    )


def drop(
    session: Session, item: Item, *, still: Collection[object], because: Dropped, at: datetime
) -> None:
    """Ask no longer but what the tasks `still` ask, or will; the item is held for that alone.

    Three statements.
    """
    asked = unsettled_corrections(session, item)
    for correction in asked:
        if correction.task_id not in still:
            correction.dropped_at, correction.dropped_because = at, because
    left = [one.due_at for one in asked if one.task_id in still and one.sent_at is not None]
    item.hold_until = max(left, default=None)
    end(session, item, still=still, at=at)
