"""What is true of every ticket at every moment, whoever did what to it and in whatever order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries import offering_definition
from service.catalogue.rules import OfferingDefinition
from service.kernel.db import Database, Scope
from service.kernel.events import Event
from service.routing import (
    Outcome,
    Phase,
    StageState,
    StageStatus,
    decode_context,
    decode_event,
    replay,
)
from service.tickets.models import DueChange, Item, ItemStage, Task, Ticket
from service.tickets.rules import DueBasis, TaskStatus, TicketStatus

DISTRICT = "demo"
ACTIVE = {TaskStatus.OPEN, TaskStatus.CLAIMED}
UNNUMBERED = {"task_claimed", "task_released"}


@dataclass(frozen=True)
class Story:
    """A ticket with everything that hangs on it."""

    ticket: Ticket
    items: Sequence[Item]
    stages: Sequence[ItemStage]
    tasks: Sequence[Task]
    events: Sequence[Event]
    due_changes: Sequence[DueChange]
    definitions: dict[UUID, OfferingDefinition]
    calendar: WorkingCalendar

    def of(self, item: Item, rows: Iterable[Any]) -> list[Any]:
        return [row for row in rows if row.item_id == item.id]


def check(database: Database, tickets: Collection[UUID] | None = None) -> int:
    """Check these tickets, or all; gives how many there were."""
    told = stories(database, tickets)
    for story in told:
        _check(story)
    return len(told)


def stories(database: Database, tickets: Collection[UUID] | None = None) -> list[Story]:
    """These tickets, or all, as they are."""
    with database.transaction(Scope(DISTRICT)) as session:
        return _read(session, tickets)


def _check(story: Story) -> None:
    numbered_without_a_gap(story)
    for item in story.items:
        replay_gives_the_stored_state(story, item)
        ended_or_in_somebodys_hands(story, item)
        clocks_are_the_calendars(story, item)
    ticket_follows_from_its_items(story)
    due_changes_lead_to_the_due_dates(story)


def numbered_without_a_gap(story: Story) -> None:
    seqs = [event.seq for event in story.events if event.seq is not None]
    assert seqs == list(range(1, story.ticket.last_seq + 1))
    assert {event.kind for event in story.events if event.seq is None} <= UNNUMBERED
    times = [event.at for event in story.events if event.seq is not None]
    assert times[0] == story.ticket.filed_at


def replay_gives_the_stored_state(story: Story, item: Item) -> None:
    history = [
        (decode_event(event.data["event"]), decode_context(event.data["context"]))
        for event in story.of(item, story.events)
        if "event" in event.data
    ]
    state = replay(story.definitions[item.offering_version_id].flow, history)
    assert (state.phase, state.outcome) == (item.phase, item.outcome)
    assert set(state.stages) == {
        StageState(stage.key, stage.round, stage.status, stage.department, stage.verdict)
        for stage in story.of(item, story.stages)
    }


def ended_or_in_somebodys_hands(story: Story, item: Item) -> None:
    active = [task for task in story.of(item, story.tasks) if task.status in ACTIVE]
    unfinished = {s.id for s in story.of(item, story.stages) if s.status is StageStatus.OPEN}
    assert {task.stage_id for task in active} == unfinished
    assert len(active) == len(unfinished)
    if item.phase is Phase.ENDED:
        assert not active
        assert item.outcome is not None
        assert item.ended_at is not None
        assert item.decided_at is not None
    else:
        assert active
        assert item.ended_at is None
    assert (item.accepted_at is not None) == (item.due_basis is DueBasis.PROMISED)


def clocks_are_the_calendars(story: Story, item: Item) -> None:
    flow, calendar = story.definitions[item.offering_version_id].flow, story.calendar
    for stage in story.of(item, story.stages):
        days = flow.by_key[stage.key].limit.working_days
        due = calendar.due_at(stage.opened_at, working_days=days).at
        assert stage.due_at == due
        assert stage.warn_at == calendar.warn_at(stage.opened_at, due, working_days=days)
        (task,) = [task for task in story.tasks if task.stage_id == stage.id]
        assert (task.due_at, task.warn_at) == (stage.due_at, stage.warn_at)
        assert (task.opened_at, task.closed_at) == (stage.opened_at, stage.closed_at)
    (acceptance,) = [s for s in story.of(item, story.stages) if s.key == "acceptance"]
    begins = item.accepted_at or acceptance.due_at
    promise = calendar.due_at(begins, working_days=flow.promise_working_days)
    assert (item.due_at, item.provisional) == (promise.at, promise.provisional)


def ticket_follows_from_its_items(story: Story) -> None:
    ended = [item.phase is Phase.ENDED for item in story.items]
    approved = [item.outcome is Outcome.APPROVED for item in story.items]
    if not all(ended):
        expected = TicketStatus.IN_PROGRESS
    else:
        expected = TicketStatus.COMPLETED if any(approved) else TicketStatus.CLOSED
    assert story.ticket.status is expected
    finishes = [item.decided_at or item.due_at for item in story.items]
    assert story.ticket.due_at == max(finishes)
    kinds = [event.kind for event in story.events]
    assert kinds.count("ticket_completed") == (expected is TicketStatus.COMPLETED)
    assert kinds.count("ticket_closed") == (expected is TicketStatus.CLOSED)
    assert kinds.count("item_ended") == sum(ended)


def due_changes_lead_to_the_due_dates(story: Story) -> None:
    told = {event.id for event in story.events}
    chains: dict[UUID | None, list[DueChange]] = defaultdict(list)
    for change in story.due_changes:
        assert change.event_id in told
        chains[change.item_id].append(change)
    of_ticket = chains.pop(None)
    assert of_ticket[0].before is None
    for earlier, later in pairwise(of_ticket):
        assert later.before == earlier.after
    assert of_ticket[-1].after == story.ticket.due_at
    for item in story.items:
        changes = chains.pop(item.id, [])
        # Projected until then, promised from acceptance on: a row where that moved the date.
        assert len(changes) <= (item.accepted_at is not None)
        assert all(change.before != change.after == item.due_at for change in changes)
    assert not chains


def _read(session: Session, wanted: Collection[UUID] | None) -> list[Story]:
    def all_of(model: Any, column: Any) -> dict[UUID, list[Any]]:
        query = select(model).order_by(model.id)
        if wanted is not None:
            query = query.where(column.in_(wanted))
        found = defaultdict(list)
        for row in session.scalars(query):
            found[getattr(row, column.key)].append(row)
        return found

    tickets = [row for rows in all_of(Ticket, Ticket.id).values() for row in rows]
    items, tasks = all_of(Item, Item.ticket_id), all_of(Task, Task.ticket_id)
    events, changes = all_of(Event, Event.ticket_id), all_of(DueChange, DueChange.ticket_id)
    stages = defaultdict(list)
    for stage in session.scalars(select(ItemStage).order_by(ItemStage.id)):
        stages[stage.item_id].append(stage)
    calendar = calendar_for(session, DISTRICT)
    return [
        Story(
            ticket,
            items[ticket.id],
            [stage for item in items[ticket.id] for stage in stages[item.id]],
            tasks[ticket.id],
            sorted(events[ticket.id], key=lambda event: (event.seq or 0, event.id)),
            changes[ticket.id],
            {
                item.offering_version_id: offering_definition(
                    session, DISTRICT, item.offering_version_id
                )
                for item in items[ticket.id]
            },
            calendar,
        )
        for ticket in tickets
    ]
