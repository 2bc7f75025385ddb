"""A calendar was published: what is open is due as the newest version has it.

A ticket names the version by which its due dates are computed, so whichever is behind is found
whatever became of the worker meanwhile: a run that was killed is gone on with, one that has
finished finds nothing, and a ticket that was filed by the former version while another was being
published is found too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    case,
    literal,
    null,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from service.calendars.queries import newest_version_id
from service.catalogue.queries.definitions import edge_rules
from service.kernel.actor import Actor
from service.kernel.db import for_change
from service.kernel.events import Event
from service.kernel.ids import lowest_since
from service.routing.bundle import UNSETTLED, EdgeStatus
from service.routing.states import Hold, Phase, StageStatus
from service.tickets.acts import Act, act_on
from service.tickets.corrections import answer_by
from service.tickets.edges import waits_until
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Edge, Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.rows import open_corrections
from service.tickets.rules.clock import due_within
from service.tickets.rules.states import ACTIVE, RUNNING, TicketEvent
from service.tickets.timers import BATCH, Position, Timer
from service.tickets.visibility import visible


def tickets_behind(
    session: Session,
    actor: Actor,
    *,
    at: datetime,  # noqa: ARG001 - every timer is handed it
    behind: Position | None = None,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Running tickets whose due dates are by another calendar than the newest.

    One statement, two walks of a partial index, of which each reads a batch at most.
    """
    newest = newest_version_id(literal(actor.district))
    both = union_all(
        *(
            select(_behind(actor, other, behind).subquery(name))
            for name, other in (
                ("older", Ticket.calendar_id < newest),
                ("younger", Ticket.calendar_id > newest),
            )
        )
    ).subquery()
    query = select(both.c.place, both.c.id, both.c.ticket_id)
    return session.execute(query.order_by(both.c.place, both.c.id).limit(BATCH)).all()


def _behind(
    actor: Actor, other: ColumnElement[bool], behind: Position | None
) -> Select[*tuple[Any, ...]]:
    query = select(
        Ticket.calendar_id.label("place"), Ticket.id, Ticket.id.label("ticket_id")
    ).where(visible(actor, Ticket), _running(), other)
    if behind is not None:
        query = query.where(tuple_(Ticket.calendar_id, Ticket.id) > tuple_(*behind))
    return query.order_by(Ticket.calendar_id, Ticket.id).limit(BATCH)


def reschedule(session: Session, actor: Actor, *, ticket_id: UUID, at: datetime) -> int:
    """Compute anew what is open of a ticket; returns 1, or 0 for one that is not behind.

    Items that are not decided, open stages with their tasks and alarms, edges that wait for a
    moment, and what the applicant is to correct. What is over stays as it was. Versions do not
    move: who has read an item or a task may still act on it. A ticket that somebody works on is
    left for the next time.
    """
    free = select(Ticket).where(visible(actor, Ticket), _running(), Ticket.id == ticket_id)
    ticket = session.scalars(for_change(free, Ticket, skip_locked=True)).one_or_none()
    if ticket is None:
        return 0
    with act_on(session, actor, ticket, at=at) as act:
        if ticket.calendar_id == act.calendar.version_id:
            return 0
        act.follow_calendar()
        _stages(act)
        _edges(act)
        for item in act.items:
            if item.hold is Hold.CORRECTION:
                _corrections(act, item)
    return 1


RESCHEDULING: Final = Timer("reschedule", tickets_behind, reschedule)


def _running() -> Any:
    """Written out in the statement, for the partial index of those."""
    return Ticket.status.in_(
        bindparam("running", RUNNING, unique=True, expanding=True, literal_execute=True)
    )


def _stages(act: Act) -> None:
    """One statement, and two for every stage whose time has moved."""
    rows = act.session.execute(
        select(ItemStage, Item)
        .join(Item, (Item.district_id == ItemStage.district_id) & (Item.id == ItemStage.item_id))
        .where(
            Item.district_id == act.ticket.district_id,
            Item.ticket_id == act.ticket.id,
            ItemStage.status == StageStatus.OPEN,
        )
        .order_by(ItemStage.id)
    ).all()
    for stage, item in rows:
        limit = act.definition(item).flow.by_key[stage.key].limit
        due = due_within(act.calendar, stage.opened_at, limit).at
        warn = act.calendar.warn_at(stage.opened_at, due, limit.working_days, limit.working_hours)
        if (due, warn) != (stage.due_at, stage.warn_at):
            before, stage.due_at, stage.warn_at = stage.due_at, due, warn
            _tasks(act, item, stage, before)


def _tasks(act: Act, item: Item, stage: ItemStage, before: datetime) -> None:
    """The tasks of a stage that are still to be done; an alarm that is set moves with them."""
    moved = act.session.scalars(
        update(Task)
        .where(
            Task.district_id == stage.district_id,
            Task.stage_id == stage.id,
            Task.status.in_(ACTIVE),
        )
        .values(
            due_at=stage.due_at,
            warn_at=stage.warn_at,
            next_alarm_at=case((Task.next_alarm_at.is_(None), null()), else_=stage.due_at),
        )
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    )
    if before != stage.due_at:
        for task_id in moved:
            act.record_due(item, task_id, before, stage.due_at)


def _edges(act: Act) -> None:
    """Until when an edge waits; three statements where one of them does."""
    if len(act.items) == 1:
        return
    waiting = [e for e in act.edges() if e.status in UNSETTLED and e.next_at is not None]
    if not waiting:
        return
    ticket = act.ticket
    offerings = {item.id: item.offering_code for item in act.items}
    rules = edge_rules(act.session, ticket.district_id, ticket.bundle_version_id)
    waits = {(rule.predecessor, rule.successor): rule.wait for rule in rules}
    asked = _asked_at(act, waiting)
    for edge in waiting:
        if edge.status is EdgeStatus.ASKED:
            due = act.calendar.due_at(asked[edge.id], working_days=edge.ask_days or 0)
            edge.next_at = due.at
        elif wait := waits.get((edge.predecessor, offerings[edge.item_id])):
            edge.next_at = waits_until(wait, act.calendar, ticket.filed_at)


def _asked_at(act: Act, edges: Sequence[Edge]) -> dict[UUID, datetime]:
    """When the applicant was asked; an edge is asked about once."""
    if all(edge.status is not EdgeStatus.ASKED for edge in edges):
        return {}
    rows = act.session.execute(
        select(Event.data["edge"].astext.label("edge"), Event.at).where(
            Event.district_id == act.ticket.district_id,
            Event.ticket_id == act.ticket.id,
            Event.id >= lowest_since(act.ticket.id),
            Event.kind == TicketEvent.CHOICE_ASKED,
        )
    )
    return {UUID(row.edge): row.at for row in rows}


def _corrections(act: Act, item: Item) -> None:
    """By when an item is to be corrected; two statements."""
    asked = open_corrections(act.session, item)
    for one in asked:
        one.due_at = answer_by(act.calendar, one.asked_at)
    if asked and item.phase is not Phase.ENDED:
        set_committed_value(item, "hold_until", max(one.due_at for one in asked))
