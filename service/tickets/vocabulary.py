"""The kinds of events that tickets emit: one table, with what is stored of each.

Payloads hold ids and codes alone. What is counted over time (how long a stage was open, who had
how much to do, what moved a due date) is computed from these events and nothing else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from service.kernel.vocabulary import UNSET, Kind, Nothing, Payload, Unset, register
from service.routing.bundle import EdgeStatus
from service.routing.flow import StageKind, Verdict
from service.routing.states import Outcome, Phase
from service.tickets.rules.states import TicketEvent

_ENCODED = dict[str, Any]


class TicketFiled(Payload, frozen=True, kw_only=True):
    """Which bundle was filed."""

    bundle: str


class ItemMoved(Payload, frozen=True, kw_only=True):
    """What happened to an item, so that it can be replayed.

    `event` and `context` are as `routing.encode_event` and `encode_context` write them: what
    happened, and what the engine had to look up then. `from` and `to` are the item's phases.
    """

    offering: str
    event: _ENCODED
    context: _ENCODED
    from_: Phase = msgspec.field(name="from")
    to: Phase


class StageMoved(ItemMoved, frozen=True, kw_only=True):
    """An `ItemMoved` by the task of a stage: by its department's verdict, or by time."""

    stage: str
    department: str


class VoteTold(Payload, frozen=True, kw_only=True):
    """What a department had said of a stage of several, which is over."""

    offering: str
    stage: str
    department: str
    verdict: Verdict


class ItemRejected(Payload, frozen=True, kw_only=True):
    """A rejection: a `StageMoved` where one department's verdict rejects the item.

    Where several reviews together do, it follows another event, and holds the offering alone;
    where a check does, its stage, too.
    """

    offering: str
    event: _ENCODED | Unset = UNSET
    context: _ENCODED | Unset = UNSET
    from_: Phase | Unset = msgspec.field(name="from", default=UNSET)
    to: Phase | Unset = UNSET
    stage: str | Unset = UNSET
    department: str | Unset = UNSET


class ItemEnded(Payload, frozen=True, kw_only=True):
    """What an item came to."""

    offering: str
    outcome: Outcome


class CorrectionDropped(Payload, frozen=True, kw_only=True):
    """What was asked to be corrected is asked no longer."""

    offering: str


class SectionCorrected(Payload, frozen=True, kw_only=True):
    """Sections shared with another item were corrected there."""

    offering: str
    shared: tuple[str, ...]


class EdgeMoved(Payload, frozen=True, kw_only=True):
    """What an item waits for was settled, or its applicant is asked."""

    offering: str
    predecessor: str
    edge: UUID
    status: EdgeStatus


class ChoiceMade(Payload, frozen=True, kw_only=True):
    """What the applicant chose: to go on without, or to close."""

    offering: str
    proceed: bool


class StageOpened(Payload, frozen=True, kw_only=True):
    """A stage began, for posts of that role."""

    offering: str
    stage: str
    round: int
    role: str


class StageClosed(Payload, frozen=True, kw_only=True):
    """A stage is over; without a verdict it was skipped, or something else made it needless."""

    offering: str
    stage: str
    round: int
    verdict: Verdict | None = None


class TaskOpened(Payload, frozen=True, kw_only=True):
    """A department has something to do; `due_at` is UTC."""

    offering: str
    stage: str
    round: int
    role: str
    department: str
    kind: StageKind
    due_at: datetime


class TaskClosed(Payload, frozen=True, kw_only=True):
    """A department has given its verdict on a task, or time has (`deemed`)."""

    offering: str
    stage: str
    department: str
    verdict: Verdict
    deemed: bool


class TaskCancelled(Payload, frozen=True, kw_only=True):
    """A task is needless: something else has settled its stage or ended its item."""

    offering: str
    stage: str
    round: int
    department: str


