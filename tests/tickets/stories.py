"""Tickets as they are in the database, with everything that hangs on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import offering_definition
from service.facts.models import Fact
from service.kernel.db import Database, Scope
from service.kernel.events import Event
from service.routing.flow import Flow
from service.routing.states import ItemState
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Correction, DueChange, Edge, Item, ReliedFact
from service.tickets.models.stages import ItemStage, Task
from service.tickets.rules.state import item_state

DISTRICT = "demo"


@dataclass(frozen=True)
class Story:
    """A ticket with everything that hangs on it; `facts` are those that its items gave."""

    ticket: Ticket
    items: Sequence[Item]
    edges: Sequence[Edge]
    stages: Sequence[ItemStage]
    tasks: Sequence[Task]
    events: Sequence[Event]
    due_changes: Sequence[DueChange]
    facts: Sequence[Fact]
    relied: Sequence[ReliedFact]
    corrections: Sequence[Correction]
    flows: dict[UUID, Flow]
    calendar: WorkingCalendar

    def of(self, item: Item, rows: Iterable[Any]) -> list[Any]:
        return [row for row in rows if row.item_id == item.id]

    def flow(self, item: Item) -> Flow:
        return self.flows[item.offering_version_id]

    def item(self, offering: str, subject: Any = None) -> Item:
        """The one item of an offering, and of a subject where there are several."""
        found = [
            item
            for item in self.items
            if item.offering_code == offering
            and (subject is None or str(item.subject_id) == str(subject))
        ]
        (item,) = found
        return item

    def kinds(self, item: Item | None = None) -> list[str]:
        """What happened to an item, or to the whole ticket, in order, as far as it is public."""
        return [
            event.kind
            for event in self.events
            if event.seq is not None and (item is None or event.item_id == item.id)
        ]

    def came_to(self, item: Item) -> dict[str, str]:
        """By stage, how its last round stands: the verdict or, without one, the status."""
        stages = self.of(item, self.stages)
        return {stage.key: (stage.verdict or stage.status).value for stage in stages}

    def waits_for(self, item: Item) -> dict[str, str]:
        """By predecessor, how the edges of an item stand."""
        return {edge.predecessor: edge.status.value for edge in self.of(item, self.edges)}

    def state(self, item: Item) -> ItemState:
        """Where the engine would have the item, by its rows."""
        rows = [
            SimpleNamespace(
                id=stage.id,
                key=stage.key,
                round=stage.round,
                status=stage.status,
                verdict=stage.verdict,
                task_id=task and task.id,
                department=task and task.department,
                task_status=task and task.status,
                task_verdict=task and task.verdict,
            )
            for stage in self.of(item, self.stages)
            for task in [t for t in self.tasks if t.stage_id == stage.id] or [None]
        ]
        return item_state(
            rows,
            phase=item.phase,
            outcome=item.outcome,
            decision_waits=item.decision_waits,
            hold=item.hold,
        )


def stories(database: Database, tickets: Collection[UUID] | None = None) -> list[Story]:
    """These tickets, or all, as they are."""
    with database.transaction(Scope.system(DISTRICT)) as session:
        return _read(session, tickets)


def _read(session: Session, wanted: Collection[UUID] | None) -> list[Story]:
    def all_of(model: Any, column: Any, among: Collection[UUID] | None) -> dict[UUID, list[Any]]:
        query = select(model).order_by(model.id)
        if among is not None:
            query = query.where(column.in_(among))
        found = defaultdict(list)
        for row in session.scalars(query):
            found[getattr(row, column.key)].append(row)
        return found

    tickets = [row for rows in all_of(Ticket, Ticket.id, wanted).values() for row in rows]
    items = all_of(Item, Item.ticket_id, wanted)
    among = wanted and [item.id for rows in items.values() for item in rows]
    by_item = {
        model: all_of(model, model.item_id, among) for model in (ItemStage, Fact, ReliedFact)
    }
    by_ticket = {
        model: all_of(model, model.ticket_id, wanted)
        for model in (Edge, Task, Event, DueChange, Correction)
    }
    calendar = calendar_for(session, DISTRICT)

    def hanging(model: Any, ticket: Ticket) -> list[Any]:
        if model in by_ticket:
            return by_ticket[model][ticket.id]
        return [row for item in items[ticket.id] for row in by_item[model][item.id]]

    return [
        Story(
            ticket=ticket,
            items=sorted(items[ticket.id], key=lambda item: item.ordinal),
            edges=hanging(Edge, ticket),
            stages=hanging(ItemStage, ticket),
            tasks=hanging(Task, ticket),
            events=sorted(hanging(Event, ticket), key=lambda event: (event.seq or 0, event.id)),
            due_changes=hanging(DueChange, ticket),
            facts=hanging(Fact, ticket),
            relied=hanging(ReliedFact, ticket),
            corrections=hanging(Correction, ticket),
            flows={
                version: offering_definition(session, DISTRICT, version).flow
                for version in {item.offering_version_id for item in items[ticket.id]}
            },
            calendar=calendar,
        )
        for ticket in tickets
    ]
