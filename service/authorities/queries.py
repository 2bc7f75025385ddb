"""Reads of authorities: a person's own, and those by which an agent may act today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, select
from sqlalchemy.orm import Session

from service.authorities.models import EmployeeAuthority
from service.enterprises.queries import employment_stands, enterprise_names
from service.identity.people.queries import family_ids, masked_names, own_person
from service.kernel.actor import Actor
from service.kernel.db import for_change, scope_of, set_scope
from service.kernel.db.scope import ScopeKind
from service.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class GivenAuthority:
    """An authority as the person who gave it sees it."""

    id: UUID
    enterprise: str
    given_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Authorised:
    """Somebody for whom an enterprise's agents may file; the name is masked."""

    id: UUID
    employee: str = field(repr=False)
    given_at: datetime


def visible(actor: Actor) -> ColumnElement[bool]:
    """The one predicate of whose authorities a talent sees: their own, in the actor's district."""
    return (EmployeeAuthority.district_id == actor.district) & (
        EmployeeAuthority.person_id == own_person(actor)
    )


def usable(actor: Actor, enterprise_id: UUID) -> ColumnElement[bool]:
    """The one predicate of authorities by which an enterprise's agents may act at this moment.

    Those that are not revoked, as long as the employment they rest on has not ended.
    """
    return (
        (EmployeeAuthority.district_id == actor.district)
        & (EmployeeAuthority.enterprise_id == enterprise_id)
        & EmployeeAuthority.revoked_at.is_(None)
        & employment_stands(actor, EmployeeAuthority.employment_id)
    )


def authorities_for(session: Session, actor: Actor) -> list[GivenAuthority]:
    """What the talent who asks has given in this district, revoked ones too, the newest first.

    Two statements, one where there is none. Raises `Forbidden` for anybody else.
    """
    rows = session.scalars(
        select(EmployeeAuthority).where(visible(actor)).order_by(EmployeeAuthority.id.desc())
    ).all()
    return _given(session, actor, rows)


def authority_given(
    session: Session, actor: Actor, authority_id: UUID, *, lock: bool = False
) -> EmployeeAuthority:
    """One of the talent's own, locked for a change where asked; raises `NotFound`."""
    query = select(EmployeeAuthority).where(visible(actor), EmployeeAuthority.id == authority_id)
    query = for_change(query, EmployeeAuthority) if lock else query
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound
    return row


def shown(session: Session, actor: Actor, row: EmployeeAuthority) -> GivenAuthority:
    """A row as its giver sees it; one statement."""
    return _given(session, actor, [row])[0]


def authorised_for(
    session: Session, actor: Actor, enterprise_id: UUID, *, before: UUID | None, limit: int
) -> list[Authorised]:
    """For whom the enterprise's agents may file, the last given first, from below `before`.

    At most `limit` + 1 of them; two statements, one where there is nobody.
    """
    query = (
        select(EmployeeAuthority.id, EmployeeAuthority.person_id, EmployeeAuthority.given_at)
        .where(usable(actor, enterprise_id))
        .order_by(EmployeeAuthority.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(EmployeeAuthority.id < before)
    rows = session.execute(query).all()
    names = masked_names(session, {row.person_id for row in rows})
    return [Authorised(row.id, names.get(row.person_id, ""), row.given_at) for row in rows]


def usable_authority(
    session: Session, actor: Actor, enterprise_id: UUID, authority_id: UUID
) -> EmployeeAuthority:
    """The authority by which an agent acts; it cannot be revoked before the transaction ends.

    Raises `NotFound` for what is another enterprise's, revoked, or rests on an employment that has
    ended: such a person is nobody whom the agent knows of. One statement.
    """
    row = session.scalars(
        select(EmployeeAuthority)
        .where(usable(actor, enterprise_id), EmployeeAuthority.id == authority_id)
        .with_for_update(read=True, of=EmployeeAuthority)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def act_for(session: Session, actor: Actor, authority: EmployeeAuthority) -> None:
    """From here on the transaction sees and writes what the employee may; the agent acts.

    Two statements. The authority has been read with `usable_authority` in this transaction.
    """
    person, own = authority.person_id, scope_of(actor)
    own = replace(own, kind=ScopeKind.PERSON, person=person, household=frozenset({person}))
    set_scope(session, own)
    family = family_ids(session, person)
    if family:
        set_scope(session, replace(own, household=own.household | family))


def giver_of(
    *, district: ColumnElement[str] | Any, authority: ColumnElement[UUID] | Any
) -> ScalarSelect[UUID]:
    """The account that gave an authority, as an expression; null where there is no authority."""
    return (
        select(EmployeeAuthority.account_id)
        .where(EmployeeAuthority.district_id == district, EmployeeAuthority.id == authority)
        .scalar_subquery()
    )


def _given(
    session: Session, actor: Actor, rows: Sequence[EmployeeAuthority]
) -> list[GivenAuthority]:
    names = enterprise_names(session, actor, {row.enterprise_id for row in rows})
    return [
        GivenAuthority(row.id, names[row.enterprise_id], row.given_at, row.revoked_at)
        for row in rows
    ]
