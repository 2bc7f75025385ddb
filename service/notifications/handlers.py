"""What the worker calls when something happened that people are told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from service.kernel.db import insert_new_rows
from service.kernel.events import Event
from service.kernel.ids import new_id
from service.notifications.models import Notice
from service.tickets.queries.rows import recipients_of

_PASSED_ON: Final = ("bundle", "offering", "outcome")


def tell_applicant(session: Session, event: Event) -> None:
    """`tell_applicants` of one event."""
    tell_applicants(session, [event])


def tell_applicants(session: Session, events: Sequence[Event]) -> None:
    """Leave the account that filed an event's ticket one notice of it, however often it is called.

    Runs in the transaction in which the events are marked as handled. An event that is not public,
    or whose ticket is gone, is told to nobody. Two statements, however many events; all of them are
    of one district.
    """
    public = [event for event in events if event.public]
    recipients = recipients_of(session, public)
    rows = [
        {
            "district_id": event.district_id,
            "id": new_id(),
            "account_id": recipient.account_id,
            "event_id": event.id,
            "kind": event.kind,
            "ticket_id": event.ticket_id,
            "item_id": event.item_id,
            "params": _codes(event) | {"number": recipient.number},
            "at": event.at,
        }
        for event in public
        if (recipient := recipients.get(event.id)) is not None
    ]
    insert_new_rows(session, Notice, rows)


def _codes(event: Event) -> dict[str, str]:
    return {name: event.data[name] for name in _PASSED_ON if name in event.data}
