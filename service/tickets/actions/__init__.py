"""What can be done with tickets: one public function per use case."""

from service.tickets.actions.assign import assign_task
from service.tickets.actions.choose import choose_item
from service.tickets.actions.claim import claim_task, release_task
from service.tickets.actions.correct import correct_item
from service.tickets.actions.decide import decide_task
from service.tickets.actions.draft import change_draft, forget_draft, keep_draft
from service.tickets.actions.file import file_draft, file_ticket
from service.tickets.actions.take import take_next_task
from service.tickets.actions.timers import BATCH, TIMERS, Timer
from service.tickets.actions.withdraw import withdraw_item, withdraw_ticket

__all__ = [
    "BATCH",
    "TIMERS",
    "Timer",
    "assign_task",
    "change_draft",
    "choose_item",
    "claim_task",
    "correct_item",
    "decide_task",
    "file_draft",
    "file_ticket",
    "forget_draft",
    "keep_draft",
    "release_task",
    "take_next_task",
    "withdraw_item",
    "withdraw_ticket",
]
