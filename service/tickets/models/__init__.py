"""The tables of tickets. The row says what is; history stands beside it, in the events."""

from service.tickets.models.filed import (
    TICKET_NUMBERS,
    Draft,
    Ticket,
    TicketMaterial,
    TicketSection,
)
from service.tickets.models.items import Correction, DueChange, Edge, Item, ReliedFact
from service.tickets.models.stages import ItemStage, Task

__all__ = [
    "TICKET_NUMBERS",
    "Correction",
    "Draft",
    "DueChange",
    "Edge",
    "Item",
    "ItemStage",
    "ReliedFact",
    "Task",
    "Ticket",
    "TicketMaterial",
    "TicketSection",
]
