"""Filing: everything or nothing, once per key."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.applicants.queries.drafts import content_of, draft_for
from service.applicants.queries.tickets import TicketRows, rows_of
from service.calendars.queries import calendar_of
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import current_bundle
from service.catalogue.rules.definitions import BundleDefinition, OfferingDefinition
from service.enterprises.actions import confirm_employment
from service.facts.queries import facts_of
from service.facts.rules import KnownFact
from service.filing.queries import FilingState, filing_state, stated_employer
from service.filing.rules.context import FilingContext
from service.filing.rules.criteria import criterion_faults
from service.filing.rules.filing import (
    Filing,
    RequestedItem,
    filing_faults,
    filing_of,
    followed_by,
    section_holders,
)
from service.filing.rules.materials import material_faults
from service.identity.consents.actions import give_consents
from service.identity.consents.queries import standing_consents
from service.identity.people.queries import (
    Household,
    household_of,
    kept_of_applicant,
    kept_of_member,
    own_person,
)
from service.kernel import person_keys
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.kernel.errors import Conflict, FieldError, Invalid, Stale
from service.kernel.ids import new_id
from service.kernel.sealed import seal_json
from service.materials.queries import materials_by_ids
from service.routing.bundle import EdgeKind, EdgeStatus
from service.routing.conditions.known import Known
from service.routing.events import Filed
from service.routing.states import Phase
from service.tickets.acts import ItemsOpenAlready, KeyTaken, filing_act
from service.tickets.edges import NewEdge, new_edges
from service.tickets.models.filed import Ticket, TicketMaterial, TicketSection
from service.tickets.models.items import Edge, Item
from service.tickets.models.stages import ItemStage
from service.tickets.rows import Rows, material_row, section_row
from service.tickets.rules.applicant import Applicant, Authority
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.clock import item_due
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import (
    Reliance,
    TicketEvent,
    TicketStatus,
    item_number,
    ticket_number,
)
from service.tickets.visibility import of_applicant


class Begun(NamedTuple):
    """The rows of a new ticket beside its items."""

    stages: Sequence[ItemStage]
    edges: Sequence[Edge]


def file_ticket(
    session: Session,
    actor: Actor,
    *,
    applicant: Applicant,
    filing: Filing,
    key: str,
    digest: bytes,
    at: datetime,
) -> TicketRows:
    """File a bundle's offerings as one ticket of the applicant's, whoever acts.

    The caller has made sure that the actor may file for the applicant. The same key of the same
    account returns the same ticket permanently, as it then stands. Raises `Invalid` with everything
    wrong with the filing, criteria that are not met included, or for a key used with another
    digest, and `Conflict`: `profile_incomplete`, `item_already_open` with the number of the item
    in the way, or `consents_not_standing` where an agent files and the applicant has not consented
    before.
    """
    state_before = filing_state(session, actor, applicant, key=key, followed_by=followed_by(filing))
    if state_before.ticket_id is not None:
        return _filed_before(session, actor, applicant, state_before, digest)
    return _file(session, actor, applicant, filing, state_before, (key, digest), new_id(), at)


def file_draft(
    session: Session,
    actor: Actor,
    *,
    ticket_id: UUID,
    version: int,
    key: str,
    digest: bytes,
    at: datetime,
) -> TicketRows:
    """File what a draft says; the ticket has its id, and the draft is gone.

    Raises what `file_ticket` raises, `NotFound`, and `Stale`; then the draft stays as it is.
    """
    applicant = Applicant.themselves(own_person(actor))
    state_before = filing_state(session, actor, applicant, key=key)
    if state_before.ticket_id is not None:
        return _filed_before(session, actor, applicant, state_before, digest)
    draft = draft_for(session, actor, ticket_id, lock=True)
    if draft.version != version:
        raise Stale
    filing = filing_of(content_of(session, draft))
    session.delete(draft)
    session.flush()
    if stated := followed_by(filing):
        state_before = replace(state_before, employer_id=stated_employer(session, actor, stated))
    return _file(session, actor, applicant, filing, state_before, (key, digest), ticket_id, at)


def _filed_before(
    session: Session,
    actor: Actor,
    applicant: Applicant,
    state_before: FilingState,
    digest: bytes,
) -> TicketRows:
    """The ticket of the key. It is the account's own; the applicant is, too, by the digest."""
    if state_before.digest != digest:
        raise Invalid("idempotency_key_reused")
    ticket = session.scalars(
        select(Ticket).where(
            Ticket.district_id == actor.district,
            Ticket.id == state_before.ticket_id,
            of_applicant(Ticket, applicant.kind, applicant.id),
        )
    ).one_or_none()
    if ticket is None:
        raise Invalid("idempotency_key_reused")
    return rows_of(session, ticket)


