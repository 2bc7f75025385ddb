"""Reads of enterprises, and whom an employer may follow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, or_, select
from sqlalchemy.orm import Session

from service.enterprises.models import Employment, Enterprise, EnterpriseAgent
from service.enterprises.rules import normal_credit_code
from service.identity.people.queries import masked_names
from service.kernel.actor import Actor
from service.kernel.db import prepared, scope_of, set_scope
from service.kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody who works for the enterprise and lets it follow; the name is masked."""

    id: UUID
    name: str = field(repr=False)
    since: date | None


def enterprise_for(session: Session, actor: Actor, *, on: date) -> Enterprise:
    """The enterprise for which an agent acts on a day in the district; two statements.

    From here on the transaction sees what that enterprise may follow. Raises
    `Forbidden("no_enterprise_in_district")`, also from the day on after they acted for it the last
    time.
    """
    enterprise = _ACTED_FOR.one_or_none(
        session, district=actor.district, account=actor.account, on=on
    )
    if enterprise is None:
        raise Forbidden("no_enterprise_in_district")
    set_scope(session, replace(scope_of(actor), enterprise=enterprise.id))
    return enterprise


_ACTED_FOR: Final = prepared(
    select(Enterprise)
    .join(
        EnterpriseAgent,
        (EnterpriseAgent.district_id == Enterprise.district_id)
        & (EnterpriseAgent.enterprise_id == Enterprise.id),
    )
    .where(
        EnterpriseAgent.district_id == bindparam("district"),
        EnterpriseAgent.account_id == bindparam("account"),
        EnterpriseAgent.valid_from <= bindparam("on"),
        or_(EnterpriseAgent.valid_to.is_(None), EnterpriseAgent.valid_to >= bindparam("on")),
    )
    .order_by(EnterpriseAgent.valid_from.desc(), EnterpriseAgent.id.desc())
    .limit(1)
)


def enterprise_numbered(
    district: ColumnElement[str] | str, credit_code: ColumnElement[str] | str | None
) -> ScalarSelect[UUID]:
    """The id of the enterprise with a normal credit code that a district knows, as an expression.

    Null where it knows none, and for no code. For a statement that asks for more.
    """
    return (
        select(Enterprise.id)
        .where(Enterprise.district_id == district, Enterprise.credit_code == credit_code)
        .scalar_subquery()
    )


def lets_follow(
    district: str | Any, enterprise_id: UUID | Any, *, person: ColumnElement[UUID] | Any
) -> ColumnElement[bool]:
    """The one predicate of whom an enterprise may follow in a district.

    Who works for it, as far as is known, and whose consent stands at this moment. `person` is a
    column of the row that is asked about. The database answers: an agent sees no consents.
    """
    answer = func.employer_may_follow(district, enterprise_id, person)
    # Said so, the planner takes it to hold for most rows, as it does, and goes on walking a list in
    # its order instead of reading and sorting all of it.
    predicate: ColumnElement[bool] = func.nullif(answer, False).is_not(None)
    return predicate


def employees_for(
    session: Session, actor: Actor, enterprise: Enterprise, *, before: UUID | None, limit: int
) -> Sequence[Employee]:
    """Whom the agent's enterprise may follow, the last confirmed first, from below `before`.

    At most `limit` + 1 of them; two statements, one where there is nobody.
    """
    query = (
        select(Employment.id, Employment.person_id, Employment.since)
        .where(
            Employment.district_id == actor.district,
            Employment.enterprise_id == enterprise.id,
            Employment.ended_on.is_(None),
            lets_follow(actor.district, enterprise.id, person=Employment.person_id),
        )
        .order_by(Employment.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(Employment.id < before)
    rows = session.execute(query).all()
    names = masked_names(session, [row.person_id for row in rows])
    return [Employee(row.id, names.get(row.person_id, ""), row.since) for row in rows]


def open_employment(session: Session, actor: Actor, *, credit_code: str) -> Employment | None:
    """The talent's employment at the enterprise with a credit code, as long as it has not ended.

    None where they are not known to work there. One statement.
    """
    return session.scalars(
        select(Employment)
        .join(
            Enterprise,
            (Enterprise.district_id == Employment.district_id)
            & (Enterprise.id == Employment.enterprise_id),
        )
        .where(
            Employment.district_id == actor.district,
            Employment.person_id == actor.person,
            Employment.ended_on.is_(None),
            Enterprise.credit_code == normal_credit_code(credit_code),
        )
    ).one_or_none()


def employment_stands(actor: Actor, employment: ColumnElement[UUID] | Any) -> ColumnElement[bool]:
    """Whether an employment of the actor's district has not ended, as an expression."""
    return (
        select(Employment.id)
        .where(
            Employment.district_id == actor.district,
            Employment.id == employment,
            Employment.ended_on.is_(None),
        )
        .exists()
    )


def enterprise_names(
    session: Session, actor: Actor, enterprises: Collection[UUID]
) -> dict[UUID, str]:
    """The names of enterprises of the actor's district; one statement, none for none."""
    if not enterprises:
        return {}
    rows = session.execute(
        select(Enterprise.id, Enterprise.name).where(
            Enterprise.district_id == actor.district, Enterprise.id.in_(enterprises)
        )
    )
    return {row.id: row.name for row in rows}
