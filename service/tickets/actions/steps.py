"""How an engine step becomes rows: what filing, deciding and deeming have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries import offering_definition
from service.catalogue.rules import OfferingDefinition
from service.kernel import events
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.routing import (
    CloseStage,
    Context,
    Effect,
    EndItem,
    Event,
    ItemState,
    OpenStage,
    Outcome,
    Phase,
    StageState,
    StageStatus,
    StartPromise,
    StopPromise,
    advance,
    encode_context,
    encode_event,
)
from service.tickets.actions.opening import Opening, Rows
from service.tickets.models import DueChange, Item, ItemStage, Task, Ticket
from service.tickets.queries.desk import Held, items_of, stages_of
from service.tickets.rules import (
    ACTIVE,
    DueBasis,
    Happening,
    ItemDue,
    TaskStatus,
    TicketStatus,
    ticket_due,
    ticket_status,
)


@dataclass(slots=True)
class Step:
    """One event happening to one item whose ticket is locked."""

    session: Session
    actor: Actor
    ticket: Ticket
    item: Item
    task: Task
    items: Sequence[Item]
    stages: Sequence[ItemStage]
    definition: OfferingDefinition
    calendar: WorkingCalendar
    at: datetime
    due_changes: Rows = field(default_factory=list)

    @classmethod
    def of(cls, session: Session, actor: Actor, held: Held, at: datetime) -> Step:
        """The closing of a task that is locked with its ticket; reads what it needs to know."""
        return cls(
            session=session,
            actor=actor,
            ticket=held.ticket,
            item=held.item,
            task=held.task,
            items=items_of(session, held.ticket),
            stages=stages_of(session, held.item),
            definition=offering_definition(session, actor.district, held.item.offering_version_id),
            calendar=calendar_for(session, actor.district),
            at=at,
        )

    @property
    def stage(self) -> ItemStage:
        """The stage whose task is being closed."""
        return next(stage for stage in self.stages if stage.id == self.task.stage_id)

    def take(self, event: Event, happening: Happening, *, accepted_at: datetime) -> None:
        """Advance the item and write everything that follows, events included.

        The task has its verdict already; `accepted_at` is the moment from which the promise
        counts, should this be the acceptance. Raises `routing.IllegalEvent`.
        """
        context = Context()
        before = item_state(self.item, self.stages)
        after, effects = advance(self.definition.flow, before, event, context)
        self.item.phase, self.item.outcome = after.phase, after.outcome
        event_id = self._tell(
            happening,
            task_id=self.task.id,
            data={
                "event": encode_event(event),
                "context": encode_context(context),
                "offering": self.item.offering_code,
                "stage": self.stage.key,
                "department": self.task.department,
                "from": before.phase,
                "to": after.phase,
            },
        )
        self._carry_out(effects, accepted_at, event_id)
        self._settle_ticket(event_id)
        insert_rows(self.session, DueChange, self.due_changes)

    def _carry_out(self, effects: Iterable[Effect], accepted_at: datetime, event_id: UUID) -> None:
        opening = Opening()
        for effect in effects:
            match effect:
                case CloseStage():
                    self._close_stage(effect)
                case OpenStage():
                    opening.add(
                        effect,
                        item=_key_of(self.item),
                        definition=self.definition,
                        calendar=self.calendar,
                        at=self.at,
                    )
                case StartPromise():
                    self._promise(accepted_at, event_id)
                case StopPromise():
                    self.item.decided_at = self.at
                case EndItem(outcome):
                    self._end_item(outcome)
        opening.write(self.session)

    def _close_stage(self, effect: CloseStage) -> None:
        stage = next(s for s in self.stages if (s.key, s.round) == (effect.stage, effect.round))
        stage.closed_at = self.at
        stage.status = StageStatus.CANCELLED if effect.cancelled else StageStatus.CLOSED
        if not effect.cancelled:
            stage.verdict = self.task.verdict
            return
        self.session.execute(
            update(Task)
            .where(
                Task.district_id == stage.district_id,
                Task.stage_id == stage.id,
                Task.status.in_(ACTIVE),
            )
            .values(status=TaskStatus.CANCELLED, closed_at=self.at, version=Task.version + 1)
        )

    def _promise(self, accepted_at: datetime, event_id: UUID) -> None:
        """The item's clock starts: what was projected becomes a promise."""
        days = self.definition.flow.promise_working_days
        due = self.calendar.due_at(accepted_at, working_days=days)
        if due.at != self.item.due_at:
            self.due_changes.append(
                due_change(
                    self.item,
                    before=self.item.due_at,
                    after=due.at,
                    basis=DueBasis.PROMISED,
                    cause="accepted",
                    event=event_id,
                    at=self.at,
                )
            )
        self.item.accepted_at = accepted_at
        self.item.due_at, self.item.provisional = due.at, due.provisional
        self.item.warn_at = self.calendar.warn_at(accepted_at, due.at, working_days=days)
        self.item.due_basis = DueBasis.PROMISED

    def _end_item(self, outcome: Outcome) -> None:
        self.item.ended_at = self.at
        self.item.decided_at = self.item.decided_at or self.at
        data = {"offering": self.item.offering_code, "outcome": outcome}
        self._tell(Happening.ITEM_ENDED, data=data)

    def _settle_ticket(self, event_id: UUID) -> None:
        """What the ticket's row says follows from its items."""
        due = ticket_due([item_due(item) for item in self.items])
        if due.due_at != self.ticket.due_at:
            self.due_changes.append(
                due_change(
                    self.ticket,
                    before=self.ticket.due_at,
                    after=due.due_at,
                    basis=due.basis,
                    cause="items",
                    event=event_id,
                    at=self.at,
                )
            )
        self.ticket.due_at, self.ticket.due_basis = due.due_at, due.basis
        self.ticket.provisional = due.provisional
        status = ticket_status((item.phase, item.outcome) for item in self.items)
        if status is not self.ticket.status:
            self.ticket.status = status
            completed = status is TicketStatus.COMPLETED
            self._tell(Happening.TICKET_COMPLETED if completed else Happening.TICKET_CLOSED)

    def _tell(
        self, kind: Happening, *, task_id: UUID | None = None, data: dict[str, Any] | None = None
    ) -> UUID:
        of_ticket = kind in {Happening.TICKET_COMPLETED, Happening.TICKET_CLOSED}
        return events.emit(
            self.session,
            kind,
            actor=self.actor,
            at=self.at,
            ticket_id=self.ticket.id,
            seq=next_seq(self.ticket),
            item_id=None if of_ticket else self.item.id,
            task_id=task_id,
            public=True,
            data=data,
        )