def _file(
    session: Session,
    actor: Actor,
    applicant: Applicant,
    filing: Filing,
    state_before: FilingState,
    key: tuple[str, bytes],
    ticket_id: UUID,
    at: datetime,
) -> TicketRows:
    calendar = calendar_of(session, actor.district, state_before.calendar_id)
    open_offerings = state_before.open_offerings
    context, household = _checked(session, actor, applicant, filing, open_offerings, calendar, at)
    employer = applicant.employer_id or state_before.employer_id
    if applicant.authority is Authority.OWN:
        give_consents(session, actor, codes=sorted(filing.consents), at=at)
        _let_follow(session, actor, filing, employer, at)
    number = ticket_number(state_before.administrative_code, context.today, state_before.sequence)
    ticket = _ticket(actor, applicant, context, ticket_id, number, employer, key, at)
    items = [
        _item(ticket, ordinal, requested, context.bundle.offerings[requested.offering])
        for ordinal, requested in enumerate(filing.items, start=1)
    ]
    _keep_people(session, household, ticket, items)
    edges = _begin(session, actor, context, ticket, items, calendar, at)
    insert_rows(session, TicketSection, _section_rows(session, filing, ticket, items))
    insert_rows(session, TicketMaterial, _material_rows(filing, ticket, items))
    return TicketRows(ticket, items, edges.stages, edges.edges, calendar)


def _checked(
    session: Session,
    actor: Actor,
    applicant: Applicant,
    filing: Filing,
    open_offerings: frozenset[str],
    calendar: WorkingCalendar,
    at: datetime,
) -> tuple[FilingContext, Household]:
    if not filing.items:
        raise Invalid(errors=[FieldError("items", "required")])
    household = household_of(session, applicant.person)
    if not household.applicant.complete:
        raise Conflict("profile_incomplete")
    bundle = current_bundle(session, actor.district, filing.bundle)
    if bundle is None:
        raise Invalid(errors=[FieldError("bundle", "bundle_unknown")])
    if applicant.authority is not Authority.OWN:
        filing = _consented(session, actor, applicant, filing, bundle)
    today = calendar.local_date(at)
    kinship = {member.id: member.kinship.value for member in household.family.values()}
    faults = filing_faults(filing, bundle, kinship, today=today)
    if faults:
        raise Invalid(errors=faults)
    subjects = {requested.subject for requested in filing.items if requested.subject is not None}
    born = {one.id: one.birth_date for one in household.family.values()}
    case = FilingContext(
        filing=filing,
        bundle=bundle,
        applicant=applicant.person,
        born=born | {applicant.person: household.applicant.birth_date},
        facts=facts_of(session, actor, persons={applicant.person, *subjects}, on=today),
        open_offerings=open_offerings,
        today=today,
    )
    unmet = [
        fault
        for index, requested in enumerate(filing.items)
        for fault in criterion_faults(
            bundle.offerings[requested.offering], case.known_for(requested), f"items.{index}"
        )
    ]
    unmet += _material_faults(session, actor, case)
    if unmet:
        raise Invalid(errors=unmet)
    return case, household


