"""Rows that hang on a ticket or an item and are written beside what changes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.facts.rules import KnownFact
from service.kernel.ids import new_id
from service.kernel.sealed import seal_json
from service.tickets.models.filed import Ticket, TicketSection
from service.tickets.models.items import Item
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import Reliance


def key_of(item: Item) -> dict[str, Any]:
    """What the rows that hang on an item take from it."""
    return {"district_id": item.district_id, "ticket_id": item.ticket_id, "id": item.id}


def due_change(
    of: Ticket | Item,
    before: datetime,
    after: datetime,
    basis: DueBasis,
    *,
    cause: str,
    event: UUID | None,
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


def relied(
    item: Mapping[str, Any], fact: KnownFact, reliance: Reliance, at: datetime
) -> dict[str, Any]:
    """The row that keeps that something about an item rested on a fact."""
    return {
        "district_id": item["district_id"],
        "id": new_id(),
        "item_id": item["id"],
        "fact_id": fact.id,
        "reliance": reliance,
        "at": at,
    }


def section_row(
    session: Session,
    ticket: Mapping[str, Any],
    item: UUID | None,
    code: str,
    answers: Any,
    *,
    revision: int = 1,
) -> dict[str, Any]:
    """The row of the answers to a section, sealed; those of no item are shared by the ticket.

    `ticket` holds district_id, id and person_id.
    """
    row_id = new_id()
    return {
        "district_id": ticket["district_id"],
        "id": row_id,
        "ticket_id": ticket["id"],
        "item_id": item,
        "section": code,
        "revision": revision,
        "content": seal_json(
            session, TicketSection.content, answers, row=row_id, of=ticket["person_id"]
        ),
    }


def material_row(
    ticket: Mapping[str, Any], item: UUID | None, attached: AttachedDocument, *, revision: int = 1
) -> dict[str, Any]:
    """The row of a document; `ticket` holds district_id and id. Those of no item are shared."""
    return {
        "district_id": ticket["district_id"],
        "id": new_id(),
        "ticket_id": ticket["id"],
        "item_id": item,
        "code": attached.code,
        "revision": revision,
        "material_id": attached.material,
    }
