"""Reading departments and the people who work in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.orm import Session

from service.identity.auth.models import Account
from service.identity.staff.models import Department, StaffPost
from service.kernel.actor import Actor

_NAMES: Final = text(
    "SELECT department, account_id, display_name"
    " FROM identity_names_at_work(:departments, :accounts)"
).bindparams(
    bindparam("departments", type_=ARRAY(Text())), bindparam("accounts", type_=ARRAY(Uuid()))
)


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
    on: date,
) -> Colleague | None:
    """Who this account is, if it holds the role in the department on that day; two statements.

    `person_id` is the person of the case they would be handed. None after one statement for who
    does not hold it.
    """
    held = session.scalar(
        select(StaffPost.id)
        .where(
            StaffPost.district_id == actor.district,
            StaffPost.account_id == account_id,
            StaffPost.department == department,
            StaffPost.role == role,
            StaffPost.valid_from <= on,
            func.coalesce(StaffPost.valid_to, on) >= on,
        )
        .limit(1)
    )
    if held is None:
        return None
    row = session.execute(
        select(
            Account.display_name,
            literal(person_id, Uuid) == any_(func.identity_cases_of(Account.id)),
        ).where(Account.id == account_id, Account.disabled_at.is_(None))
    ).one_or_none()
    return None if row is None else Colleague(row[0] or "", row[1])


def posts_held(session: Session, district: str, *, on: date) -> set[tuple[str, str]]:
    """The departments of a district with the roles that somebody has there on a day."""
    rows = session.execute(
        select(StaffPost.department, StaffPost.role)
        .where(
            StaffPost.district_id == district,
            StaffPost.valid_from <= on,
            func.coalesce(StaffPost.valid_to, on) >= on,
        )
        .distinct()
    )
    return {(row.department, str(row.role)) for row in rows}


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
    departments, accounts = (sorted(set(each)) for each in zip(*wanted, strict=True))
    rows = session.execute(_NAMES, {"departments": departments, "accounts": accounts})
    names = {(row.department, row.account_id): row.display_name for row in rows}
    return {one: names[one] for one in wanted if one in names}


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
