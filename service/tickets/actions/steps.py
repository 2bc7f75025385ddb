"""How an engine step becomes rows: what filing, deciding and deeming have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.calendars.rules import WorkingCalendar
from service.catalogue.rules import OfferingDefinition
from service.kernel import events
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.kernel.ids import new_id
from service.routing import (
    CloseStage,
    Context,
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
from service.tickets.models import DueChange, Item, ItemStage, Task, Ticket
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

Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Opening:
    """Rows of stages and tasks to be inserted together."""

    stages: Rows = field(default_factory=list)
    tasks: Rows = field(default_factory=list)

    def add(
        self,
        opened: OpenStage,
        *,
        item: Mapping[str, Any],
        definition: OfferingDefinition,
        calendar: WorkingCalendar,
        at: datetime,
    ) -> None:
        """A stage of an item and the task it gives its department, with its clock started.

        `item` holds district_id, ticket_id and id.
        """
        stage = definition.flow.by_key[opened.stage]
        days = stage.limit.working_days
        due = calendar.due_at(at, working_days=days)
        clock = {
            "opened_at": at,
            "due_at": due.at,
            "warn_at": calendar.warn_at(at, due.at, working_days=days),
            "closed_at": None,
        }
        shared = {"district_id": item["district_id"], "item_id": item["id"], **clock}
        stage_row = {
            **shared,
            "id": new_id(),
            "key": opened.stage,
            "round": opened.round,
            "status": StageStatus.OPEN,
            "department": opened.department,
            "verdict": None,
        }
        task_row = {
            **shared,
            "id": new_id(),
            "ticket_id": item["ticket_id"],
            "stage_id": stage_row["id"],
            "kind": stage.kind,
            "offering_code": definition.code,
            "department": opened.department,
            "role": opened.role,
            "status": TaskStatus.OPEN,
            "version": 1,
            "deemed": False,
        }
        self.stages.append(stage_row)
        self.tasks.append(task_row)

    def write(self, session: Session) -> None:
        """Insert what was collected: at most two statements."""
        insert_rows(session, ItemStage, self.stages)
        insert_rows(session, Task, self.tasks)


@dataclass(slots=True)
class Step:
    """One event happening to one item whose ticket is locked."""

    session: Session
    actor: Actor
    ticket: Ticket
    item: Item
    items: Sequence[Item]
    stages: Sequence[ItemStage]
    definition: OfferingDefinition
    calendar: WorkingCalendar
    at: datetime
    due_changes: Rows = field(default_factory=list)

    def take(
        self, event: Event, happening: Happening, *, task: Task, accepted_at: datetime
    ) -> None:
        """Advance the item and write everything that follows, events included.

        `task` is the task whose closing is the event; `accepted_at` is the moment from which the
        promise counts, should this be the acceptance. Raises `routing.IllegalEvent`.
        """
        context = Context()
        before = item_state(self.item, self.stages)
        after, effects = advance(self.definition.flow, before, event, context)
        self.item.phase, self.item.outcome = after.phase, after.outcome
        event_id = self._tell(
            happening,
            task_id=task.id,
            data={
                "event": encode_event(event),
                "context": encode_context(context),
                "offering": self.item.offering_code,
                "stage": self._stage(task.stage_id).key,
                "department": task.department,
                "from": before.phase,
                "to": after.phase,
            },
        )
        self._carry_out(effects, task, accepted_at, event_id)
        self._settle_ticket(event_id)
        insert_rows(self.session, DueChange, self.due_changes)

    def _carry_out(
        self, effects: Iterable[Any], task: Task, accepted_at: datetime, event_id: UUID
    ) -> None:
        opening = Opening()
        for effect in effects:
            match effect:
                case CloseStage():
                    self._close_stage(effect, task)
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

    def _close_stage(self, effect: CloseStage, task: Task) -> None:
        stage = next(s for s in self.stages if (s.key, s.round) == (effect.stage, effect.round))
        stage.closed_at = self.at
        stage.status = StageStatus.CANCELLED if effect.cancelled else StageStatus.CLOSED
        if not effect.cancelled:
            stage.verdict = task.verdict
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

    def _stage(self, stage_id: UUID) -> ItemStage:
        return next(stage for stage in self.stages if stage.id == stage_id)


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
