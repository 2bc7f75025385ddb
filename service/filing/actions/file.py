"""Filing: everything or nothing, once per key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.applicants.queries.drafts import content_of, draft_for
from service.applicants.queries.tickets import TicketRows, ticket_for
from service.calendars.queries import calendar_of
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries import current_bundle
from service.enterprises.actions import confirm_employment
from service.facts.queries import facts_of
from service.filing.actions.building import Case, TicketBuilder
from service.filing.queries import FilingState, filing_state
from service.filing.rules.criteria import criterion_faults
from service.filing.rules.filing import Filing, filing_faults, filing_of, followed_by
from service.filing.rules.materials import material_faults
from service.identity.consents.actions import give_consents
from service.identity.people.queries import household_for
from service.kernel import events
from service.kernel.actor import Actor
from service.kernel.db import insert_new_rows, insert_rows
from service.kernel.errors import Conflict, FieldError, Invalid, Stale
from service.kernel.ids import new_id
from service.materials.queries import materials_by_ids
from service.routing import Phase
from service.tickets.models.filed import Ticket, TicketMaterial, TicketSection
from service.tickets.models.items import Edge, Item, ReliedFact
from service.tickets.models.stages import ItemStage
from service.tickets.rules.states import TicketEvent, ticket_number


def file_ticket(
    session: Session, actor: Actor, *, filing: Filing, key: str, digest: bytes, at: datetime
) -> TicketRows:
    """File a bundle's offerings as one ticket.

    The same key gives the same ticket for ever, as it then stands. Raises `Invalid` with everything
    wrong with the filing, criteria that are not met included, or for a key used with another
    digest, and `Conflict`: `profile_incomplete`, or `item_already_open` with the number of the item
    in the way.
    """
    state_before = _filing_state(session, actor, key)
    if state_before.ticket_id is not None:
        return _filed_before(session, actor, state_before, digest)
    return _file(session, actor, filing, state_before, (key, digest), new_id(), at)


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
    state_before = _filing_state(session, actor, key)
    if state_before.ticket_id is not None:
        return _filed_before(session, actor, state_before, digest)
    draft = draft_for(session, actor, ticket_id, lock=True)
    if draft.version != version:
        raise Stale
    filing = filing_of(content_of(session, draft))
    session.delete(draft)
    session.flush()
    return _file(session, actor, filing, state_before, (key, digest), ticket_id, at)


def _filing_state(session: Session, actor: Actor, key: str) -> FilingState:
    """What the filing stands on, read once no other filing of the person is under way.

    Criteria ask what else is open. Without the lock, of two filings that exclude each other neither
    would find the other. It is a statement of its own, so that the next sees what it waited for.
    """
    name = f"filing|{actor.district}|{actor.person}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    return filing_state(session, actor, key=key)


def _filed_before(
    session: Session, actor: Actor, state_before: FilingState, digest: bytes
) -> TicketRows:
    if state_before.ticket_id is None or state_before.digest != digest:
        raise Invalid("idempotency_key_reused")
    return ticket_for(session, actor, state_before.ticket_id)


def _file(
    session: Session,
    actor: Actor,
    filing: Filing,
    state_before: FilingState,
    key: tuple[str, bytes],
    ticket_id: UUID,
    at: datetime,
) -> TicketRows:
    calendar = calendar_of(session, actor.district, state_before.calendar_id)
    case = _checked(session, actor, filing, state_before.open_offerings, calendar, at)
    give_consents(session, actor, codes=sorted(filing.consents), at=at)
    making = TicketBuilder(actor, case, calendar, at, _employer(session, actor, filing, at))
    number = ticket_number(state_before.administrative_code, case.today, state_before.sequence)
    making.make(ticket_id, number, key=key[0], digest=key[1])
    return _write(session, making)


def _checked(
    session: Session,
    actor: Actor,
    filing: Filing,
    open_offerings: frozenset[str],
    calendar: WorkingCalendar,
    at: datetime,
) -> Case:
    if not filing.items:
        raise Invalid(errors=[FieldError("items", "required")])
    household = household_for(session, actor)
    if not household.applicant.complete:
        raise Conflict("profile_incomplete")
    bundle = current_bundle(session, actor.district, filing.bundle)
    if bundle is None:
        raise Invalid(errors=[FieldError("bundle", "bundle_unknown")])
    today = calendar.local_date(at)
    kinship = {member.id: member.kinship.value for member in household.family.values()}
    faults = filing_faults(filing, bundle, kinship, today=today)
    if faults:
        raise Invalid(errors=faults)
    subjects = {requested.subject for requested in filing.items if requested.subject is not None}
    case = Case(
        filing=filing,
        bundle=bundle,
        household=household,
        facts=facts_of(session, actor, persons={actor.person, *subjects}, on=today),
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
    return case


def _material_faults(session: Session, actor: Actor, case: Case) -> list[FieldError]:
    filing = case.filing
    attached = [
        *filing.materials,
        *(one for requested in filing.items for one in requested.materials),
    ]
    kept = materials_by_ids(
        session, actor, ids={one.material for one in attached}, person=actor.person
    )
    asked = [
        (case.bundle.offerings[requested.offering], case.known_for(requested))
        for requested in filing.items
    ]
    return material_faults(filing, asked, kept)


def _employer(session: Session, actor: Actor, filing: Filing, at: datetime) -> UUID | None:
    """The enterprise that may follow; no statement unless the applicant lets it, else one."""
    stated = followed_by(filing)
    if stated is None:
        return None
    return confirm_employment(
        session, actor, credit_code=stated.credit_code, since=stated.since, at=at
    )


def _write(session: Session, making: TicketBuilder) -> TicketRows:
    making.freeze_people(session)
    ticket, items = Ticket(**making.ticket), [Item(**item) for item in making.items]
    _emit(session, making, ticket)
    insert_rows(session, Ticket, [making.ticket | {"last_seq": ticket.last_seq}])
    _insert_items(session, making)
    insert_rows(session, TicketSection, making.sections(session))
    insert_rows(session, TicketMaterial, making.materials())
    insert_rows(session, Edge, making.edges)
    insert_rows(session, ReliedFact, making.relied)
    stages = [ItemStage(**stage) for stage in making.opening.stages]
    making.opening.write(session)
    edges = [Edge(**edge) for edge in making.edges]
    return TicketRows(ticket, items, stages, edges, making.calendar)


def _insert_items(session: Session, making: TicketBuilder) -> None:
    """Raises `Conflict` where one of them is open already, also when filed at the same moment.

    In the order of what may be open once: of two filings that meet, one waits for the other, and
    never each for the other. Consents are given in their order for the same reason.
    """
    ordered = sorted(
        making.items, key=lambda item: (item["offering_code"], str(item["subject_id"]))
    )
    written = insert_new_rows(session, Item, ordered)
    if len(written) == len(making.items):
        return
    wanted = {(item["offering_code"], item["subject_id"]) for item in making.items}
    in_the_way = session.execute(
        select(Item.number, Item.offering_code, Item.subject_id).where(
            Item.district_id == making.actor.district,
            Item.person_id == making.actor.person,
            Item.phase != Phase.ENDED,
            Item.id.not_in(written),
        )
    ).all()
    numbers = [row.number for row in in_the_way if (row.offering_code, row.subject_id) in wanted]
    raise Conflict("item_already_open", number=", ".join(sorted(numbers)))


def _emit(session: Session, making: TicketBuilder, ticket: Ticket) -> None:
    """Tell that the ticket was filed, and each of its items."""

    def tell(kind: TicketEvent, item: UUID | None, details: dict[str, object]) -> None:
        ticket.last_seq += 1
        events.emit(
            session,
            kind,
            actor=making.actor,
            at=making.at,
            ticket_id=ticket.id,
            seq=ticket.last_seq,
            item_id=item,
            public=True,
            data=details,
        )

    tell(TicketEvent.TICKET_FILED, None, {"bundle": ticket.bundle_code})
    for item in making.items:
        kind, details = making.told[item["id"]]
        tell(kind, item["id"], details)
