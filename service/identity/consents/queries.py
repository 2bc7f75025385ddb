"""Reading consents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.identity.consents.models import Consent
from service.identity.consents.rules import LegalBasis
from service.identity.people.queries import own_person
from service.kernel.actor import Actor
from service.kernel.views import Listing


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent that the talent gave; `withdrawn_at` is None as long as it stands."""

    code: str
    version: int
    legal_basis: LegalBasis
    given_at: datetime
    withdrawn_at: datetime | None


def consents_for(session: Session, actor: Actor) -> Listing[ConsentView]:
    """The consents that the talent who asks gave in this district, newest first; one statement."""
    rows = session.execute(
        select(
            Consent.code,
            Consent.version,
            Consent.legal_basis,
            Consent.given_at,
            Consent.withdrawn_at,
        )
        .where(Consent.district_id == actor.district, Consent.person_id == own_person(actor))
        .order_by(Consent.id.desc())
    )
    return Listing([ConsentView(*row) for row in rows])


def standing_consents(session: Session, actor: Actor, person: UUID) -> frozenset[str]:
    """The texts (`processing@1`) to which a person's consent stands in the actor's district.

    For who acts by the person's authority. One statement.
    """
    rows = session.execute(
        select(Consent.code, Consent.version).where(
            Consent.district_id == actor.district,
            Consent.person_id == person,
            Consent.withdrawn_at.is_(None),
        )
    )
    return frozenset(f"{row.code}@{row.version}" for row in rows)
