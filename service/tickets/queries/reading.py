"""How acts read what they need: each by itself, or those of several tickets together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from service.tickets.models.filed import Ticket
from service.tickets.models.items import Edge, Item
from service.tickets.queries.cases import StageRow, stage_rows, stage_rows_of_all
from service.tickets.queries.rows import edges_of_all


class Reading(Protocol):
    """Where an act has its rows from; each is asked for at most once."""

    def edges(self, ticket: Ticket) -> Sequence[Edge]: ...
    def stages(self, item: Item) -> Sequence[StageRow]: ...


@dataclass(frozen=True, slots=True)
class ByItself:
    """One statement for whatever is asked for."""

    session: Session

    def edges(self, ticket: Ticket) -> Sequence[Edge]:
        return edges_of_all(self.session, (ticket,)).get(ticket.id, [])

    def stages(self, item: Item) -> Sequence[StageRow]:
        return stage_rows(self.session, item)


@dataclass(slots=True)
class Together:
    """One statement for the edges of all tickets, and one for the stages of all items `about`.

    Each is sent when the first of them is asked for. Other items than those are read by themselves.
    """

    session: Session
    tickets: Sequence[Ticket]
    about: Collection[UUID] = ()
    _edges: dict[UUID, list[Edge]] | None = None
    _stages: dict[UUID, list[StageRow]] = field(default_factory=dict)

    def edges(self, ticket: Ticket) -> Sequence[Edge]:
        if self._edges is None:
            self._edges = edges_of_all(self.session, self.tickets)
        return self._edges.get(ticket.id, [])

    def stages(self, item: Item) -> Sequence[StageRow]:
        if item.id not in self.about:
            return stage_rows(self.session, item)
        if not self._stages:
            self._stages = stage_rows_of_all(self.session, item.district_id, self.about)
        return self._stages[item.id]
