"""Making a ticket out of a filing that was checked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.applicants.queries.tickets import TicketRows
from service.calendars.rules import WorkingCalendar
from service.catalogue.rules.definitions import OfferingDefinition
from service.facts.rules import KnownFact
from service.filing.rules.context import FilingContext
from service.filing.rules.filing import (
    Filing,
    RequestedItem,
    section_holders,
)
from service.identity.people.queries import (
    Household,
    kept_of_applicant,
    kept_of_member,
)
from service.kernel import person_keys
from service.kernel.actor import Actor
from service.kernel.db import insert_last
from service.kernel.errors import Conflict, Invalid
from service.kernel.ids import new_id
from service.kernel.sealed import seal_json
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
from service.tickets.rules.applicant import Applicant
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.clock import item_due
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import (
    Reliance,
    TicketEvent,
    TicketStatus,
    item_number,
)
from service.tickets.visibility import of_applicant


def new_ticket(
    actor: Actor,
    applicant: Applicant,
    context: FilingContext,
    ticket_id: UUID,
    number: str,
    employer: UUID | None,
    key: tuple[str, bytes],
    at: datetime,
) -> Ticket:
    """The row of a ticket that is being filed; its status and due date follow from its items."""
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
    ticket: Ticket,
    ordinal: int,
    requested: RequestedItem,
    definition: OfferingDefinition,
    household: Household,
) -> Item:
    subject = None if requested.subject is None else household.family[requested.subject]
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
        subject_key=None if subject is None else subject.number_index,
        received_at=ticket.filed_at,
        due_basis=DueBasis.PROJECTED,
        segments=0,
        left_out=[one.plain() for one in requested.left_out],
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


def begin(
    session: Session,
    actor: Actor,
    context: FilingContext,
    household: Household,
    ticket: Ticket,
    calendar: WorkingCalendar,
    at: datetime,
) -> TicketRows:
    """Write a ticket with all that belongs to it: every item is filed, and waits or begins.

    Raises `Conflict` where one of them is open already, also when filed at the same moment: with
    its number, or as `subject_item_open` where somebody else of the family applied.
    """
    filing = context.filing
    items = [
        _item(ticket, ordinal, requested, context.bundle.offerings[requested.offering], household)
        for ordinal, requested in enumerate(filing.items, start=1)
    ]
    _keep_people(session, household, ticket, items)
    edges, stages = _act(session, actor, context, ticket, items, calendar, at)
    insert_last(session, TicketSection, _section_rows(session, filing, ticket, items))
    insert_last(session, TicketMaterial, _material_rows(filing, ticket, items))
    return TicketRows(ticket, items, stages, edges, calendar)


def _act(
    session: Session,
    actor: Actor,
    context: FilingContext,
    ticket: Ticket,
    items: Sequence[Item],
    calendar: WorkingCalendar,
    at: datetime,
) -> tuple[Sequence[Edge], Sequence[ItemStage]]:
    """The act by which the ticket comes into being; returns its edges and the stages entered."""
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
        if not numbers:  # somebody else's, who need not be named
            raise Conflict("subject_item_open") from None
        raise Conflict("item_already_open", number=numbers) from None
    return edges, act.stages_entered()


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