def next_seq(ticket: Ticket) -> int:
    """The next number of the ticket's events; the ticket's row is locked."""
    ticket.last_seq += 1
    return ticket.last_seq


def item_state(item: Item, stages: Iterable[ItemStage]) -> ItemState:
    """The engine's view of an item's rows."""
    states = tuple(
        StageState(stage.key, stage.round, stage.status, stage.department, stage.verdict)
        for stage in stages
    )
    outcome = item.outcome if item.phase in {Phase.FULFILMENT, Phase.ENDED} else None
    return ItemState(phase=item.phase, outcome=outcome, stages=states)


def item_due(item: Item) -> ItemDue:
    """The part of an item that its ticket's due date follows from."""
    return ItemDue(item.due_at, item.due_basis, item.provisional, item.decided_at)


def due_change(
    of: Ticket | Item,
    *,
    before: datetime | None,
    after: datetime,
    basis: DueBasis,
    cause: str,
    event: UUID,
    at: datetime,
) -> dict[str, Any]:
    """The row that tells that the due date of a ticket or an item moved, and why."""
    is_item = isinstance(of, Item)
    return {
        "district_id": of.district_id,
        "ticket_id": of.ticket_id if isinstance(of, Item) else of.id,
        "item_id": of.id if is_item else None,
        "before": before,
        "after": after,
        "basis": basis,
        "cause": cause,
        "event_id": event,
        "at": at,
    }


def _key_of(item: Item) -> dict[str, Any]:
    return {"district_id": item.district_id, "ticket_id": item.ticket_id, "id": item.id}
