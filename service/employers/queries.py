"""What an agent sees: how the tickets stand by which employees let their enterprise follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Uuid,
    any_,
    bindparam,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from service.calendars.rules import WorkingCalendar
from service.catalogue.rules.definitions import OfferingDefinition
from service.catalogue.rules.pack import Subject
from service.employers.rules import Awaited, told_items
from service.identity.people.queries import masked_names
from service.identity.people.rules import masked_name
from service.kernel.actor import Actor
from service.kernel.db import Prepared, prepared
from service.kernel.errors import NotFound
from service.kernel.sealed import load_keys, opened_json
from service.kernel.shown import as_coded
from service.routing.bundle import UNSETTLED, EdgeStatus
from service.routing.states import Hold, Outcome, Phase
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Edge, Item
from service.tickets.rules.states import Light, TicketStatus, item_light
from service.tickets.visibility import Anyone, Seen, asking, visible

RequestRow = Any
"""A row of one of the lists of columns below."""


Definitions = Mapping[UUID, OfferingDefinition]


_REQUEST: Final = (
    Ticket.id,
    Ticket.number,
    Ticket.person_id,
    Ticket.status,
    Ticket.filed_at,
    Ticket.ended_at,
    Ticket.due_at,
    Ticket.filed_applicant,
)


_ITEM: Final = (
    Item.id,
    Item.ticket_id,
    Item.offering_code,
    Item.offering_version_id,
    Item.phase,
    Item.hold,
    Item.hold_until,
    Item.outcome,
    Item.decided_at,
    Item.ended_at,
    Item.due_at,
    Item.warn_at,
)


_EDGE: Final = (Edge.item_id, Edge.predecessor, Edge.status, Edge.next_at)


@dataclass(frozen=True, slots=True)
class Requests:
    """Tickets with what an employer may know of them.

    By ticket the masked name of who filed it, as it was then, and its items; by item what it waits
    for.
    """

    rows: Sequence[RequestRow]
    names: Mapping[UUID, str]
    items: Mapping[UUID, Sequence[RequestRow]]
    edges: Mapping[UUID, Sequence[RequestRow]]

    @property
    def offering_versions(self) -> set[UUID]:
        return {item.offering_version_id for items in self.items.values() for item in items}


def requests_for(
    session: Session,
    actor: Actor,
    enterprise_id: UUID,
    *,
    status: TicketStatus | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Requests:
    """The tickets that the enterprise sees, the newest first, from before that moment and id.

    At most `limit` + 1 of them. Four statements, one where there is none.
    """
    asked = {**asking(actor), "enterprise": enterprise_id, "limit": limit + 1, "status": status}
    if before is not None:
        asked |= {"filed_at": before[0], "id": before[1]}
    listing = _LISTING[status is not None, before is not None]
    return _whole(session, actor, listing.by(actor).all(session, **asked))


def _listing(*, status: bool, before: bool) -> Seen[Prepared[Any]]:
    """The statement for all lists that are narrowed by the same things."""

    def made(who: Anyone) -> Prepared[Any]:
        query = (
            select(*_REQUEST)
            .where(_theirs(who))
            .order_by(Ticket.filed_at.desc(), Ticket.id.desc())
            .limit(bindparam("limit", type_=Integer()))
        )
        if status:
            query = query.where(Ticket.status == bindparam("status"))
        if before:
            filed = bindparam("filed_at", type_=DateTime(timezone=True))
            place = tuple_(filed, bindparam("id", type_=Uuid()))
            query = query.where(tuple_(Ticket.filed_at, Ticket.id) < place)
        return prepared(query)

    return Seen(made)


def _theirs(who: Anyone) -> ColumnElement[bool]:
    return visible(who, Ticket, enterprise=bindparam("enterprise", type_=Uuid()))


_LISTING: Final = {
    (status, before): _listing(status=status, before=before)
    for status in (False, True)
    for before in (False, True)
}
_ONE: Final = Seen(
    lambda who: prepared(select(*_REQUEST).where(_theirs(who), Ticket.id == bindparam("ticket")))
)


def request_for(session: Session, actor: Actor, enterprise_id: UUID, ticket_id: UUID) -> Requests:
    """One of the tickets that the enterprise sees; raises `NotFound`. Four statements."""
    rows = _ONE.by(actor).all(session, **asking(actor), enterprise=enterprise_id, ticket=ticket_id)
    if not rows:
        raise NotFound
    return _whole(session, actor, rows)


def _whole(session: Session, actor: Actor, rows: Sequence[RequestRow]) -> Requests:
    if not rows:
        return Requests(rows, {}, {}, {})
    tickets = [row.id for row in rows]
    items = _ITEMS.all(session, district=actor.district, tickets=tickets)
    edges = _EDGES.all(session, district=actor.district, tickets=tickets)
    return Requests(
        rows, _names(session, rows), _grouped(items, "ticket_id"), _grouped(edges, "item_id")
    )


_TICKETS: Final = any_(bindparam("tickets", type_=ARRAY(Uuid())))
_ITEMS: Final = prepared(
    select(*_ITEM)
    .where(Item.district_id == bindparam("district"), Item.ticket_id == _TICKETS)
    .order_by(Item.ticket_id, Item.ordinal)
)
_EDGES: Final = prepared(
    select(*_EDGE)
    .where(
        Edge.district_id == bindparam("district"),
        Edge.ticket_id == _TICKETS,
        Edge.status.in_(UNSETTLED),
    )
    .order_by(Edge.id)
)


def _names(session: Session, rows: Sequence[RequestRow]) -> dict[UUID, str]:
    """One statement for the keys; one more where tickets are of before the name was kept."""
    load_keys(session, (row.filed_applicant for row in rows))
    names = {}
    for row in rows:
        kept = opened_json(session, Ticket.filed_applicant, row, otherwise=None)
        names[row.id] = masked_name((kept or {}).get("name") or "")
    before = {row.id: row.person_id for row in rows if row.filed_applicant is None}
    found = masked_names(session, set(before.values()))
    return names | {ticket: found.get(person, "") for ticket, person in before.items()}


def _grouped(rows: Iterable[RequestRow], by: str) -> dict[UUID, list[RequestRow]]:
    groups: dict[UUID, list[RequestRow]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, by)].append(row)
    return groups


@dataclass(frozen=True, slots=True)
class AwaitedView:
    """What the employee has to do, and by when."""

    what: Awaited
    by: date | None


@dataclass(frozen=True, slots=True)
class RequestItem:
    """An offering asked for, as far as an employer may know it; of a family's items, one."""

    offering: str
    title: Mapping[str, str]
    phase: Phase
    outcome: Outcome | None
    ended_at: datetime | None
    due_on: date
    light: Light | None
    waiting_for: Sequence[str]
    waiting_for_titles: Sequence[Mapping[str, str]]
    awaiting: Sequence[AwaitedView]


