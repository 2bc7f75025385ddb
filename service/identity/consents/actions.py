"""Consents: given with a filing, and those that nothing rests on taken back and given at will."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.identity.consents.models import Consent
from service.identity.consents.rules import FREE, LegalBasis, parse_consent
from service.identity.people.queries import own_person
from service.kernel import audit
from service.kernel.actor import Actor
from service.kernel.db import insert_new_rows
from service.kernel.errors import Conflict, FieldError, Invalid
from service.kernel.ids import new_id


def give_consents(
    session: Session, actor: Actor, *, codes: Sequence[str], at: datetime
) -> set[UUID]:
    """Record the talent's consent to each text, named `processing@1`; given again, it stays as is.

    Returns the ids of those that were not in force before. One statement, whatever the number.
    Raises `Invalid` at `consents.<n>` for another form.
    """
    person_id = own_person(actor)
    rows = []
    for place, code in enumerate(codes):
        parsed = parse_consent(code)
        if parsed is None:
            raise Invalid(errors=[FieldError(f"consents.{place}", "wrong_pattern")])
        rows.append(
            {
                "district_id": actor.district,
                "id": new_id(),
                "person_id": person_id,
                "code": parsed[0],
                "version": parsed[1],
                "legal_basis": LegalBasis.CONSENT,
                "given_at": at,
            }
        )
    return insert_new_rows(session, Consent, rows)


def change_consent(
    session: Session, actor: Actor, *, consent: str, given: bool, at: datetime
) -> None:
    """Give a consent, or withdraw it: then every version of the text, whichever is named.

    It acts on the next request. Done twice, it stays as it is. Raises `Invalid` at `consent` for
    another form than `enterprise@2`, and `Conflict("consent_needed")` for a text that filings
    rest on.
    """
    parsed = parse_consent(consent)
    if parsed is None:
        raise Invalid(errors=[FieldError("consent", "wrong_pattern")])
    if parsed[0] not in FREE:
        raise Conflict("consent_needed")
    if given:
        changed = give_consents(session, actor, codes=[consent], at=at)
    else:
        changed = _withdraw(session, actor, parsed[0], at)
    if changed:
        audit.record(
            session,
            "consent.given" if given else "consent.withdrawn",
            actor=actor,
            at=at,
            subject=own_person(actor),
            data={"consent": consent},
        )


def _withdraw(session: Session, actor: Actor, code: str, at: datetime) -> set[UUID]:
    withdrawn = session.scalars(
        update(Consent)
        .where(
            Consent.district_id == actor.district,
            Consent.person_id == own_person(actor),
            Consent.code == code,
            Consent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=at)
        .returning(Consent.id)
    )
    return set(withdrawn)
