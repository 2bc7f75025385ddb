"""Reading consents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    select,
)
from sqlalchemy.orm import Session

from service.identity.consents.models import Consent
from service.identity.people.queries import own_person
from service.kernel.actor import Actor
from service.kernel.db import is_there


def consents_for(session: Session, actor: Actor) -> Sequence[Consent]:
    """The consents that the talent who asks gave in this district, newest first."""
    return session.scalars(
        select(Consent)
        .where(Consent.district_id == actor.district, Consent.person_id == own_person(actor))
        .order_by(Consent.id.desc())
    ).all()


def consent_stands(
    code: str, *, district: ColumnElement[str] | Any, person: ColumnElement[UUID] | Any
) -> ColumnElement[bool]:
    """Whether a person's consent to some version of a text is in force, as an expression.

    `district` and `person` are columns of the row that is asked about. What was withdrawn is so
    from the next statement on.
    """
    return is_there(
        select(Consent.id).where(
            Consent.district_id == district,
            Consent.person_id == person,
            Consent.code == code,
            Consent.withdrawn_at.is_(None),
        )
    )


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
