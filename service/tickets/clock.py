"""When items and their ticket are due: by their own clocks, and not before what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import column, update, values
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from service.calendars.rules import Due, WorkingCalendar
from service.kernel.db import insert_rows
from service.routing import EdgeKind, EdgeOn, EdgeStatus, Flow
from service.routing.bundle import UNSETTLED
from service.tickets.models.filed import Ticket
from service.tickets.models.items import DueChange, Edge, Item
from service.tickets.rows import due_change
from service.tickets.rules.dues import DueBasis, ItemDue, ticket_due
from service.tickets.stages import Rows, due_within


def due_of(
    flow: Flow,
    calendar: WorkingCalendar,
    *,
    received_at: datetime,
    accepted_at: datetime | None = None,
    hard: Iterable[datetime] = (),
    soft: Iterable[datetime] = (),
) -> Due:
    """When an item is due that takes all the time it has.

    The promise counts from acceptance. One that is not accepted yet is so when the time to accept
    is over, which begins when it is received and not before the last of `hard`, the moments until
    which it may have to wait with everything. The decision has its own time behind each of `soft`,
    those until which the decision alone may have to wait.
    """
    if accepted_at is None:
        (acceptance,) = flow.starts
        accepted_at = due_within(calendar, max([received_at, *hard]), acceptance.limit).at
    own = calendar.due_at(accepted_at, working_days=flow.promise_working_days)
    return max([own, *(due_within(calendar, moment, flow.decision.limit) for moment in soft)])


@dataclass(slots=True)
class Dues:
    """The due dates of a ticket and its items in one act, and what moves them.

    `flow` gives that of an item. What has moved is written by `write`, and read from the items.
    """

    session: Session
    ticket: Ticket
    items: Sequence[Item]
    calendar: WorkingCalendar
    at: datetime
    flow: Callable[[Item], Flow]
    _changes: Rows = field(default_factory=list)
    _followed: Rows = field(default_factory=list)
    _before: dict[UUID, Finish] = field(init=False)

    def __post_init__(self) -> None:
        self._before = {item.id: _finish(item) for item in self.items}

    def of(self, item: Item, edges: Iterable[Edge]) -> Due:
        """When an item is due by its own clock and by those of the edges that it still waits for.

        A decision that need not wait any more may have waited until now: `freed` sees to that.
        """
        own = [edge for edge in edges if edge.item_id == item.id and edge.status in UNSETTLED]
        until = {kind: [self._until(one) for one in own if one.kind is kind] for kind in EdgeKind}
        return due_of(
            self.flow(item),
            self.calendar,
            received_at=item.received_at,
            accepted_at=item.accepted_at,
            hard=until[EdgeKind.HARD],
            soft=until[EdgeKind.SOFT],
        )

    def freed(self, item: Item, due: Due) -> Due:
        """The later of a due date and that of a decision that opens now."""
        return max(due, due_within(self.calendar, self.at, self.flow(item).decision.limit))

    def moved(self) -> set[str]:
        """The offerings of the items whose finish, actual or due, has moved by now."""
        return {item.offering_code for item in self.items if self._before[item.id] != _finish(item)}

    def move(self, item: Item, due: Due, *, cause: str, event: UUID | None) -> None:
        """Another due date for an item, with the reason, which stays."""
        self._tell(item, due, cause, event)
        item.due_at, item.provisional = due.at, due.provisional
        item.warn_at = self._warn_at(item, due)

    def follow(self, item: Item, due: Due, *, event: UUID | None) -> None:
        """Another due date for an item to which nothing else has happened: written with others.

        Past its version: who has read the item may still act on it, as when its light changes.
        """
        self._tell(item, due, "followed", event)
        warn_at = self._warn_at(item, due)
        told = {"due_at": due.at, "warn_at": warn_at, "provisional": due.provisional}
        for name, value in told.items():
            set_committed_value(item, name, value)
        self._followed.append({"id": item.id, **told})

    def settle(self, *, event: UUID | None) -> None:
        """What the ticket's row says follows from its items."""
        ticket = self.ticket
        due = ticket_due(
            [
                ItemDue(item.due_at, item.due_basis, item.provisional, item.decided_at)
                for item in self.items
            ]
        )
        if due.due_at != ticket.due_at:
            self._keep(ticket, due.due_at, due.basis, "items", event)
        ticket.due_at, ticket.due_basis, ticket.provisional = due.due_at, due.basis, due.provisional

    def write(self) -> None:
        """Two statements at the most, whatever has moved."""
        if self._followed:
            _write_dues(self.session, self.ticket.district_id, self._followed)
        insert_rows(self.session, DueChange, self._changes)

    def _until(self, edge: Edge) -> datetime:
        """Until when an unsettled edge keeps its successor waiting, as far as is known.

        Until the last item of its predecessor is finished, or it has waited long enough; where the
        applicant is asked, until their time to answer is over.
        """
        if edge.status is EdgeStatus.ASKED and edge.next_at is not None:
            return edge.next_at
        ahead = [item for item in self.items if item.offering_code == edge.predecessor]
        last = max(_finished(item, edge.on) for item in ahead)
        return last if edge.next_at is None else min(last, edge.next_at)

    def _warn_at(self, item: Item, due: Due) -> datetime:
        days = self.flow(item).promise_working_days
        return self.calendar.warn_at(item.received_at, due.at, working_days=days)

    def _tell(self, item: Item, due: Due, cause: str, event: UUID | None) -> None:
        if due.at != item.due_at:
            self._keep(item, due.at, item.due_basis, cause, event)

    def _keep(
        self, of: Ticket | Item, after: datetime, basis: DueBasis, cause: str, event: UUID | None
    ) -> None:
        change = due_change(of, of.due_at, after, basis, cause=cause, event=event, at=self.at)
        self._changes.append(change)


Finish = tuple[datetime, datetime | None, datetime | None]
"""When an item is due, was decided and has ended."""


def _finish(item: Item) -> Finish:
    return item.due_at, item.decided_at, item.ended_at


def _finished(item: Item, on: EdgeOn) -> datetime:
    """What is decided and not delivered yet has no date but that of the decision."""
    if on is EdgeOn.ENDED and item.decided_at is not None:
        return item.ended_at or max(item.due_at, item.decided_at)
    return item.decided_at or item.due_at


_MOVED = ("id", "due_at", "warn_at", "provisional")


def _write_dues(session: Session, district: str, rows: Rows) -> None:
    table = Item.__table__.c
    moved = values(*(column(name, table[name].type) for name in _MOVED), name="moved").data(
        [tuple(row[name] for name in _MOVED) for row in rows]
    )
    session.execute(
        update(Item)
        .where(Item.district_id == district, Item.id == moved.c.id)
        .values({name: moved.c[name] for name in _MOVED[1:]})
        .execution_options(synchronize_session=False)
    )
