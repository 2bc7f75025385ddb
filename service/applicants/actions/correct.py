"""The answer to a correction, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.tickets import locked_item_for
from service.catalogue.rules.definitions import OfferingDefinition
from service.catalogue.rules.pack import Scope
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.kernel.errors import Conflict, FieldError, Invalid, Stale
from service.materials.queries import materials_by_ids
from service.routing.events import Corrected
from service.routing.states import Hold, Phase
from service.tickets.acts import Act, act_on
from service.tickets.models.filed import Ticket, TicketMaterial, TicketSection
from service.tickets.models.items import Item
from service.tickets.queries.cases import revisions_of
from service.tickets.queries.corrections import points_of
from service.tickets.queries.documents import documents_of
from service.tickets.queries.rows import open_corrections
from service.tickets.rows import material_row, section_row
from service.tickets.rules.attached import AttachedDocument, replacement_faults
from service.tickets.rules.corrections import Point, answer_faults
from service.tickets.rules.states import TicketEvent


def correct_item(
    session: Session,
    actor: Actor,
    *,
    item_id: UUID,
    version: int,
    sections: Mapping[str, Any],
    materials: Sequence[AttachedDocument] = (),
    at: datetime,
) -> Ticket:
    """Answer everything that was asked of an item; what was returned is done once more.

    What the ticket shares is corrected for every item that has not ended. Nothing is overwritten:
    answers and documents get another revision. Raises `NotFound`, `Stale`,
    `Conflict("nothing_to_correct")`, and `Invalid` where the answer is wrong or not complete.
    """
    ticket, item = locked_item_for(session, actor, item_id)
    if item.version != version:
        raise Stale
    if item.hold is not Hold.CORRECTION:
        raise Conflict("nothing_to_correct")
    with act_on(session, actor, ticket, at=at) as act:
        asked = open_corrections(session, item)
        points = [Point(**point) for one in asked for point in points_of(session, one)]
        definition = act.definition(item)
        faults = answer_faults(definition, points, sections, today=act.today)
        faults += _document_faults(session, actor, definition, points, materials)
        if faults:
            raise Invalid(errors=faults)
        for correction in asked:
            # Two machines may have written them: no answer comes before its question.
            correction.answered_at = max(at, correction.asked_at)
        shared = {code for code in sections if definition.sections[code].scope is Scope.TICKET}
        _revise(session, item, sections, shared)
        shared |= _replace(session, item, definition, materials)
        act.apply(item, Corrected(), TicketEvent.ITEM_CORRECTED)
        _tell_others(act, item, shared)
    return ticket


def _revise(session: Session, item: Item, sections: Mapping[str, Any], shared: set[str]) -> None:
    """Another revision of every section that was answered."""
    revisions = revisions_of(session, item)
    rows = [
        section_row(
            session,
            item,
            None if code in shared else item.id,
            code,
            answers,
            revision=revisions[code] + 1,
        )
        for code, answers in sections.items()
    ]
    insert_rows(session, TicketSection, rows)


def _document_faults(
    session: Session,
    actor: Actor,
    definition: OfferingDefinition,
    points: Sequence[Point],
    materials: Sequence[AttachedDocument],
) -> list[FieldError]:
    kept = materials_by_ids(
        session, actor, ids={one.material for one in materials}, person=actor.person
    )
    codes = {point.material for point in points if point.material is not None}
    return replacement_faults(definition, codes, materials, kept)


def _replace(
    session: Session,
    item: Item,
    definition: OfferingDefinition,
    materials: Sequence[AttachedDocument],
) -> set[str]:
    """Another revision of the documents of every code that was handed in; returns shared codes."""
    if not materials:
        return set()
    before = {one.code: one.revision for one in documents_of(session, item, definition)}
    shared = {one.code for one in definition.materials if one.material.scope is Scope.TICKET} & {
        one.code for one in materials
    }
    rows = [
        material_row(
            item,
            None if one.code in shared else item.id,
            one,
            revision=before.get(one.code, 0) + 1,
        )
        for one in materials
    ]
    insert_rows(session, TicketMaterial, rows)
    return shared


def _tell_others(act: Act, corrected: Item, shared: set[str]) -> None:
    """Every other open item that rests on what is shared has an event of its own."""
    for item in act.items:
        if item is corrected or item.phase is Phase.ENDED:
            continue
        definition = act.definition(item)
        asked = {*definition.sections, *(one.code for one in definition.materials)}
        if changed := sorted(shared & asked):
            data = {"offering": item.offering_code, "shared": changed}
            act.emit(TicketEvent.SECTION_CORRECTED, item=item, data=data)
