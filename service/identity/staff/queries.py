"""Reading departments and the people who work in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    Uuid,
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
from service.kernel.db import prepared
from service.kernel.permissions import Role

_NAMES: Final = prepared(
    text(
        "SELECT department, account_id, display_name"
        " FROM identity_names_at_work(:departments, :accounts)"
    ).bindparams(
        bindparam("departments", type_=ARRAY(Text())), bindparam("accounts", type_=ARRAY(Uuid()))
    ),
    lambda department, account, name: ((department, account), name),
)
"""Names at work by department and account."""


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
    people: Iterable[UUID | None],
    on: date,
) -> Colleague | None:
    """Who this account is, if it holds the role in the department on that day; two statements.

    `people` are whom the case names that they would be handed: who applied and who it is about,
    where there are such. None after one statement for who does not hold it.
    """
    about = {"district": actor.district, "department": department, "role": role}
    if not session.scalar(select(post_held(**about, account=account_id, on=on))):
        return None
    row = session.execute(
        select(
            Account.display_name,
            func.identity_cases_of(Account.id).op("&&", is_comparison=True)(
                literal([one for one in people if one is not None], ARRAY(Uuid()))
            ),
        ).where(Account.id == account_id, Account.disabled_at.is_(None))
    ).one_or_none()
    return None if row is None else Colleague(row[0] or "", row[1])


@dataclass(frozen=True, slots=True)
class TeamMember:
    """Somebody who works in a department today, with the roles of their posts there."""

    account: UUID
    name: str
    department: str
    roles: Sequence[Role]


def team_of(
    session: Session, actor: Actor, departments: Collection[str], *, on: date
) -> Sequence[TeamMember]:
    """Who holds a post in these departments on that day, by department and name; two statements.

    Accounts that are disabled are left out.
    """
    posts = session.execute(
        select(StaffPost.department, StaffPost.account_id, func.array_agg(StaffPost.role))
        .where(
            StaffPost.district_id == actor.district,
            StaffPost.department.in_(sorted(departments)),
            StaffPost.valid_from <= on,
            func.coalesce(StaffPost.valid_to, on) >= on,
        )
        .group_by(StaffPost.department, StaffPost.account_id)
    ).all()
    named = select(Account.id, Account.display_name).where(
        Account.id.in_({account for _, account, _ in posts}), Account.disabled_at.is_(None)
    )
    names = {row.id: row.display_name or "" for row in session.execute(named)}
    return sorted(
        (
            TeamMember(account, names[account], department, sorted(map(Role, roles)))
            for department, account, roles in posts
            if account in names
        ),
        key=lambda one: (one.department, one.name, one.account),
    )


def post_held(
    *,
    district: ColumnElement[str] | Any,
    account: ColumnElement[UUID | None] | Any,
    department: ColumnElement[str] | Any,
    role: ColumnElement[str] | Any,
    on: date,
) -> ColumnElement[bool]:
    """Whether an account has a role in a department on a day, as an expression over columns of
    another row or of values.
    """
    return (
        select(StaffPost.id)
        .where(
            StaffPost.district_id == district,
            StaffPost.account_id == account,
            StaffPost.department == department,
            StaffPost.role == role,
            StaffPost.valid_from <= on,
            func.coalesce(StaffPost.valid_to, on) >= on,
        )
        .exists()
    )


def disabled_among(session: Session, accounts: Collection[UUID]) -> set[UUID]:
    """Those of the district's staff that may not sign in any more; one statement at the most."""
    if not accounts:
        return set()
    disabled = select(Account.id).where(Account.id.in_(accounts), Account.disabled_at.is_not(None))
    return set(session.scalars(disabled))


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
    names = dict(_NAMES.all(session, departments=departments, accounts=accounts))
    return {one: names[one] for one in wanted if one in names}


def department_names(session: Session, actor: Actor) -> dict[str, dict[str, str]]:
    """The names of the district's departments, by code."""
    return dict(_DEPARTMENTS.all(session, district=actor.district))


_DEPARTMENTS: Final = prepared(
    select(Department.code, Department.name).where(Department.district_id == bindparam("district"))
)


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
