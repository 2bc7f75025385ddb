"""Claims that outlive the post they rest on go back into the pool."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, tuple_
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.desk.actions.claim import POOLED, changed_task, tell
from service.identity.staff.queries import disabled_among, post_held
from service.kernel.actor import Actor
from service.kernel.db import for_change
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.queries.rows import with_status
from service.tickets.rules.states import TaskStatus, TicketEvent
from service.tickets.timers import BATCH, Position, Timer
from service.tickets.visibility import visible


def claims_left(
    session: Session,
    actor: Actor,
    *,
    at: datetime,
    behind: Position | None = None,
    account: UUID | None = None,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Claimed tasks whose holder no longer has the task's role in its department today.

    That is so once a post has ended, by hand or by its date, and where the account is disabled.
    At most `BATCH`, of one account where it is named. Three statements besides the calendar.
    """
    query = (
        select(Task.due_at.label("place"), Task.id, Task.ticket_id)
        .where(_left(session, actor, at))
        .order_by(Task.due_at, Task.id)
        .limit(BATCH)
    )
    if behind is not None:
        query = query.where(tuple_(Task.due_at, Task.id) > tuple_(*behind))
    if account is not None:
        query = query.where(Task.assignee == account)
    return session.execute(query).all()


def give_back_claims(session: Session, actor: Actor, *, ticket_id: UUID, at: datetime) -> int:
    """Put such tasks of a ticket back into the pool, an event each; returns how many.

    The ticket is locked first. Nobody is sent a notice: whoever works there finds them in the pool.
    """
    ticket = select(Ticket.id).where(visible(actor, Ticket), Ticket.id == ticket_id)
    if session.scalar(for_change(ticket, Ticket)) is None:
        return 0
    items = select(Item.id).where(Item.district_id == actor.district, Item.ticket_id == ticket_id)
    left = _left(session, actor, at, Task.item_id.in_(items))
    found = session.scalars(select(Task.id).where(left).order_by(Task.id)).all()
    given_back = 0
    for task_id in found:
        row = changed_task(session, POOLED, Task.id == task_id, left)
        if row is not None:
            tell(session, actor, TicketEvent.TASK_RELEASED, row, at)
            given_back += 1
    return given_back


GIVING_BACK: Final = Timer("claims_left", claims_left, give_back_claims)


def _left(
    session: Session, actor: Actor, at: datetime, among: ColumnElement[bool] | None = None
) -> ColumnElement[bool]:
    """Claimed tasks whose holder has lost the post, of all or `among` these."""
    claimed = visible(actor, Task) & with_status((TaskStatus.CLAIMED,))
    if among is not None:
        claimed &= among
    holders = session.scalars(select(Task.assignee).where(claimed).distinct()).all()
    disabled = disabled_among(session, [one for one in holders if one is not None])
    today = calendar_for(session, actor.district).local_date(at)
    held = post_held(
        district=Task.district_id,
        account=Task.assignee,
        department=Task.department,
        role=Task.role,
        on=today,
    )
    return claimed & (~held | Task.assignee.in_(disabled))
