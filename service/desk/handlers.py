"""What the worker calls when somebody's posts have changed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.desk.actions.give_back import claims_left, give_back_claims
from service.identity.staff.vocabulary import PostsEnded
from service.kernel import clock
from service.kernel.actor import system
from service.kernel.events import Event, payload_of


def give_back(session: Session, event: Event) -> None:
    """Put what somebody has claimed in a post that has ended back into the pool.

    Tickets are locked in the order of their ids. At most a batch: the timer finds what is left.
    """
    actor, at = system(event.district_id), clock.now()
    account = payload_of(event, PostsEnded).account
    found = claims_left(session, actor, at=at, account=account)
    for ticket_id in sorted({row.ticket_id for row in found}):
        give_back_claims(session, actor, ticket_id=ticket_id, at=at)
