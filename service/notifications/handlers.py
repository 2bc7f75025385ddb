"""What the worker calls when something happened that people are told of."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.kernel.events import Event
from service.kernel.ids import new_id
from service.notifications.models import Notice
from service.tickets.queries.rows import recipient_of

_PASSED_ON: Final = ("bundle", "offering", "outcome")


def tell_applicant(session: Session, event: Event) -> None:
    """Leave the account that filed the event's ticket one notice of it, however often it is called.

    Runs in the transaction in which the event is marked as handled. An event that is not public,
    or whose ticket is gone, is told to nobody. Two statements.
    """
    if not event.public:
        return
    recipient = recipient_of(session, event)
    if recipient is None:
        return
    codes = {name: event.data[name] for name in _PASSED_ON if name in event.data}
    session.execute(
        insert(Notice)
        .values(
            district_id=event.district_id,
            id=new_id(),
            account_id=recipient.account_id,
            event_id=event.id,
            kind=event.kind,
            ticket_id=event.ticket_id,
            item_id=event.item_id,
            params={**codes, "number": recipient.number},
            at=event.at,
        )
        .on_conflict_do_nothing(index_elements=["district_id", "account_id", "event_id"])
    )
