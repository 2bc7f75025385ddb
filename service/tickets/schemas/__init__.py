"""What goes over the wire about tickets, items and tasks."""

from service.tickets.schemas.desk import (
    ApplicantOut,
    DecidedOut,
    DecisionIn,
    SeenFactOut,
    TaskDetailOut,
    TaskOut,
    TaskPageOut,
    TaskQuery,
)
from service.tickets.schemas.talent import (
    ChoiceIn,
    EdgeOut,
    FilingIn,
    HappeningOut,
    ItemOut,
    PageIn,
    StageOut,
    TicketOut,
    TicketPageOut,
    TicketSummaryOut,
    TimelineOut,
    WishIn,
)

__all__ = [
    "ApplicantOut",
    "ChoiceIn",
    "DecidedOut",
    "DecisionIn",
    "EdgeOut",
    "FilingIn",
    "HappeningOut",
    "ItemOut",
    "PageIn",
    "SeenFactOut",
    "StageOut",
    "TaskDetailOut",
    "TaskOut",
    "TaskPageOut",
    "TaskQuery",
    "TicketOut",
    "TicketPageOut",
    "TicketSummaryOut",
    "TimelineOut",
    "WishIn",
]
