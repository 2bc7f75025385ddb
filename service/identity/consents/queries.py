"""Reading consents."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.identity.consents.models import Consent
from service.identity.people.queries import own_person
from service.kernel.actor import Actor


def consents_for(session: Session, actor: Actor) -> Sequence[Consent]:
    """The consents that the talent who asks gave in this district, newest first."""
    return session.scalars(
        select(Consent)
        .where(Consent.district_id == actor.district, Consent.person_id == own_person(actor))
        .order_by(Consent.id.desc())
    ).all()


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
