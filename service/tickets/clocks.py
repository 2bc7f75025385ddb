"""The clocks of a ticket in one act: due dates computed anew, and what moved them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import cast, column, select, update, values
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from service.calendars.rules import Due, WorkingCalendar
from service.kernel.db import insert_last
from service.routing.flow import Flow
from service.routing.states import Phase
from service.tickets.edges import predecessors_first, wait_of
from service.tickets.models.filed import Ticket
from service.tickets.models.items import ClockSegment, DueChange, Edge, Item
from service.tickets.rows import Row, Rows, due_change_row
from service.tickets.rules.clock import Segment, Wait, item_due
from service.tickets.rules.dues import ItemDue, ticket_due

Finish = tuple[datetime, datetime | None, datetime | None]
"""When an item is due, was decided and has ended."""


class Clocks:
    """The due dates of a ticket and its items in one act."""

    def __init__(
        self,
        session: Session,
        ticket: Ticket,
        items: Sequence[Item],
        calendar: WorkingCalendar,
        at: datetime,
        *,
        new: bool,
    ) -> None:
        self.session, self.ticket, self.items = session, ticket, items
        self.calendar, self.at, self._new = calendar, at, new
        self._before = {item.id: _finish(item) for item in items}
        self.changes: Rows = []
        self.all_anew = False
        """Whether due dates are computed anew although nothing happened to their items."""
        self._followed: set[UUID] = set()
        self._alarmed: set[UUID] = set()
        self._edges_read = False
        self._segments: dict[UUID, list[Segment]] = {}

    def segments(self, item: Item) -> Sequence[Segment]:
        """The segments of an item's clocks; one statement, none for an item that has none."""
        if not item.segments:
            return ()
        if item.id not in self._segments:
            rows = self.session.execute(
                select(ClockSegment.effect, ClockSegment.began_at, ClockSegment.ended_at)
                .where(
                    ClockSegment.district_id == item.district_id, ClockSegment.item_id == item.id
                )
                .order_by(ClockSegment.began_at, ClockSegment.id)
            )
            self._segments[item.id] = [Segment(*row) for row in rows]
        return self._segments[item.id]

    def compute(
        self,
        moved_by: Mapping[UUID, str],
        turned: Collection[UUID],
        *,
        edges: Callable[[], Sequence[Edge]],
        read: Sequence[Edge],
        flow: Callable[[Item], Flow],
        event: UUID | None,
    ) -> None:
        """Compute anew the due dates of items that something happened to, predecessors first.

        `moved_by`: by item, what moved its own clock. `turned`: items of which an edge has moved.
        Whatever waits for an item whose finish has moved follows. `edges` reads the edges, which
        happens only where something waits or waited; `read` are those that were read before.
        """
        waiting = {
            item.id for item in self.items if item.phase is Phase.WAITING or item.decision_waits
        }
        late = self.all_anew or any(
            item.accepted_at is not None and item.accepted_at < self.at
            for item in self.items
            if moved_by.get(item.id) == "accepted"
        )
        counts = (waiting and (turned or moved_by or self._finishes_moved())) or late
        drawn = edges() if len(self.items) > 1 and counts else read
        self._edges_read = bool(drawn)
        for item in predecessors_first(self.items, drawn):
            own = [edge for edge in drawn if edge.item_id == item.id]
            follows = item.id in waiting and (
                item.id in turned or {edge.predecessor for edge in own} & self._finishes_moved()
            )
            # What is accepted and decided at one moment has been promised something all the same.
            runs = item.decided_at is None or moved_by.get(item.id) == "accepted"
            if runs and (item.id in moved_by or follows or self.all_anew):
                waits = [wait_of(edge, self.items) for edge in own]
                self._compute(item, flow(item), waits, moved_by.get(item.id), event)
            self._set_alarm(item, own)
        self._settle_ticket(event)

    def _compute(
        self,
        item: Item,
        flow: Flow,
        waits: Sequence[Wait],
        cause: str | None,
        event: UUID | None,
    ) -> None:
        due = item_due(
            flow,
            self.calendar,
            received=item.received_at,
            accepted=item.accepted_at,
            held_until=item.hold_until,
            segments=self.segments(item),
            waits=waits,
        )
        warn_at = self.calendar.warn_at(
            item.received_at, due.at, working_days=flow.promise_working_days
        )
        if cause is not None or (*due, warn_at) != (item.due_at, item.provisional, item.warn_at):
            self._move(item, due, warn_at, cause=cause, event=event)

    def _finishes_moved(self) -> set[str]:
        """The offerings of the items whose finish, actual or due, has moved by now."""
        return {item.offering_code for item in self.items if self._before[item.id] != _finish(item)}

    def _move(
        self, item: Item, due: Due, warn_at: datetime, *, cause: str | None, event: UUID | None
    ) -> None:
        """Another due date for an item, with the reason, which stays.

        Without a cause nothing happened to the item itself: it follows what it waits for, or the
        calendar. Then the date is written past the item's version, so that who has read the item
        may still act on it, as when its light changes.
        """
        if not self._new and due.at != item.due_at:
            otherwise = "calendar" if self.all_anew else "followed"
            self._keep(item, item.due_at, due.at, cause or otherwise, event)
        moved = {"due_at": due.at, "warn_at": warn_at, "provisional": due.provisional}
        if cause is not None:
            for name, value in moved.items():
                setattr(item, name, value)
            return
        for name, value in moved.items():
            set_committed_value(item, name, value)
        self._followed.add(item.id)

    def _set_alarm(self, item: Item, edges: Iterable[Edge]) -> None:
        """When time next has something to do with what an item waits for.

        Written past its version where nothing else happened to it. Edges that were not read have
        not moved.
        """
        times = [edge.next_at for edge in edges if edge.next_at is not None]
        alarm_at = min(times, default=None)
        if item.next_alarm_at == alarm_at or not self._edges_read:
            return
        if self._new or self.session.is_modified(item):
            item.next_alarm_at = alarm_at
            return
        self._alarmed.add(item.id)
        set_committed_value(item, "next_alarm_at", alarm_at)

    def _settle_ticket(self, event: UUID | None) -> None:
        """The ticket's due date follows from its items; one decided as it is filed has one too."""
        ticket = self.ticket
        items = [
            ItemDue(item.due_at, item.due_basis, item.provisional, item.decided_at)
            for item in self.items
        ]
        if self._new and all(item.decided_at is not None for item in items):
            items = [replace(item, decided_at=None) for item in items]
        if (due := ticket_due(items)) is None:
            return
        if not self._new and due.due_at != ticket.due_at:
            before, ticket.due_basis = ticket.due_at, due.basis
            self._keep(ticket, before, due.due_at, "items", event)
        ticket.due_at, ticket.due_basis, ticket.provisional = due.due_at, due.basis, due.provisional

    def write(self) -> None:
        """Two statements at the most, whatever has moved."""
        self.write_moved()
        insert_last(self.session, DueChange, self.changes)

    def write_moved(self) -> None:
        """What has moved although nothing happened to it; one statement at the most."""
        past_version = self._followed | self._alarmed
        if past_version or self.all_anew:
            moved = [
                item
                for item in self.items
                if item.id in past_version or (self.all_anew and item.ended_at is None)
            ]
            _write_past_version(self.session, self.ticket.district_id, moved)

    def _keep(
        self,
        of: Ticket | Item,
        before: datetime,
        after: datetime,
        cause: str,
        event: UUID | None,
    ) -> None:
        self.changes.append(
            due_change_row(
                of,
                before,
                after=after,
                basis=of.due_basis,
                cause=cause,
                event=event,
                at=self.at,
            )
        )


def write_clocks(session: Session, tickets: Sequence[Clocks]) -> None:
    """`Clocks.write` for several tickets: one statement for all changes."""
    for one in tickets:
        one.write_moved()
    insert_last(session, DueChange, [row for one in tickets for row in one.changes])


def _finish(item: Item) -> Finish:
    return item.due_at, item.decided_at, item.ended_at


_MOVED = ("id", "due_at", "warn_at", "provisional", "next_alarm_at", "hold_until")


def _write_past_version(session: Session, district: str, items: Sequence[Item]) -> None:
    """Write what time and others moved in items: who has read one may still act on it."""
    table = Item.__table__.c
    moved = values(*(column(name, table[name].type) for name in _MOVED), name="moved").data(
        [tuple(getattr(item, name) for name in _MOVED) for item in items]
    )
    session.execute(
        update(Item)
        .where(Item.district_id == district, Item.id == moved.c.id)
        .values({name: cast(moved.c[name], table[name].type) for name in _MOVED[1:]})
        .execution_options(synchronize_session=False)
    )


def due_moved(change: Row) -> dict[str, str]:
    """What an event says of a due date that moved."""
    return {
        "cause": change["cause"],
        "before": change["before"].isoformat(),
        "after": change["after"].isoformat(),
    }
