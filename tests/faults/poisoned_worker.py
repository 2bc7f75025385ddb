"""The worker, with three subscribers more: one counts events, in batches; two fail with every one.

`python -m tests.faults.poisoned_worker` works until it is stopped, or killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from service import runtime, worker
from service.kernel import audit, clock, logs
from service.kernel.actor import system
from service.kernel.events import Event
from service.kernel.settings import load
from service.kernel.subscriptions import Inside
from service.subscribers import SUBSCRIPTIONS
from service.tickets.rules.states import TicketEvent

COUNTED: Final = "event.counted"
_KINDS: Final = frozenset({TicketEvent.TICKET_FILED})


def _fail(_session: Session, _event: Event) -> None:
    raise ZeroDivisionError


def _count(session: Session, event: Event) -> None:
    _count_all(session, [event])


def _count_all(session: Session, events: Sequence[Event]) -> None:
    """Rows that nothing but the marks of the events keeps from being written twice."""
    for event in events:
        actor = system(event.district_id)
        audit.record(session, COUNTED, actor=actor, at=clock.now(), subject=event.id)


def _fail_with_all(session: Session, events: Sequence[Event]) -> None:
    """After they have had their effect, which goes with the transaction."""
    _count_all(session, events)
    raise ZeroDivisionError


POISONED: Final = (
    *SUBSCRIPTIONS,
    Inside(name="always_fails", kinds=_KINDS, handler=_fail, tries=2),
    Inside(name="fails_in_batches", kinds=_KINDS, handler=_fail, together=_fail_with_all, tries=2),
    Inside(name="counts", kinds=_KINDS, handler=_count, together=_count_all),
)


if __name__ == "__main__":
    logs.configure()
    runtime.SUBSCRIPTIONS = POISONED
    worker.run(load())
