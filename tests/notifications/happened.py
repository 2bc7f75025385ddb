"""Events of a filed ticket, as the worker hands them over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from service.kernel.actor import ActorKind
from service.kernel.events import Event
from service.kernel.ids import new_id
from service.tickets.rules.states import TicketEvent

DISTRICT = "demo"
AT = datetime(2026, 3, 2, 2, tzinfo=UTC)


def happened(
    kind: TicketEvent, ticket: dict[str, Any], *, public: bool = True, **data: Any
) -> Event:
    """That something happened to a ticket or, by the kind's name, to its first item."""
    about_item = kind.value.startswith(("item", "choice"))
    return Event(
        district_id=DISTRICT,
        id=new_id(),
        kind=kind.value,
        ticket_id=UUID(ticket["id"]),
        seq=100,
        item_id=UUID(ticket["items"][0]["id"]) if about_item else None,
        actor_kind=ActorKind.STAFF,
        actor_id=new_id(),
        public=public,
        data=data,
        at=AT,
    )
