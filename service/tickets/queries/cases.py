"""What is known of a case when its conditions are asked: answers, facts, and what is open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.orm import Session

from service.facts.queries import facts_of
from service.facts.rules import KnownFact, by_kind
from service.kernel.actor import Actor
from service.kernel.db import prepared
from service.kernel.sealed import opened_json
from service.routing.conditions.known import Known
from service.tickets.models.filed import TicketSection
from service.tickets.models.items import Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.rows import not_ended, sections_of
from service.tickets.visibility import of_applicant

StageRow = Any
"""A task with its stage, or a stage that has none: `id key round status verdict task …`."""


def about(item: Item) -> list[UUID]:
    """The persons whose facts count for an item: its subject, then the applicant."""
    return [one for one in (item.subject_id, item.person_id) if one is not None]


def person_of(item: Item) -> UUID:
    """The person who applied for an item.

    Raises `LookupError` where an enterprise did: no offering can be asked for by one yet, and
    whatever lets one be has to say what stands in the place of a person.
    """
    if item.person_id is None:
        raise LookupError("the applicant is an enterprise")
    return item.person_id


def known_facts(session: Session, actor: Actor, item: Item, on: date) -> list[KnownFact]:
    """The facts that count for an item on a day; one statement."""
    people = about(item)
    found = facts_of(session, actor, persons=people, on=on)
    return [fact for person in people for fact in found[person]]


def answers_of(session: Session, item: Item) -> dict[str, dict[str, Any]]:
    """The newest answers to an item's sections, in the clear; one statement, and one for the key
    of the applicant where it is not at hand.
    """
    return {
        one.section: opened_json(session, TicketSection.content, one, otherwise={})
        for one in sections_of(session, item)
    }


def known_of(
    session: Session,
    actor: Actor,
    item: Item,
    facts: Sequence[KnownFact],
    *,
    open_here: Collection[str],
    on: date,
) -> Known:
    """What the conditions of an item's flow may look at; two statements besides the facts.

    `open_here`: the offerings of the other items of its ticket that have not ended, which in the
    middle of an act only the act knows.
    """
    others = session.scalars(
        select(Item.offering_code).where(
            Item.district_id == actor.district,
            of_applicant(Item, item.applicant_kind, item.person_id or item.enterprise_id),
            not_ended(),
            Item.ticket_id != item.ticket_id,
        )
    )
    return Known(
        on,
        answers=answers_of(session, item),
        facts=by_kind(facts),
        requested=frozenset((*others, *open_here)),
    )


def stage_rows(session: Session, item: Item) -> Sequence[StageRow]:
    """The stages of an item that were entered, in that order, each with its tasks."""
    return _STAGES.all(session, district=item.district_id, items=[item.id])


def stage_rows_of_all(
    session: Session, district: str, items: Collection[UUID]
) -> dict[UUID, list[StageRow]]:
    """`stage_rows` for several items, by item; one statement."""
    rows: dict[UUID, list[StageRow]] = {item: [] for item in items}
    for row in _STAGES.all(session, district=district, items=sorted(items)):
        rows[row.item_id].append(row)
    return rows


_STAGES: Final = prepared(
    select(
        ItemStage.id,
        ItemStage.item_id,
        ItemStage.key,
        ItemStage.round,
        ItemStage.status,
        ItemStage.verdict,
        Task.id.label("task_id"),
        Task.department,
        Task.status.label("task_status"),
        Task.verdict.label("task_verdict"),
        Task.assignee,
        Task.deemed,
    )
    .outerjoin(Task, (Task.district_id == ItemStage.district_id) & (Task.stage_id == ItemStage.id))
    .where(
        ItemStage.district_id == bindparam("district"),
        ItemStage.item_id == any_(bindparam("items", type_=ARRAY(Uuid()))),
    )
    .order_by(ItemStage.id, Task.id)
)


def stage_of(rows: Sequence[StageRow], task: Task) -> tuple[str, int]:
    """The key and the round of the stage that a task belongs to."""
    return next((row.key, row.round) for row in rows if row.id == task.stage_id)
