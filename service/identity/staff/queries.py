"""Reading departments and the people who work in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    Uuid,
    any_,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session

from service.identity.auth.models import Account
from service.identity.staff.models import Department, StaffPost
from service.kernel.actor import Actor
from service.kernel.db import District

_DEFAULT_ZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff who may be handed a case; `own_case`: but not this one."""

    name: str
    own_case: bool


def colleague_with(
    session: Session,
    actor: Actor,
    account_id: UUID,
    *,
    department: str,
    role: str,
    person_id: UUID,
    at: datetime,
) -> Colleague | None:
    """Who this account is, if it holds the role in the department on that day; one statement.

    `person_id` is the person of the case they would be handed.
    """
    today = local_day(at)
    row = session.execute(
        select(Account.display_name, func.identity_is_case_of(Account.id, person_id))
        .join(StaffPost, StaffPost.account_id == Account.id)
        .join(District, District.id == StaffPost.district_id)
        .where(
            District.id == actor.district,
            Account.id == account_id,
            Account.disabled_at.is_(None),
            StaffPost.department == department,
            StaffPost.role == role,
            StaffPost.valid_from <= today,
            func.coalesce(StaffPost.valid_to, today) >= today,
        )
        .limit(1)
    ).one_or_none()
    return None if row is None else Colleague(row[0], row[1])


def staff_names(
    session: Session, actor: Actor, asked: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], str]:
    """The names at work of those who hold or held a post, by department and account.

    Only of departments in which the actor has a post too. One statement, none for nobody.
    """
    own = {post.department for post in actor.posts}
    wanted = {one for one in asked if one[0] in own}
    if not wanted:
        return {}
    rows = session.execute(
        select(StaffPost.department, StaffPost.account_id, Account.display_name)
        .join(Account, Account.id == StaffPost.account_id)
        .where(
            StaffPost.district_id == actor.district,
            StaffPost.account_id
            == any_(literal(sorted({account for _, account in wanted}), ARRAY(Uuid()))),
        )
        .distinct()
    )
    names = {(row.department, row.account_id): row.display_name for row in rows}
    return {one: names[one] for one in wanted if one in names}


def local_day(at: datetime) -> ColumnElement[date]:
    """The date that a moment has in the district which the statement reads."""
    zone = func.coalesce(District.settings["zone"].astext, _DEFAULT_ZONE)
    return cast(func.timezone(zone, at), Date)


def department_names(session: Session, actor: Actor) -> dict[str, dict[str, str]]:
    """The names of the district's departments, by code."""
    rows = session.execute(
        select(Department.code, Department.name).where(Department.district_id == actor.district)
    ).all()
    return {row.code: row.name for row in rows}


def departments_of(session: Session, district: str) -> Sequence[Department]:
    """The departments of a district, by code; one statement."""
    return session.scalars(
        select(Department).where(Department.district_id == district).order_by(Department.code)
    ).all()


def department_name(
    *, district: ColumnElement[str] | Any, code: ColumnElement[str] | Any
) -> ColumnElement[dict[str, str]]:
    """The names of a department in all languages, as an expression over columns of another row."""
    return (
        select(Department.name)
        .where(Department.district_id == district, Department.code == code)
        .scalar_subquery()
    )
