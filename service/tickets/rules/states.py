"""What is decided about tickets, items and tasks: values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from stdnum.iso7064 import mod_37_36

from service.kernel.errors import Conflict
from service.routing.flow import StageKind, Verdict
from service.routing.states import Outcome, Phase

MOST_ITEMS: Final = 10


class Tagged(StrEnum):
    """The kinds of objects that an ETag names."""

    TICKET = "ticket"
    DRAFT = "draft"
    ITEM = "item"
    TASK = "task"


class TicketStatus(StrEnum):
    """Derived from the items and kept for queries; a draft is no ticket yet."""

    DRAFT = "draft"
    IN_PROGRESS = "in_progress"
    AWAITING_APPLICANT = "awaiting_applicant"  # an item waits for a correction or a choice
    COMPLETED = "completed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class TaskStatus(StrEnum):
    """Where a task stands; cancelled: something else ended its item."""

    OPEN = "open"
    CLAIMED = "claimed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class TaskAct(StrEnum):
    """What a clerk can do to a task."""

    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    DECIDE = "decide"


class NextStep(StrEnum):
    """What an item waits for its applicant to do."""

    CORRECT = "correct"
    CHOOSE = "choose"


class Choice(StrEnum):
    """What an applicant answers where an item cannot have what it waited for."""

    PROCEED = "proceed"
    CLOSE = "close"


class Dropped(StrEnum):
    """Why what was to be corrected is not asked any more."""

    SENT_BACK = "sent_back"  # the flow has gone back before the stage that asked
    ENDED = "ended"  # the item has


class Reliance(StrEnum):
    """What a fact was relied on for."""

    CRITERION = "criterion"
    EDGE = "edge"
    FLOW = "flow"


class Light(StrEnum):
    """红黄灯: yellow is soon due, red is overdue."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class TicketEvent(StrEnum):
    """The kinds of events that tickets emit."""

    TICKET_FILED = "ticket_filed"
    TICKET_COMPLETED = "ticket_completed"
    TICKET_CLOSED = "ticket_closed"
    TICKET_WITHDRAWN = "ticket_withdrawn"
    ITEM_FILED = "item_filed"
    ITEM_ACCEPTED = "item_accepted"
    ITEM_DEEMED_ACCEPTED = "item_deemed_accepted"
    ITEM_NOT_ACCEPTED = "item_not_accepted"
    ITEM_APPROVED = "item_approved"
    ITEM_REJECTED = "item_rejected"
    ITEM_ENDED = "item_ended"
    ITEM_WAITING = "item_waiting"
    ITEM_BEGUN = "item_begun"
    ITEM_FREED = "item_freed"
    ITEM_CANCELLED = "item_cancelled"
    ITEM_RETURNED = "item_returned"
    ITEM_CORRECTED = "item_corrected"
    ITEM_WITHDRAWN = "item_withdrawn"
    SECTION_CORRECTED = "section_corrected"
    CORRECTION_DROPPED = "correction_dropped"
    EDGE_SETTLED = "edge_settled"
    CHOICE_ASKED = "choice_asked"
    CHOICE_MADE = "choice_made"
    STAGE_PASSED = "stage_passed"
    STAGE_REJECTED = "stage_rejected"
    STAGE_DELIVERED = "stage_delivered"
    NOTICE_ENDED = "notice_ended"
    VOTE_GIVEN = "vote_given"
    VOTE_TOLD = "vote_told"
    STAGE_OPENED = "stage_opened"
    STAGE_CLOSED = "stage_closed"
    TASK_OPENED = "task_opened"
    TASK_CLOSED = "task_closed"
    TASK_CANCELLED = "task_cancelled"
    DUE_MOVED = "due_moved"
    CALENDAR_FOLLOWED = "calendar_followed"
    TASK_CLAIMED = "task_claimed"
    TASK_RELEASED = "task_released"
    TASK_ASSIGNED = "task_assigned"


_KIND_OF_VERDICT: Final[Mapping[Verdict, TicketEvent]] = {
    Verdict.ACCEPT: TicketEvent.ITEM_ACCEPTED,
    Verdict.NOT_ACCEPT: TicketEvent.ITEM_NOT_ACCEPTED,
    Verdict.PASS: TicketEvent.STAGE_PASSED,
    Verdict.APPROVE: TicketEvent.ITEM_APPROVED,
    Verdict.REJECT: TicketEvent.ITEM_REJECTED,
    Verdict.RETURN: TicketEvent.ITEM_RETURNED,
}


UNDECIDED: Final = frozenset({Phase.WAITING, Phase.ACCEPTANCE, Phase.PROCESSING})
"""The phases in which an item has no outcome yet: it can be withdrawn, and its edges count."""

RUNNING: Final = (TicketStatus.IN_PROGRESS, TicketStatus.AWAITING_APPLICANT)
"""The states of tickets that have not ended."""

ACTIVE: Final = (TaskStatus.OPEN, TaskStatus.CLAIMED)


