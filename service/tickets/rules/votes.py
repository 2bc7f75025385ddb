"""The votes of a stage of several departments: internal until the stage ends, told when it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from service.routing.events import Event, ReturnsGathered, TaskDecided
from service.routing.flow import Flow, StageKind, Verdict
from service.routing.states import ItemState, StageState, StageStatus
from service.tickets.rules.states import TicketEvent


@dataclass(frozen=True, slots=True)
class Vote:
    """What one department has said of a stage."""

    department: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Voted:
    """What the event of a vote is called, whose it is, and the votes that are told with it."""

    stage: str
    round: int
    kind: TicketEvent
    department: str
    others: tuple[Vote, ...] = ()


TEXTS: Final = {
    Verdict.ACCEPT: TicketEvent.ITEM_ACCEPTED,
    Verdict.NOT_ACCEPT: TicketEvent.ITEM_NOT_ACCEPTED,
    Verdict.PASS: TicketEvent.STAGE_PASSED,
    Verdict.APPROVE: TicketEvent.STAGE_PASSED,
    Verdict.REJECT: TicketEvent.STAGE_REJECTED,
    Verdict.RETURN: TicketEvent.ITEM_RETURNED,
}
"""The kind of event in whose words a vote is told."""


def voted(kind: TicketEvent, flow: Flow, after: ItemState, event: Event) -> Voted | None:
    """What became of a vote; None where an event is none, or the stage has one department.

    While others still have to speak it is internal. As the stage ends the applicant is told what
    each has said: the event itself is that of the department whose verdict the stage came to. What
    is delivered is no vote.
    """
    if not isinstance(event, TaskDecided | ReturnsGathered):
        return None
    stage = next(one for one in after.stages if (one.key, one.round) == (event.stage, event.round))
    if len(stage.parts) == 1 or flow.by_key[stage.key].kind is StageKind.FULFILMENT:
        return None
    votes = [Vote(part.department, part.verdict) for part in stage.parts if part.verdict]
    last = event.department if isinstance(event, TaskDecided) else ""
    if stage.status is StageStatus.OPEN:
        return Voted(stage.key, stage.round, TicketEvent.VOTE_GIVEN, last)
    if stage.verdict is Verdict.RETURN:
        kind, last = TicketEvent.ITEM_RETURNED, _who_returned(stage, votes, last)
    others = tuple(vote for vote in votes if vote.department != last)
    return Voted(stage.key, stage.round, kind, last, others)


def _who_returned(stage: StageState, votes: Iterable[Vote], last: str) -> str:
    """Who has spoken last where they have returned the stage, else the first who has."""
    returned = [vote.department for vote in votes if vote.verdict is stage.verdict]
    return last if last in returned else returned[0]
