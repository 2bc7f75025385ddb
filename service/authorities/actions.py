"""A person lets their employer's agents file for them, and revokes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.authorities.models import EmployeeAuthority
from service.authorities.queries import authority_given, visible
from service.enterprises.queries import open_employment
from service.identity.consents.actions import give_consents
from service.identity.people.queries import own_person
from service.kernel import audit
from service.kernel.actor import Actor
from service.kernel.db import insert_new_rows
from service.kernel.errors import Conflict
from service.kernel.ids import new_id


def give_authority(
    session: Session, actor: Actor, *, credit_code: str, consents: Sequence[str], at: datetime
) -> EmployeeAuthority:
    """Let the agents of an employer file for the talent, who says so for themselves.

    `consents` are given with it, because no agent can consent for somebody: filings rest on them.
    Given again, the authority stays as it was. Raises `Conflict("employment_not_confirmed")` where
    the talent is not known to work for such an enterprise, `Invalid` at `consents.<n>` for another
    form than `processing@1`, and `Forbidden` for whoever is no talent.
    """
    person_id = own_person(actor)
    employment = open_employment(session, actor, credit_code=credit_code)
    if employment is None:
        raise Conflict("employment_not_confirmed")
    give_consents(session, actor, codes=consents, at=at)
    authority_id = new_id()
    given = {
        "district_id": actor.district,
        "id": authority_id,
        "person_id": person_id,
        "account_id": actor.account,
        "enterprise_id": employment.enterprise_id,
        "employment_id": employment.id,
        "given_at": at,
    }
    if insert_new_rows(session, EmployeeAuthority, [given]):
        audit.record(session, "authority.given", actor=actor, at=at, subject=authority_id)
    return session.scalars(
        select(EmployeeAuthority).where(
            visible(actor),
            EmployeeAuthority.employment_id == employment.id,
            EmployeeAuthority.revoked_at.is_(None),
        )
    ).one()


def revoke_authority(
    session: Session, actor: Actor, *, authority_id: UUID, at: datetime
) -> EmployeeAuthority:
    """Agents file for the talent no longer, from the next request on; what was filed stays.

    Revoked again, it stays as it was. Raises `NotFound` for anybody else's.
    """
    row = authority_given(session, actor, authority_id, lock=True)
    if row.revoked_at is None:
        row.revoked_at = max(at, row.given_at)  # another machine's clock may be ahead
        session.flush()
        audit.record(session, "authority.revoked", actor=actor, at=at, subject=row.id)
    return row
