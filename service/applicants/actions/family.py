"""Correcting what was said of a member of the family, and ending the link to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.applicants.queries.family import filed_about
from service.identity.people import actions
from service.identity.people.queries import FamilyMember, own_person
from service.identity.people.rules import GivenDocument, Kinship
from service.kernel.actor import Actor
from service.kernel.errors import Conflict
from service.tickets.locks import filing_lock
from service.tickets.rules.applicant import Applicant


def correct_family_member(
    session: Session,
    actor: Actor,
    *,
    member_id: UUID,
    document: GivenDocument,
    name: str | None = None,
    kinship: Kinship | None = None,
    at: datetime,
) -> FamilyMember:
    """Correct what was said of a member; what is left out stays.

    Raises `Conflict("family_member_in_item")` with the number while an item about them is open, and
    what `people.actions.correct_family_member` raises.
    """
    return actions.correct_family_member(
        session,
        actor,
        member_id,
        filed_about=_was_filed_about(session, actor, member_id),
        name=name,
        kinship=kinship,
        document=document,
        at=at,
    )


def end_family_link(session: Session, actor: Actor, *, member_id: UUID, at: datetime) -> None:
    """Let somebody count as family no longer; what was filed about them stays.

    Raises `Conflict("family_member_in_item")` with the number while an item about them is open, and
    `NotFound`.
    """
    _was_filed_about(session, actor, member_id)
    actions.end_family_link(session, actor, member_id, at=at)


def _was_filed_about(session: Session, actor: Actor, member_id: UUID) -> bool:
    """Whether an item about them has ended; raises `Conflict` while one is open.

    No filing for the talent is under way meanwhile.
    """
    applicant = Applicant.themselves(own_person(actor))
    session.execute(select(filing_lock(applicant)))
    found = filed_about(session, member_id)
    if found is not None and found.is_open:
        raise Conflict("family_member_in_item", number=found.number)
    return found is not None