def _consented(
    session: Session,
    actor: Actor,
    applicant: Applicant,
    filing: Filing,
    bundle: BundleDefinition,
) -> Filing:
    """The filing with the applicant's own consents, given before: nobody consents for another."""
    standing = standing_consents(session, actor, applicant.person)
    missing = [one.ref for one in bundle.consents if not one.optional and one.ref not in standing]
    if missing:
        raise Conflict("consents_not_standing", consents=", ".join(missing))
    given = [one.ref for one in bundle.consents if one.ref in standing]
    return replace(filing, consents=given)


def _material_faults(session: Session, actor: Actor, case: FilingContext) -> list[FieldError]:
    filing = case.filing
    attached = [
        *filing.materials,
        *(one for requested in filing.items for one in requested.materials),
    ]
    kept = materials_by_ids(
        session, actor, ids={one.material for one in attached}, person=case.applicant
    )
    asked = [
        (case.bundle.offerings[requested.offering], case.known_for(requested))
        for requested in filing.items
    ]
    return material_faults(filing, asked, kept)


def _let_follow(
    session: Session, actor: Actor, filing: Filing, employer: UUID | None, at: datetime
) -> None:
    """Confirm for whom the applicant works; one statement, none unless they let it follow."""
    stated = followed_by(filing)
    if stated is not None and employer is not None:
        confirm_employment(session, actor, enterprise_id=employer, since=stated.since, at=at)


def _ticket(
    actor: Actor,
    applicant: Applicant,
    context: FilingContext,
    ticket_id: UUID,
    number: str,
    employer: UUID | None,
    key: tuple[str, bytes],
    at: datetime,
) -> Ticket:
    return Ticket(
        district_id=actor.district,
        id=ticket_id,
        number=number,
        version=1,
        bundle_code=context.bundle.code,
        bundle_version_id=context.bundle.version_id,
        release_number=context.bundle.release,
        applicant_kind=applicant.kind,
        person_id=applicant.person_id,
        enterprise_id=applicant.enterprise_id,
        authority=applicant.authority,
        authority_id=applicant.authority_id,
        account_id=actor.account,
        employer_id=employer,
        status=TicketStatus.IN_PROGRESS,
        filed_at=at,
        last_seq=0,
        filing_key=key[0],
        filing_digest=key[1],
    )


def _item(
    ticket: Ticket, ordinal: int, requested: RequestedItem, definition: OfferingDefinition
) -> Item:
    return Item(
        district_id=ticket.district_id,
        id=new_id(),
        ticket_id=ticket.id,
        number=item_number(ticket.number, ordinal),
        ordinal=ordinal,
        version=1,
        offering_code=definition.code,
        offering_version_id=definition.version_id,
        applicant_kind=ticket.applicant_kind,
        person_id=ticket.person_id,
        enterprise_id=ticket.enterprise_id,
        employer_id=ticket.employer_id,
        subject_id=requested.subject,
        received_at=ticket.filed_at,
        due_basis=DueBasis.PROJECTED,
        segments=0,
    )


def _keep_people(
    session: Session, household: Household, ticket: Ticket, items: Sequence[Item]
) -> None:
    """Keep with the ticket and its items who the people are now, under the key of each.

    No statement, unless somebody has no key yet: then one makes them.
    """
    person_keys.hold(session, [ticket.person_id, *(item.subject_id for item in items)])
    ticket.filed_applicant = seal_json(
        session,
        Ticket.filed_applicant,
        kept_of_applicant(household.applicant),
        row=ticket.id,
        of=ticket.person_id,
    )
    for item in items:
        if item.subject_id is not None:
            item.filed_subject = seal_json(
                session,
                Item.filed_subject,
                kept_of_member(household.family[item.subject_id]),
                row=item.id,
                of=item.subject_id,
            )


