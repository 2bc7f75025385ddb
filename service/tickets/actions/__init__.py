"""What can be done with tickets: one public function per use case."""

from service.tickets.actions.claim import claim_task, release_task
from service.tickets.actions.decide import decide_task
from service.tickets.actions.deem import SILENCE_BATCH, deem_accepted, silent_acceptances
from service.tickets.actions.file import file_ticket

__all__ = [
    "SILENCE_BATCH",
    "claim_task",
    "decide_task",
    "deem_accepted",
    "file_ticket",
    "release_task",
    "silent_acceptances",
]
