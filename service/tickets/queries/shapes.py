"""The shapes in which tickets and tasks are told, out of their rows: no statement is sent here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from service.calendars.rules import WorkingCalendar
from service.catalogue.rules import OfferingDefinition
from service.kernel import crypto, messages
from service.kernel.events import Event
from service.routing import StageStatus, Verdict
from service.routing.flow import PASSING
from service.tickets.models import Item, ItemStage, Task, Ticket, TicketSection
from service.tickets.queries.desk import TaskRow
from service.tickets.queries.talent import TicketRows
from service.tickets.rules import ACTIVE, Light, light

Definitions = Mapping[UUID, OfferingDefinition]
Texts = Mapping[str, str]


def ticket_shape(
    rows: TicketRows,
    definitions: Definitions,
    results: Mapping[UUID, Task],
    at: datetime,
) -> dict[str, Any]:
    """A ticket, whole; `results` holds, by item, the task whose verdict recorded one."""
    return {
        **ticket_summary(rows.ticket, rows.calendar),
        "items": [
            _item(
                item,
                [stage for stage in rows.stages if stage.item_id == item.id],
                definitions[item.offering_version_id],
                rows.calendar,
                results.get(item.id),
                at,
            )
            for item in rows.items
        ],
    }


def ticket_summary(ticket: Ticket, calendar: WorkingCalendar) -> dict[str, Any]:
    """A ticket in a list."""
    return {
        "id": ticket.id,
        "number": ticket.number,
        "version": ticket.version,
        "bundle": ticket.bundle_code,
        "status": ticket.status,
        "filed_at": ticket.filed_at,
        "due_on": calendar.local_date(ticket.due_at),
        "due_at": ticket.due_at,
        "due_basis": ticket.due_basis,
        "provisional": ticket.provisional,
    }


def _item(
    item: Item,
    stages: Sequence[ItemStage],
    definition: OfferingDefinition,
    calendar: WorkingCalendar,
    decision: Task | None,
    at: datetime,
) -> dict[str, Any]:
    running = item.decided_at is None
    return {
        "id": item.id,
        "number": item.number,
        "version": item.version,
        "offering": item.offering_code,
        "title": definition.title,
        "subject": item.subject_id,
        "phase": item.phase,
        "outcome": item.outcome,
        "due_on": calendar.local_date(item.due_at),
        "due_at": item.due_at,
        "due_basis": item.due_basis,
        "provisional": item.provisional,
        "light": light(at, warn_at=item.warn_at, due_at=item.due_at) if running else None,
        "result": None if decision is None else unsealed_result(decision),
        "stages": [_stage(stage, definition, at) for stage in stages],
    }


def _stage(stage: ItemStage, definition: OfferingDefinition, at: datetime) -> dict[str, Any]:
    still_open = stage.status is StageStatus.OPEN
    return {
        "key": stage.key,
        "round": stage.round,
        "title": definition.flow.by_key[stage.key].title,
        "department": stage.department,
        "state": stage.status,
        "verdict": stage.verdict,
        "due_at": stage.due_at,
        "light": light(at, warn_at=stage.warn_at, due_at=stage.due_at) if still_open else None,
    }


def task_summary(
    row: TaskRow, definition: OfferingDefinition, account: UUID, at: datetime
) -> dict[str, Any]:
    """A task in a list."""
    return {
        "id": row.id,
        "version": row.version,
        "state": row.status,
        "kind": row.kind,
        "item": row.item_id,
        "item_number": row.item_number,
        "offering": row.offering_code,
        "title": definition.title,
        "department": row.department,
        "role": row.role,
        "assignee": row.assignee,
        "mine": row.assignee == account,
        "opened_at": row.opened_at,
        "due_at": row.due_at,
        "light": _task_light(row, at),
        "verdict": row.verdict,
    }


def _task_light(row: TaskRow, at: datetime) -> Light | None:
    if row.status not in ACTIVE:
        return None
    return light(at, warn_at=row.warn_at, due_at=row.due_at)


def task_detail(
    task: Task,
    stage_key: str,
    sections: Sequence[TicketSection],
    definition: OfferingDefinition,
) -> dict[str, Any]:
    """What a task holds beyond its line in the list: what its stage may read, and no more."""
    stage = definition.flow.by_key[stage_key]
    return {
        "stage": stage.key,
        "stage_title": stage.title,
        "may": sorted(stage.may, key=list(Verdict).index),
        "records": stage.records,
        "passing": PASSING[stage.kind],
        "sections": {
            section.section: seen
            for section in sections
            if (seen := stage.sees.visible(section.section, unsealed_answers(section)))
        },
        "opinion": None if task.opinion is None else _unseal(task, "opinion", task.opinion),
        "result": unsealed_result(task),
    }


def unsealed_answers(section: TicketSection) -> dict[str, Any]:
    """The answers of a section in the clear."""
    text = crypto.unseal(section.content, table="ticket_sections", column="content", row=section.id)
    answers: dict[str, Any] = orjson.loads(text)
    return answers


def unsealed_result(task: Task) -> dict[str, Any] | None:
    """The result that a verdict recorded, in the clear."""
    if task.result is None:
        return None
    result: dict[str, Any] = orjson.loads(_unseal(task, "result", task.result))
    return result


def _unseal(task: Task, column: str, sealed: bytes) -> str:
    return crypto.unseal(sealed, table="tasks", column=column, row=task.id)


def happening(
    event: Event, titles: Mapping[str, Texts], departments: Mapping[str, Texts]
) -> dict[str, Any]:
    """One line of a timeline, told in both languages."""
    offering = titles.get(event.data.get("offering", ""), {})
    department = departments.get(event.data.get("department", ""), {})
    return {
        "seq": event.seq,
        "at": event.at,
        "kind": event.kind,
        "item": event.item_id,
        "text": {
            tongue: messages.say(
                f"timeline_{event.kind}",
                tongue,
                {"offering": offering.get(tongue, ""), "department": department.get(tongue, "")},
            )
            for tongue in messages.LANGUAGES
        },
    }