def _begin(
    session: Session,
    actor: Actor,
    context: FilingContext,
    ticket: Ticket,
    items: Sequence[Item],
    calendar: WorkingCalendar,
    at: datetime,
) -> Begun:
    """The act by which the ticket comes into being: every item is filed, and waits or begins.

    Raises `Conflict` where one of them is open already, also when filed at the same moment.
    """
    requested = dict(zip([item.id for item in items], context.filing.items, strict=True))
    made = {item.id: _new_edges(context, requested[item.id], calendar, at) for item in items}
    edges = [edge.of(item, at) for item in items for edge in made[item.id]]

    def known(item: Item) -> tuple[Known, Sequence[KnownFact]]:
        return context.known_for(requested[item.id]), context.facts_for(requested[item.id])

    try:
        with filing_act(
            session, actor, ticket, items, edges, calendar=calendar, known=known, at=at
        ) as act:
            act.emit(TicketEvent.TICKET_FILED, data={"bundle": ticket.bundle_code})
            for item in items:
                unmet = {
                    edge.rule.kind for edge in made[item.id] if edge.status is EdgeStatus.WAITING
                }
                event = Filed(hard=EdgeKind.HARD in unmet, soft=EdgeKind.SOFT in unmet)
                kind = TicketEvent.ITEM_WAITING if event.hard else TicketEvent.ITEM_FILED
                act.apply(item, event, kind)
                judged_by = context.judged_by(requested[item.id], act.definition(item))
                act.rely(item, judged_by, Reliance.CRITERION)
                met_by = {fact.id: fact for edge in made[item.id] for fact in edge.facts}
                act.rely(item, met_by.values(), Reliance.EDGE)
    except KeyTaken:
        raise Invalid("idempotency_key_reused") from None
    except ItemsOpenAlready as open_already:
        numbers = _numbers_in_the_way(session, ticket, items, open_already.written)
        raise Conflict("item_already_open", number=numbers) from None
    return Begun(act.stages_entered(), edges)


def _new_edges(
    context: FilingContext, requested: RequestedItem, calendar: WorkingCalendar, at: datetime
) -> list[NewEdge]:
    """The edges of an item; a fact counts if it still holds when the item itself is due."""
    definition = context.bundle.offerings[requested.offering]
    due = item_due(definition.flow, calendar, received=at)
    return new_edges(
        context.bundle.edges,
        successor=definition.code,
        filed=context.established_by(calendar.local_date(due.at)),
        known=context.known_for(requested),
        calendar=calendar,
        at=at,
    )


def _numbers_in_the_way(
    session: Session, ticket: Ticket, items: Sequence[Item], written: Collection[UUID]
) -> str:
    wanted = {(item.offering_code, item.subject_id) for item in items}
    open_items = session.execute(
        select(Item.number, Item.offering_code, Item.subject_id).where(
            Item.district_id == ticket.district_id,
            of_applicant(Item, ticket.applicant_kind, ticket.person_id or ticket.enterprise_id),
            Item.phase != Phase.ENDED,
            Item.id.not_in(written),
        )
    ).all()
    numbers = [row.number for row in open_items if (row.offering_code, row.subject_id) in wanted]
    return ", ".join(sorted(numbers))


def _section_rows(session: Session, filing: Filing, ticket: Ticket, items: Sequence[Item]) -> Rows:
    """The rows of the answers, sealed."""
    return [
        section_row(
            session,
            ticket,
            None if index is None else items[index].id,
            code,
            answers,
        )
        for index, code, answers in section_holders(filing)
    ]


def _material_rows(filing: Filing, ticket: Ticket, items: Sequence[Item]) -> Rows:
    attached: list[tuple[UUID | None, AttachedDocument]] = [
        (None, document) for document in filing.materials
    ]
    for item, requested in zip(items, filing.items, strict=True):
        attached += [(item.id, document) for document in requested.materials]
    return [material_row(ticket, item, document) for item, document in attached]
