"""What can be done with tickets: one public function per use case."""

from service.tickets.actions.choose import choose_item
from service.tickets.actions.claim import claim_task, release_task
from service.tickets.actions.decide import decide_task
from service.tickets.actions.file import file_ticket
from service.tickets.actions.timers import BATCH, TIMERS, Timer

__all__ = [
    "BATCH",
    "TIMERS",
    "Timer",
    "choose_item",
    "claim_task",
    "decide_task",
    "file_ticket",
    "release_task",
]
