"""What follows along the edges of a ticket when something happens to one of its items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from service.calendars.rules import WorkingCalendar
from service.routing.bundle import UNSETTLED, EdgeStatus, waits
from service.routing.events import Cancelled, Event, PredecessorsSettled
from service.routing.states import Phase
from service.tickets.edges import stands
from service.tickets.models.items import Edge, Item
from service.tickets.rules.states import UNDECIDED, TicketEvent


class Acting(Protocol):
    """The act in which it follows."""

    items: Sequence[Item]
    calendar: WorkingCalendar
    at: datetime
    last_event: UUID | None

    def edges(self) -> Sequence[Edge]: ...
    def edges_to(self, item: Item) -> list[Edge]: ...
    def apply(self, item: Item, event: Event, kind: TicketEvent) -> None: ...
    def emit(
        self, kind: TicketEvent, *, item: Item, data: Mapping[str, Any] | None = None
    ) -> UUID: ...


class Following:
    """Lets edges settle and items follow them, in one act.

    `turned` are the ids of the items of which an edge has moved; `asked`: whether the applicant
    was asked something.
    """

    def __init__(self, act: Acting) -> None:
        self._act = act
        self.turned: set[UUID] = set()
        self.asked = False

    def settle(self, edges: Iterable[Edge], status: EdgeStatus) -> None:
        """Settle edges of one item as time or the applicant says, and let the item follow."""
        for edge in edges:
            if self._turn(edge, status):
                self._follow(self._successor(edge))

    def settle_all(self, decided: list[Item]) -> None:
        """Follow what happened to items along the edges of their ticket, until nothing moves.

        An edge that is met, or cannot be any more, may let its successor begin or be decided, or
        close it, which adds to `decided` and may settle further edges. Edges form no cycle, so
        this ends.
        """
        while decided:
            ids = {item.id for item in decided}
            offerings = {item.offering_code for item in decided}
            decided.clear()
            self._waive_edges_of(ids)
            moved = set()
            for edge in self._act.edges():
                if edge.predecessor not in offerings or edge.status not in UNSETTLED:
                    continue
                status = stands(edge, self._act.items)
                if status is not EdgeStatus.WAITING and self._turn(edge, status):
                    moved.add(edge.item_id)
            for item in self._act.items:
                if item.id in moved:
                    self._follow(item)

    def _successor(self, edge: Edge) -> Item:
        return next(item for item in self._act.items if item.id == edge.item_id)

    def _waive_edges_of(self, decided: set[UUID]) -> None:
        """An item that has an outcome waits for nothing any more."""
        for edge in self._act.edges():
            if edge.item_id in decided and edge.status in UNSETTLED:
                edge.status, edge.settled_at = EdgeStatus.WAIVED, self._act.at
                edge.next_at = None

    def _turn(self, edge: Edge, status: EdgeStatus) -> bool:
        """Change how an edge stands; returns whether it did. An applicant who is asked has time."""
        act, item = self._act, self._successor(edge)
        if status is edge.status:
            return False
        if item.phase not in UNDECIDED:
            status = EdgeStatus.WAIVED
        edge.status = status
        self.turned.add(item.id)
        asked = status is EdgeStatus.ASKED
        if asked:
            edge.next_at = act.calendar.due_at(act.at, working_days=edge.ask_days or 0).at
            self.asked = True
        else:
            edge.settled_at, edge.next_at = act.at, None
        act.last_event = act.emit(
            TicketEvent.CHOICE_ASKED if asked else TicketEvent.EDGE_SETTLED,
            item=item,
            data={
                "offering": item.offering_code,
                "predecessor": edge.predecessor,
                "edge": str(edge.id),
                "status": status,
            },
        )
        return True

    def _follow(self, item: Item) -> None:
        """Let an item go on, or close it, as its edges stand now."""
        if item.phase not in UNDECIDED:
            return
        now = waits((edge.kind, edge.status) for edge in self._act.edges_to(item))
        if now.closes:
            self._act.apply(item, Cancelled(), TicketEvent.ITEM_CANCELLED)
            return
        begins = item.phase is Phase.WAITING and not now.hard
        if begins or item.decision_waits is not now.soft:
            event = PredecessorsSettled(hard=now.hard, soft=now.soft)
            kind = TicketEvent.ITEM_BEGUN if begins else TicketEvent.ITEM_FREED
            self._act.apply(item, event, kind)
