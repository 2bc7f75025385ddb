"""The shapes in which tickets are told, out of their rows.

No statement is sent here, unless the key of the applicant is not at hand: then one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.drafts import content_of
from service.applicants.queries.tickets import TicketRows, recorded_results
from service.applicants.rules import Dependency, Standing, consequences
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import offering_definition
from service.catalogue.rules.definitions import OfferingDefinition
from service.kernel import messages
from service.kernel.actor import Actor
from service.kernel.etags import etag
from service.kernel.sealed import opened_json
from service.routing.bundle import UNSETTLED, EdgeStatus
from service.routing.flow import StageKind
from service.routing.states import Hold, StageStatus
from service.tickets.models.filed import Draft, Ticket, TicketMaterial
from service.tickets.models.items import Correction, DueChange, Edge, Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.corrections import correction_shape
from service.tickets.rules.states import NextStep, Tagged, TicketStatus, light

Definitions = Mapping[UUID, OfferingDefinition]


def ticket_shape(
    session: Session,
    rows: TicketRows,
    definitions: Definitions,
    recorded: Mapping[UUID, Sequence[Task]],
    at: datetime,
) -> dict[str, Any]:
    """A ticket, whole; `recorded` holds, by item, the tasks that recorded what came of it."""
    return {
        **ticket_summary(rows.ticket, rows.calendar),
        "items": [
            item_shape(
                session,
                rows,
                item,
                definitions[item.offering_version_id],
                recorded.get(item.id, ()),
                at,
            )
            for item in rows.items
        ],
        "edges": [_edge(edge) for edge in rows.edges],
        "next_steps": _next_steps(rows),
        "draft": None,
    }


def ticket_summary(ticket: Ticket, calendar: WorkingCalendar) -> dict[str, Any]:
    """A ticket in a list."""
    return {
        "id": ticket.id,
        "number": ticket.number,
        "version": ticket.version,
        "etag": etag(Tagged.TICKET, ticket.id, ticket.last_seq),
        "bundle": ticket.bundle_code,
        "status": ticket.status,
        "filed_at": ticket.filed_at,
        "due_on": calendar.local_date(ticket.due_at),
        "due_at": ticket.due_at,
        "due_basis": ticket.due_basis,
        "provisional": ticket.provisional,
    }


def draft_shape(session: Session, draft: Draft) -> dict[str, Any]:
    """A ticket that is not filed yet."""
    content = content_of(session, draft)
    return {
        **draft_summary(draft),
        "items": [],
        "edges": [],
        "next_steps": [],
        "draft": {**content, "updated_at": draft.updated_at},
    }


def draft_summary(draft: Draft) -> dict[str, Any]:
    """A draft in a list of tickets."""
    return {
        "id": draft.id,
        "number": None,
        "version": draft.version,
        "etag": etag(Tagged.DRAFT, draft.id, draft.version),
        "bundle": draft.bundle_code,
        "status": TicketStatus.DRAFT,
        "filed_at": None,
        "due_on": None,
        "due_at": None,
        "due_basis": None,
        "provisional": False,
    }


def _next_steps(rows: TicketRows) -> list[dict[str, Any]]:
    steps = [
        {"item": item.id, "kind": NextStep.CORRECT, "by": item.hold_until}
        for item in rows.items
        if item.hold is Hold.CORRECTION
    ]
    steps += [
        {"item": edge.item_id, "kind": NextStep.CHOOSE, "by": edge.next_at}
        for edge in rows.edges
        if edge.status is EdgeStatus.ASKED
    ]
    return sorted(steps, key=lambda step: step["by"])


def item_detail(
    session: Session,
    rows: TicketRows,
    item: Item,
    definition: OfferingDefinition,
    recorded: Sequence[Task],
    corrections: Sequence[Correction],
    answers: Mapping[str, Any],
    documents: Sequence[TicketMaterial],
    at: datetime,
) -> dict[str, Any]:
    """One item, with one's own answers as they stand and what was asked to be mended."""
    return {
        **item_shape(session, rows, item, definition, recorded, at),
        "ticket": item.ticket_id,
        "sections": answers,
        "materials": [{"code": one.code, "material": one.material_id} for one in documents],
        "corrections": [correction_shape(session, one) for one in corrections],
    }


def item_shape(
    session: Session,
    rows: TicketRows,
    item: Item,
    definition: OfferingDefinition,
    recorded: Sequence[Task],
    at: datetime,
) -> dict[str, Any]:
    """One item out of the rows of its ticket."""
    return _item(
        session,
        item,
        [stage for stage in rows.stages if stage.item_id == item.id],
        [edge for edge in rows.edges if edge.item_id == item.id],
        definition,
        rows.calendar,
        recorded,
        at,
    )