@dataclass(frozen=True, slots=True)
class RequestView:
    """An employee's ticket, as far as their employer may know it; `employee` is a masked name."""

    id: UUID
    number: str
    employee: str
    status: TicketStatus
    filed_at: datetime
    ended_at: datetime | None
    due_on: date
    items: Sequence[RequestItem]


def request_view(
    found: Requests,
    row: RequestRow,
    definitions: Definitions,
    calendar: WorkingCalendar,
    at: datetime,
) -> RequestView:
    """A ticket as its applicant's employer sees it; no statement is sent here."""
    items = told_items(
        found.items.get(row.id, ()),
        about_family={one.code for one in definitions.values() if one.subject is not Subject.SELF},
    )
    titles = {one.code: one.title for one in definitions.values()}
    return RequestView(
        id=row.id,
        number=row.number,
        employee=found.names.get(row.id, ""),
        status=row.status,
        filed_at=row.filed_at,
        ended_at=row.ended_at,
        due_on=calendar.local_date(row.due_at),
        items=[
            _item(
                item,
                definitions[item.offering_version_id],
                found.edges.get(item.id, ()),
                titles,
                calendar,
                at,
            )
            for item in items
        ],
    )


def _item(
    item: RequestRow,
    definition: OfferingDefinition,
    edges: Sequence[RequestRow],
    titles: Mapping[str, Mapping[str, str]],
    calendar: WorkingCalendar,
    at: datetime,
) -> RequestItem:
    """Of what is private, how it stands and when it is due; of the rest, what it waits for too."""
    shown = [] if definition.private else edges
    return RequestItem(
        offering=item.offering_code,
        title=definition.title,
        phase=item.phase,
        outcome=item.outcome,
        ended_at=item.ended_at,
        due_on=calendar.local_date(item.due_at),
        light=item_light(
            at,
            warn_at=item.warn_at,
            due_at=item.due_at,
            decided_at=item.decided_at,
            hold_until=item.hold_until,
        ),
        waiting_for=[edge.predecessor for edge in shown],
        waiting_for_titles=[
            titles.get(edge.predecessor, as_coded(edge.predecessor)) for edge in shown
        ],
        awaiting=[] if definition.private else list(_awaited(item, edges, calendar)),
    )


def _awaited(
    item: RequestRow, edges: Sequence[RequestRow], calendar: WorkingCalendar
) -> Iterator[AwaitedView]:
    """What the employee has to do, and by when."""
    waits: list[tuple[Awaited, datetime | None]] = [
        (Awaited.CHOICE, edge.next_at) for edge in edges if edge.status is EdgeStatus.ASKED
    ]
    if item.hold is Hold.CORRECTION:
        waits.append((Awaited.CORRECTION, item.hold_until))
    for what, by in waits:
        yield AwaitedView(what, None if by is None else calendar.local_date(by))
