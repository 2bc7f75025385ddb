"""The answer to a correction, in one go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.tickets import locked_item_for
from service.catalogue.rules.definitions import OfferingDefinition
from service.catalogue.rules.pack import Scope
from service.identity.people.queries import applicant_as_filed, member_as_filed
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.kernel.errors import Conflict, FieldError, Invalid, Stale
from service.kernel.sealed import opened_json
from service.materials.queries import handed_in
from service.routing.events import Corrected
from service.routing.states import Hold, Phase
from service.tickets.acts import Act, act_on
from service.tickets.models.filed import Ticket, TicketMaterial, TicketSection
from service.tickets.models.items import Item
from service.tickets.queries.cases import answers_of, person_of
from service.tickets.queries.corrections import points_of
from service.tickets.queries.documents import documents_of
from service.tickets.queries.rows import open_corrections, sections_of
from service.tickets.rows import material_row, section_row
from service.tickets.rules.attached import AttachedDocument, replacement_faults
from service.tickets.rules.corrections import Point, answer_faults
from service.tickets.rules.criteria import criterion_faults
from service.tickets.rules.left_out import LeftOut
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
    answers and documents get another revision. What follows is asked at once: a document that the
    corrected answers make necessary comes with them, and none of them may make a criterion unmet
    that refuses. Documents that became necessary for other items alone are for their departments
    to ask for. Raises `NotFound`, `Stale`,
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
        rows = sections_of(session, item)
        before: dict[str, Any] = {
            one.section: opened_json(session, TicketSection.content, one, otherwise={})
            for one in rows
        }
        given, fields = _applying(definition, sections, act.today)
        faults = answer_faults(definition, points, given, before=before, today=act.today)
        sound = not faults
        judged = _judged(act, item, before, given if sound else {})
        documents = documents_of(session, item, definition, every=True)
        wanted = {point.material for point in points if point.material is not None}
        wanted |= judged.necessary - {one.code for one in documents}
        attached = [one for one in materials if one.code not in judged.not_asked]
        kept = handed_in(
            session, actor, ids={one.material for one in attached}, person=actor.person
        )
        faults += judged.faults + replacement_faults(
            definition, attached, kept, asked=wanted - judged.not_asked, possible=judged.necessary
        )
        shared = _shared(definition, given) if sound else set()
        faults += _follow_others(act, item, {code: given[code] for code in shared}, fields)
        if faults:
            raise Invalid(errors=faults)
        for correction in asked:
            # Two machines may have written them: no answer comes before its question.
            correction.answered_at = max(at, correction.asked_at)
        sent = {one.code for one in documents} | {one.code for one in materials}
        _leave_out(item, judged, sent, fields, answered=given)
        _revise(session, item, given, shared, {one.section: one.revision for one in rows})
        shared |= _replace(session, item, definition, attached, documents)
        act.apply(item, Corrected(), TicketEvent.ITEM_CORRECTED)
        _tell_others(act, item, shared)
    return ticket


def _applying(
    definition: OfferingDefinition, sections: Mapping[str, Any], today: date
) -> tuple[dict[str, Any], list[LeftOut]]:
    """The sections without answers to fields that do not apply, and which fields these are."""
    given, fields = dict(sections), list[LeftOut]()
    for code in sections.keys() & definition.sections.keys():
        given[code], gone = definition.sections[code].applying(sections[code], today=today)
        fields += [LeftOut(section=code, field=name) for name in gone]
    return given, fields


def _shared(definition: OfferingDefinition, given: Iterable[str]) -> set[str]:
    """The sections that count for the whole ticket, of those that an answer has and may have."""
    return {code for code in given if definition.sections[code].scope is Scope.TICKET}


@dataclass(frozen=True)
class _Judged:
    """What corrected answers come to for an item.

    `faults`: the criteria that are not met by them, and were. `necessary`: the materials that they
    make necessary; `not_asked`: those that nobody asks for.
    """

    faults: list[FieldError]
    necessary: frozenset[str]
    not_asked: frozenset[str]


def _judged(act: Act, item: Item, before: Mapping[str, Any], changed: Mapping[str, Any]) -> _Judged:
    """Judge an item by its answers with what is changed in them, as of the day of receipt."""
    definition = act.definition(item)
    found, _ = act.look_up(item)
    was = replace(found, answers=before, born=_born(act.session, act.ticket, item))
    now = replace(was, answers={**before, **changed})
    unmet = {fault.params["criterion"] for fault in criterion_faults(definition, was, "sections")}
    return _Judged(
        faults=[
            fault
            for fault in criterion_faults(definition, now, "sections")
            if fault.params["criterion"] not in unmet
        ],
        necessary=frozenset(
            one.code for one in definition.materials if one.needed(now) and not one.needed(was)
        ),
        not_asked=definition.not_asked(now),
    )


def _born(session: Session, ticket: Ticket, item: Item) -> dict[str, date | None]:
    """The birth dates of applicant and subject as they were at filing."""
    kept = opened_json(session, Ticket.filed_applicant, ticket, otherwise=None)
    born = {"applicant": applicant_as_filed(person_of(item), kept).birth_date}
    if item.subject_id is not None:
        kept = opened_json(session, Item.filed_subject, item, otherwise=None)
        subject = member_as_filed(item.subject_id, kept)
        born["subject"] = None if subject is None else subject.birth_date
    return born


def _follow_others(
    act: Act, corrected: Item, shared: Mapping[str, Any], fields: Collection[LeftOut]
) -> list[FieldError]:
    """What shared sections come to for the other items that have not ended: the faults.

    What nobody asks for any more by them does not count for those items; `fields` are those of the
    sections that do not apply.
    """
    faults: list[FieldError] = []
    for item in act.items:
        definition = act.definition(item)
        changed = {code: shared[code] for code in definition.sections if code in shared}
        if item is corrected or item.phase is Phase.ENDED or not changed:
            continue
        judged = _judged(act, item, answers_of(act.session, item), changed)
        faults += judged.faults
        documents = documents_of(act.session, item, definition, every=True)
        gone = [one for one in fields if one.section in changed]
        _leave_out(item, judged, {one.code for one in documents}, gone, answered=changed)
    return faults


def _leave_out(
    item: Item,
    judged: _Judged,
    sent: Collection[str],
    fields: Iterable[LeftOut],
    *,
    answered: Collection[str],
) -> None:
    """Keep what nobody asks for of all that was sent for an item, now or before."""
    before = [LeftOut(**one) for one in item.left_out]
    still = [one for one in before if one.section is not None and one.section not in answered]
    codes = {*sent, *(one.material for one in before if one.material)} & judged.not_asked
    left_out = [*still, *fields, *(LeftOut(material=code) for code in sorted(codes))]
    if (plain := [one.plain() for one in left_out]) != item.left_out:
        item.left_out = plain


def _revise(
    session: Session,
    item: Item,
    sections: Mapping[str, Any],
    shared: set[str],
    revisions: Mapping[str, int],
) -> None:
    """Another revision of every section that was answered."""
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


def _replace(
    session: Session,
    item: Item,
    definition: OfferingDefinition,
    materials: Sequence[AttachedDocument],
    documents: Sequence[TicketMaterial],
) -> set[str]:
    """Another revision of the documents of every code that was handed in; returns shared codes."""
    if not materials:
        return set()
    before = {one.code: one.revision for one in documents}
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
