"""Tickets and events as the handler meets them, without the forms and flows behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from service.catalogue.models import BundleVersion, OfferingVersion
from service.kernel.actor import ActorKind
from service.kernel.db import insert_rows
from service.kernel.events import Event
from service.kernel.ids import new_id
from service.routing import Phase
from service.tickets.models import Item, Ticket
from service.tickets.rules import DueBasis, Happening, TicketStatus

DISTRICT = "demo"
AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
_DUE = {
    "due_at": AT + timedelta(days=30),
    "due_basis": DueBasis.PROJECTED,
    "provisional": False,
}


def file_for(session, account: UUID) -> tuple[UUID, UUID, str]:
    """A ticket of this account with one item: both ids, and the ticket's number."""
    ticket, item, number = new_id(), new_id(), f"LB{new_id().hex}"
    shared = {"district_id": DISTRICT, "person_id": new_id(), **_DUE}
    row = {
        "id": ticket,
        "number": number,
        "version": 1,
        "bundle_code": "arrival",
        "bundle_version_id": session.scalars(select(BundleVersion.id).limit(1)).one(),
        "account_id": account,
        "status": TicketStatus.IN_PROGRESS,
        "filed_at": AT,
        "last_seq": 0,
        "filing_key": number,
        "filing_digest": b"",
    }
    insert_rows(session, Ticket, [shared | row])
    row = {
        "id": item,
        "ticket_id": ticket,
        "number": f"{number}-01",
        "ordinal": 1,
        "version": 1,
        "offering_code": "settlement",
        "offering_version_id": session.scalars(select(OfferingVersion.id).limit(1)).one(),
        "subject_id": None,
        "phase": Phase.ACCEPTANCE,
        "outcome": None,
        "received_at": AT,
        "warn_at": AT,
    }
    insert_rows(session, Item, [shared | row])
    return ticket, item, number


def happened(
    kind: Happening, ticket: UUID, item: UUID | None = None, *, public: bool = True, **data: object
) -> Event:
    """An event as the worker hands it over."""
    return Event(
        district_id=DISTRICT,
        id=new_id(),
        kind=kind.value,
        ticket_id=ticket,
        seq=1,
        item_id=item,
        actor_kind=ActorKind.STAFF,
        actor_id=new_id(),
        public=public,
        data=data,
        at=AT,
    )
