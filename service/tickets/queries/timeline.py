"""What happened to a ticket, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from service.catalogue.queries.definitions import offering_definition
from service.catalogue.rules.definitions import OfferingDefinition
from service.identity.staff.queries import department_names
from service.kernel import messages
from service.kernel.actor import Actor, ActorKind
from service.kernel.db import prepared
from service.kernel.events import Event
from service.kernel.views import Listing
from service.routing.flow import Verdict
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.queries.reasons import reason_of, reasoned_tasks
from service.tickets.rules.reasons import ToldReason, told_of_check
from service.tickets.rules.states import TicketEvent
from service.tickets.rules.votes import TEXTS


def offering_versions_of(session: Session, actor: Actor, ticket_id: UUID) -> dict[str, UUID]:
    """By offering, the version under which a ticket's items were filed."""
    rows = _VERSIONS.all(session, district=actor.district, ticket=ticket_id)
    return {row.offering_code: row.offering_version_id for row in rows}


_VERSIONS: Final = prepared(
    select(Item.offering_code, Item.offering_version_id).where(
        Item.district_id == bindparam("district"), Item.ticket_id == bindparam("ticket")
    )
)


Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of a timeline: an event of a ticket, in both languages."""

    seq: int | None
    at: datetime
    kind: str
    item: UUID | None
    text: Texts
    reason: ToldReason | None


def _line(
    event: Event,
    definitions: Mapping[str, OfferingDefinition],
    departments: Mapping[str, Texts],
    reason: ToldReason | None,
) -> TimelineLine:
    titles = {code: definition.title for code, definition in definitions.items()}
    offering = titles.get(event.data.get("offering", ""), {})
    predecessor = titles.get(event.data.get("predecessor", ""), {})
    department = departments.get(event.data.get("department", ""), {})
    said = f"timeline_{event.kind}"
    if event.kind == TicketEvent.VOTE_TOLD:
        said = f"timeline_{TEXTS[Verdict(event.data['verdict'])]}"
    if event.kind == TicketEvent.TICKET_FILED and event.actor_kind is ActorKind.AGENT:
        said = "timeline_ticket_filed_by_agent"
    if event.kind == TicketEvent.ITEM_REJECTED and not department:
        # A check of the system, or reviews that could not be reached any more: no one department.
        said = "timeline_item_not_passed"
    return TimelineLine(
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        item=event.item_id,
        text={
            tongue: messages.say(
                said,
                tongue,
                {
                    "offering": offering.get(tongue, ""),
                    "predecessor": predecessor.get(tongue, ""),
                    "department": department.get(tongue, ""),
                },
            )
            for tongue in messages.LANGUAGES
        },
        reason=reason,
    )


def timeline_view(
    session: Session, actor: Actor, ticket_id: UUID, events: Sequence[Event], *, reasons: bool
) -> Listing[TimelineLine]:
    """What happened to a ticket, in words; two statements.

    With `reasons`, for the applicant, who is shown why something was refused or returned, one more
    where something was, and one for the key.
    """
    versions = offering_versions_of(session, actor, ticket_id)
    definitions = {
        code: offering_definition(session, actor.district, version)
        for code, version in versions.items()
    }
    names = department_names(session, actor)
    found = _reasons(session, actor, events, definitions) if reasons else {}
    return Listing([_line(event, definitions, names, found.get(event.id)) for event in events])


_WITH_REASON: Final = frozenset(
    {
        TicketEvent.ITEM_NOT_ACCEPTED,
        TicketEvent.ITEM_REJECTED,
        TicketEvent.ITEM_RETURNED,
        TicketEvent.STAGE_REJECTED,
        TicketEvent.VOTE_TOLD,
    }
)


def _reasons(
    session: Session,
    actor: Actor,
    events: Sequence[Event],
    definitions: Mapping[str, OfferingDefinition],
) -> dict[UUID, ToldReason]:
    """By event, why: the reason of the department whose verdict it tells, or of the check."""
    said = [event for event in events if event.kind in _WITH_REASON and "stage" in event.data]
    items = {one.item_id for one in said if one.item_id is not None and "department" in one.data}
    tasks = reasoned_tasks(session, actor.district, items)
    found = {}
    for event in said:
        definition = definitions[event.data["offering"]]
        if "department" in event.data:
            reason = reason_of(session, _closed_for(event, tasks), definition)
        else:
            reason = told_of_check(definition, definition.flow.by_key[event.data["stage"]])
        if reason is not None:
            found[event.id] = reason
    return found


def _closed_for(event: Event, tasks: Sequence[Task]) -> Task | None:
    """The task whose verdict an event tells: of several rounds, the last until then."""
    closed = [
        task
        for task in tasks
        if (task.item_id, task.stage_key, task.department)
        == (event.item_id, event.data["stage"], event.data["department"])
        and task.closed_at is not None
        and task.closed_at <= event.at
        and event.data.get("verdict", task.verdict) == task.verdict
    ]
    return closed[-1] if closed else None
