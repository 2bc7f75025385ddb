"""Filing: everything or nothing, once per key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.applicants.queries.drafts import content_of, locked_draft_for
from service.applicants.queries.tickets import TicketRows, rows_of
from service.calendars.queries import calendar_of
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import current_bundle
from service.catalogue.rules.definitions import BundleDefinition
from service.enterprises.actions import confirm_employment
from service.facts.queries import facts_of
from service.filing.actions.build import begin, new_ticket
from service.filing.queries import FilingState, filing_state, stated_employer
from service.filing.rules.context import FilingContext
from service.filing.rules.filing import (
    Filing,
    filing_faults,
    filing_of,
    followed_by,
    unsound,
)
from service.filing.rules.left_out import without_documents, without_fields
from service.filing.rules.materials import Asked, AskedFor, material_faults
from service.identity.consents.actions import give_consents
from service.identity.consents.queries import standing_consents
from service.identity.people.queries import (
    Household,
    household_of,
    own_person,
)
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, FieldError, Invalid, Stale
from service.kernel.ids import new_id
from service.kernel.messages import BETWEEN, LANGUAGES
from service.materials.queries import handed_in
from service.tickets.models.filed import Ticket
from service.tickets.rules.applicant import Applicant, Authority
from service.tickets.rules.criteria import criterion_faults
from service.tickets.rules.states import (
    ticket_number,
)
from service.tickets.visibility import of_applicant


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

    The caller has made sure that the actor may file for the applicant. The same key of the
    same account returns the same ticket permanently, as it then stands. Raises `Invalid` with
    everything wrong with the filing, criteria that are not met included, or for a key used with
    another digest, and `Conflict`: `profile_incomplete`; `item_already_open` with the number of
    the item in the way; `subject_item_open` where another of the family applied for the same;
    `consents_not_standing` where an agent files and the applicant has not consented before.
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

    Raises what `file_ticket` raises, `NotFound`, `Stale`, and `Conflict("already_filed")` where it
    was filed with another key; then all stays as it is.
    """
    applicant = Applicant.themselves(own_person(actor))
    state_before = filing_state(session, actor, applicant, key=key)
    if state_before.ticket_id is not None:
        return _filed_before(session, actor, applicant, state_before, digest)
    draft = locked_draft_for(session, actor, ticket_id)
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
    return rows_of(session, actor, ticket)


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
    ticket = new_ticket(actor, applicant, context, ticket_id, number, employer, key, at)
    return begin(session, actor, context, household, ticket, calendar, at)


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
    filing = without_fields(filing, bundle, today=today)
    faults = filing_faults(filing, bundle, kinship, today=today)
    subjects = {one.subject for one in filing.items if one.subject} & household.family.keys()
    people = {applicant.person, *subjects}
    born = {one.id: one.birth_date for one in household.family.values()}
    case = FilingContext(
        filing=filing,
        bundle=bundle,
        applicant=applicant.person,
        born=born | {applicant.person: household.applicant.birth_date},
        facts=facts_of(session, actor, persons=people, on=today),
        open_offerings=open_offerings,
        today=today,
    )
    case, found = _of_case(session, actor, case, faults)
    faults += found
    if faults:
        raise Invalid(errors=faults)
    return case, household


def _of_case(
    session: Session, actor: Actor, case: FilingContext, faults: Sequence[FieldError]
) -> tuple[FilingContext, list[FieldError]]:
    """The case without documents that nobody asks for; criteria that are not met and documents that
    are missing, as far as what is said right tells.

    Documents are asked for by all items together: where one of them is none, not at all.
    """
    found: list[FieldError] = []
    asked = []
    for place, requested in enumerate(case.filing.items):
        wrong = unsound(faults, place)
        if wrong is None:
            continue
        definition, known = case.bundle.offerings[requested.offering], case.known_for(requested)
        asked.append(AskedFor(definition, known, wrong))
        found += criterion_faults(definition, known, f"items.{place}", wrong)
    if len(asked) == len(case.filing.items):
        case = replace(case, filing=without_documents(case.filing, asked))
        found += _material_faults(session, actor, case, asked)
    return case, found


def _consented(
    session: Session,
    actor: Actor,
    applicant: Applicant,
    filing: Filing,
    bundle: BundleDefinition,
) -> Filing:
    """The filing with the applicant's own consents, given before: nobody consents for another."""
    standing = standing_consents(session, actor, applicant.person)
    missing = [one for one in bundle.consents if not one.optional and one.ref not in standing]
    if missing:
        titles = {
            language: BETWEEN[language].join(one.title[language] for one in missing)
            for language in LANGUAGES
        }
        refs = ", ".join(one.ref for one in missing)
        raise Conflict("consents_not_standing", consents=refs, titles=titles)
    given = [one.ref for one in bundle.consents if one.ref in standing]
    return replace(filing, consents=given)


def _material_faults(
    session: Session, actor: Actor, case: FilingContext, asked: Asked
) -> list[FieldError]:
    filing = case.filing
    attached = [
        *filing.materials,
        *(one for requested in filing.items for one in requested.materials),
    ]
    kept = handed_in(session, actor, ids={one.material for one in attached}, person=case.applicant)
    return material_faults(filing, asked, kept)


def _let_follow(
    session: Session, actor: Actor, filing: Filing, employer: UUID | None, at: datetime
) -> None:
    """Confirm for whom the applicant works; one statement, none unless they let it follow."""
    stated = followed_by(filing)
    if stated is not None and employer is not None:
        confirm_employment(session, actor, enterprise_id=employer, since=stated.since, at=at)
