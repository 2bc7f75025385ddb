"""The worker, with two subscribers more: one that fails with every event, one that counts them.

`python -m tests.faults.poisoned_worker` works until it is stopped, or killed.
"""

from __future__ import annotations

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
    """A row that nothing but the mark of the event keeps from being written twice."""
    actor = system(event.district_id)
    audit.record(session, COUNTED, actor=actor, at=clock.now(), subject=event.id)


POISONED: Final = (
    *SUBSCRIPTIONS,
    Inside(name="always_fails", kinds=_KINDS, handler=_fail, tries=2),
    Inside(name="counts", kinds=_KINDS, handler=_count),
)


if __name__ == "__main__":
    logs.configure()
    runtime.SUBSCRIPTIONS = POISONED
    worker.run(load())