def _item(
    session: Session,
    item: Item,
    stages: Sequence[ItemStage],
    edges: Sequence[Edge],
    definition: OfferingDefinition,
    calendar: WorkingCalendar,
    recorded: Sequence[Task],
    at: datetime,
) -> dict[str, Any]:
    running = item.decided_at is None
    results = [_result(session, task) for task in recorded if task.kind is StageKind.DECISION]
    return {
        "id": item.id,
        "number": item.number,
        "version": item.version,
        "etag": etag(Tagged.ITEM, item.id, item.version),
        "offering": item.offering_code,
        "title": definition.title,
        "subject": item.subject_id,
        "phase": item.phase,
        "hold": item.hold,
        "hold_until": item.hold_until,
        "outcome": item.outcome,
        "due_on": calendar.local_date(item.due_at),
        "due_at": item.due_at,
        "due_basis": item.due_basis,
        "provisional": item.provisional,
        "light": light(at, warn_at=item.warn_at, due_at=item.due_at) if running else None,
        "result": results[0] if results else None,
        "deliveries": [
            _delivery(session, task, definition)
            for task in recorded
            if task.kind is StageKind.FULFILMENT
        ],
        "waiting_for": [edge.predecessor for edge in edges if edge.status in UNSETTLED],
        "stages": [_stage(stage, definition, at) for stage in stages],
    }


def _result(session: Session, task: Task) -> dict[str, Any] | None:
    result: dict[str, Any] | None = opened_json(session, Task.result, task, otherwise=None)
    return result


def _delivery(session: Session, task: Task, definition: OfferingDefinition) -> dict[str, Any]:
    return {
        "stage": task.stage_key,
        "title": definition.flow.by_key[task.stage_key].title,
        "department": task.department,
        "delivered_at": task.closed_at,
        "result": _result(session, task),
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "predecessor": edge.predecessor,
        "item": edge.item_id,
        "kind": edge.kind,
        "on": edge.on,
        "state": edge.status,
        "next_at": edge.next_at,
        "default": edge.default if edge.status is EdgeStatus.ASKED else None,
    }


def _stage(stage: ItemStage, definition: OfferingDefinition, at: datetime) -> dict[str, Any]:
    still_open = stage.status is StageStatus.OPEN
    return {
        "key": stage.key,
        "round": stage.round,
        "title": definition.flow.by_key[stage.key].title,
        "department": stage.departments[0] if stage.departments else None,
        "departments": stage.departments,
        "state": stage.status,
        "verdict": stage.verdict,
        "due_at": stage.due_at,
        "light": light(at, warn_at=stage.warn_at, due_at=stage.due_at) if still_open else None,
    }


def due_change_shape(change: DueChange) -> dict[str, Any]:
    """A due date that moved, with the reason in both languages."""
    return {
        "at": change.at,
        "before": change.before,
        "after": change.after,
        "basis": change.basis,
        "cause": change.cause,
        "text": {
            tongue: messages.say(f"due_{change.cause}", tongue) for tongue in messages.LANGUAGES
        },
    }


def ticket_view(session: Session, actor: Actor, rows: TicketRows, at: datetime) -> dict[str, Any]:
    """A ticket as its applicant sees it; one statement, none where nothing is decided."""
    versions = {item.offering_version_id for item in rows.items}
    return ticket_shape(
        session,
        rows,
        {version: offering_definition(session, actor.district, version) for version in versions},
        recorded_results(session, actor, rows),
        at,
    )


def withdrawal_view(
    session: Session, actor: Actor, rows: TicketRows, withdrawn: set[UUID]
) -> dict[str, Any]:
    """What the withdrawal of these items would lead to; no statement."""
    found = consequences(
        [Standing(item.id, item.offering_code, item.phase, item.outcome) for item in rows.items],
        [
            Dependency(
                edge.item_id, edge.predecessor, edge.kind, edge.on, edge.otherwise, edge.status
            )
            for edge in rows.edges
        ],
        withdrawn,
    )
    return {
        "items": [
            {
                "item": item.id,
                "number": item.number,
                "offering": item.offering_code,
                "title": offering_definition(
                    session, actor.district, item.offering_version_id
                ).title,
                "consequence": found[item.id],
            }
            for item in rows.items
        ]
    }
