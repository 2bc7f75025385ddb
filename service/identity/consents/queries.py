"""Reading consents."""

from __future__ import annotations

from collections.abc import Sequence

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