def ticket_status(
    items: Iterable[tuple[Phase, Outcome | None]], *, awaits_applicant: bool
) -> TicketStatus:
    """The status that follows from the items.

    Completed needs one approval at least; withdrawn is what the applicant has ended, with all that
    came of it. `awaits_applicant`: an item waits for their correction or choice.
    """
    listed = list(items)
    if any(phase is not Phase.ENDED for phase, _ in listed):
        waits = awaits_applicant
        return TicketStatus.AWAITING_APPLICANT if waits else TicketStatus.IN_PROGRESS
    outcomes = {outcome for _, outcome in listed}
    if Outcome.APPROVED in outcomes:
        return TicketStatus.COMPLETED
    if Outcome.WITHDRAWN in outcomes and outcomes <= {Outcome.WITHDRAWN, Outcome.CANCELLED}:
        return TicketStatus.WITHDRAWN
    return TicketStatus.CLOSED


# What an act makes of a task, by where it stands; what is not here is a conflict with that code.
_ACTS: Final[Mapping[tuple[TaskStatus, TaskAct], TaskStatus]] = {
    (TaskStatus.OPEN, TaskAct.CLAIM): TaskStatus.CLAIMED,
    (TaskStatus.CLAIMED, TaskAct.CLAIM): TaskStatus.CLAIMED,
    (TaskStatus.CLAIMED, TaskAct.RELEASE): TaskStatus.OPEN,
    (TaskStatus.CLAIMED, TaskAct.DECIDE): TaskStatus.CLOSED,
    (TaskStatus.OPEN, TaskAct.ASSIGN): TaskStatus.CLAIMED,
    (TaskStatus.CLAIMED, TaskAct.ASSIGN): TaskStatus.CLAIMED,
}


_CONFLICTS: Final[Mapping[tuple[TaskStatus, TaskAct], str]] = {
    (TaskStatus.OPEN, TaskAct.RELEASE): "task_not_claimed",
    (TaskStatus.OPEN, TaskAct.DECIDE): "task_not_claimed",
}


def acted(status: TaskStatus, act: TaskAct, *, mine: bool) -> TaskStatus:
    """The task's status after the act; `mine`: the actor holds the claim, should that be needed.

    Who claims what they hold already changes nothing.

    Raises `Conflict`: `task_closed`, `task_not_claimed`, `task_already_claimed`, `task_not_mine`.
    """
    after = _ACTS.get((status, act))
    if after is None:
        raise Conflict(_CONFLICTS.get((status, act), "task_closed"))
    if status is TaskStatus.CLAIMED and act is not TaskAct.ASSIGN and not mine:
        taken = act is TaskAct.CLAIM
        raise Conflict("task_already_claimed" if taken else "task_not_mine")
    return after


def decided_kind(kind: StageKind, verdict: Verdict) -> TicketEvent:
    """What a verdict on a stage of this kind is called in a ticket's timeline.

    A rejection by one stage is not yet that of the item: the flow may go back, or others decide.
    """
    if kind is StageKind.FULFILMENT:
        return TicketEvent.STAGE_DELIVERED
    if verdict is Verdict.REJECT and kind is not StageKind.DECISION:
        return TicketEvent.STAGE_REJECTED
    return _KIND_OF_VERDICT[verdict]


def accepted_from(
    verdict: Verdict, *, received_at: datetime, due_at: datetime, at: datetime
) -> datetime:
    """From when an acceptance counts: from now, or from receipt once its time passed in silence.

    By then the item counts as accepted (行政许可法 art. 32): raises `Conflict` for a refusal, and
    for a return.
    """
    if at <= due_at:
        return at
    if verdict is not Verdict.ACCEPT:
        raise Conflict("acceptance_deemed")
    return received_at


def cut_short(kind: StageKind, verdict: Verdict, *, due_at: datetime, at: datetime) -> bool:
    """Whether a verdict would end a notice period before its time: nobody may pass it early."""
    return kind is StageKind.PUBLICITY and verdict is Verdict.PASS and at < due_at


def light(at: datetime, *, warn_at: datetime, due_at: datetime) -> Light:
    """The light of something that still runs."""
    if at > due_at:
        return Light.RED
    return Light.YELLOW if at >= warn_at else Light.GREEN


def item_light(
    at: datetime,
    *,
    warn_at: datetime,
    due_at: datetime,
    decided_at: datetime | None,
    hold_until: datetime | None,
) -> Light | None:
    """The light of an item, whoever looks; none once it is decided.

    As long as it waits for its applicant, and they are in time, nobody is late: it is not red.
    """
    if decided_at is not None:
        return None
    lit = light(at, warn_at=warn_at, due_at=due_at)
    in_time = hold_until is not None and at <= hold_until
    return Light.YELLOW if in_time and lit is Light.RED else lit


def ticket_number(administrative_code: str, day: date, sequence: int) -> str:
    """`LB` + code + yyyymmdd + at least six digits + one check character (ISO 7064 MOD 37,36)."""
    body = f"LB{administrative_code}{day:%Y%m%d}{sequence:06d}"
    return body + mod_37_36.calc_check_digit(body)


def item_number(number: str, ordinal: int) -> str:
    """The number of a ticket's n-th item, from 1."""
    return f"{number}-{ordinal:02d}"