class TaskHeld(Payload, frozen=True, kw_only=True):
    """A task was claimed, released or assigned; `account` is whom it was assigned to."""

    department: str
    account: UUID | Unset = UNSET


class DueMoved(Payload, frozen=True, kw_only=True):
    """The due date of a task, an item, or the ticket as a whole, moved; both are UTC."""

    cause: str
    before: datetime
    after: datetime


class CalendarFollowed(Payload, frozen=True, kw_only=True):
    """What is open of a ticket is due by this version of the district's calendar from now on."""

    calendar: UUID


def _public(kind: TicketEvent, payload: type[Payload]) -> Kind:
    return Kind(kind.value, payload, text=f"timeline_{kind.value}")


def _internal(kind: TicketEvent, payload: type[Payload]) -> Kind:
    return Kind(kind.value, payload)


KINDS: Final = (
    _public(TicketEvent.TICKET_FILED, TicketFiled),
    _public(TicketEvent.TICKET_COMPLETED, Nothing),
    _public(TicketEvent.TICKET_CLOSED, Nothing),
    _public(TicketEvent.TICKET_WITHDRAWN, Nothing),
    _public(TicketEvent.ITEM_FILED, ItemMoved),
    _public(TicketEvent.ITEM_WAITING, ItemMoved),
    _public(TicketEvent.ITEM_BEGUN, ItemMoved),
    _public(TicketEvent.ITEM_FREED, ItemMoved),
    _public(TicketEvent.ITEM_CANCELLED, ItemMoved),
    _public(TicketEvent.ITEM_CORRECTED, ItemMoved),
    _public(TicketEvent.ITEM_WITHDRAWN, ItemMoved),
    _public(TicketEvent.ITEM_ACCEPTED, StageMoved),
    _public(TicketEvent.ITEM_DEEMED_ACCEPTED, StageMoved),
    _public(TicketEvent.ITEM_NOT_ACCEPTED, StageMoved),
    _public(TicketEvent.ITEM_APPROVED, StageMoved),
    _public(TicketEvent.ITEM_RETURNED, StageMoved),
    _public(TicketEvent.STAGE_PASSED, StageMoved),
    _public(TicketEvent.STAGE_REJECTED, StageMoved),
    _public(TicketEvent.STAGE_DELIVERED, StageMoved),
    _public(TicketEvent.NOTICE_ENDED, StageMoved),
    _internal(TicketEvent.VOTE_GIVEN, StageMoved),
    _public(TicketEvent.VOTE_TOLD, VoteTold),
    _public(TicketEvent.ITEM_REJECTED, ItemRejected),
    _public(TicketEvent.ITEM_ENDED, ItemEnded),
    _public(TicketEvent.SECTION_CORRECTED, SectionCorrected),
    _public(TicketEvent.CORRECTION_DROPPED, CorrectionDropped),
    _public(TicketEvent.EDGE_SETTLED, EdgeMoved),
    _public(TicketEvent.CHOICE_ASKED, EdgeMoved),
    _public(TicketEvent.CHOICE_MADE, ChoiceMade),
    _internal(TicketEvent.TASK_CLAIMED, TaskHeld),
    _internal(TicketEvent.TASK_RELEASED, TaskHeld),
    _internal(TicketEvent.TASK_ASSIGNED, TaskHeld),
    _internal(TicketEvent.STAGE_OPENED, StageOpened),
    _internal(TicketEvent.STAGE_CLOSED, StageClosed),
    _internal(TicketEvent.TASK_OPENED, TaskOpened),
    _internal(TicketEvent.TASK_CLOSED, TaskClosed),
    _internal(TicketEvent.TASK_CANCELLED, TaskCancelled),
    _internal(TicketEvent.DUE_MOVED, DueMoved),
    _internal(TicketEvent.CALENDAR_FOLLOWED, CalendarFollowed),
)
"""Every kind; the public ones have their words in a timeline under `timeline_<kind>`."""

register(KINDS)
