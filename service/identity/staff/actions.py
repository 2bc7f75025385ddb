"""Departments and the people who work in them, as an installation sets them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.identity.auth.actions.accounts import ensure_account
from service.identity.people.rules import AccountKind
from service.identity.staff.models import Department, StaffPost
from service.identity.staff.vocabulary import PostsEnded, StaffEvent
from service.kernel import clock
from service.kernel.actor import system
from service.kernel.db import District, insert_rows
from service.kernel.events import emit
from service.kernel.ids import new_id
from service.kernel.permissions import Role

PostGiven = tuple[str, Role]
"""A department's code and a role in it."""


def publish_departments(
    session: Session, *, departments: Sequence[Mapping[str, Any]], at: datetime
) -> None:
    """Bring the departments of the transaction's district up to date, by code.

    Each is `{"code", "name": {"zh", "en"}, "kind"}`. One that is no longer named stays: posts and
    cases refer to it.
    """
    if not departments:
        return
    district, _ = _district_today(session, at)
    rows = [
        {
            "district_id": district,
            "id": new_id(),
            "code": one["code"],
            "name": one["name"],
            "kind": one["kind"],
        }
        for one in departments
    ]
    written = insert(Department).values(rows)
    session.execute(
        written.on_conflict_do_update(
            index_elements=["district_id", "code"],
            set_={"name": written.excluded.name, "kind": written.excluded.kind},
        )
    )


def ensure_staff(
    session: Session,
    *,
    username: str,
    display_name: str,
    password: str,
    posts: Iterable[PostGiven],
    at: datetime,
    person_id: UUID | None = None,
    renamed: bool = False,
) -> UUID:
    """Make this account, or make it be so: name, password, and exactly these posts from today on.

    Returns the account's id. What the account has claimed in a post that ends goes back into the
    pool. `person_id` is the person of a member of staff who is a talent too: they may not work on
    their own cases. An account stays that of one person permanently: another name is taken only
    where `renamed` says that it is the same person's. The transaction runs in the scope of its
    district, and of nobody, before and after. Raises what `ensure_account` raises; the database
    refuses an unknown department.
    """
    district, today = _district_today(session, at)
    account_id = ensure_account(
        session,
        kind=AccountKind.STAFF,
        district=district,
        username=username,
        display_name=display_name,
        password=password,
        at=at,
        person_id=person_id,
        renamed=renamed,
    )
    if _hold_posts(session, district, account_id, frozenset(posts), today):
        ended = PostsEnded(account=account_id)
        emit(session, StaffEvent.POSTS_ENDED, actor=system(district), at=at, data=ended)
    return account_id


def _district_today(session: Session, at: datetime) -> tuple[str, date]:
    """The district the transaction is scoped to, and the date there; one statement."""
    district, zone = session.execute(
        select(District.id, District.zone).where(
            District.id == func.current_setting("app.district")
        )
    ).one()
    return district, clock.local_date(at, zone)


def _hold_posts(
    session: Session, district: str, account_id: UUID, wanted: frozenset[PostGiven], today: date
) -> bool:
    """End the posts that are not wanted (today is no longer worked), begin those that are new.

    Returns whether any was ended.
    """
    rows = session.execute(
        select(StaffPost.id, StaffPost.department, StaffPost.role, StaffPost.valid_from).where(
            StaffPost.district_id == district,
            StaffPost.account_id == account_id,
            func.coalesce(StaffPost.valid_to, today) >= today,
        )
    ).all()
    held = {(row.department, row.role) for row in rows if row.valid_from <= today}
    dropped = [row for row in rows if (row.department, row.role) not in wanted]
    begun = [row.id for row in dropped if row.valid_from < today]
    not_begun = [row.id for row in dropped if row.valid_from >= today]
    ended = update(StaffPost).where(StaffPost.district_id == district, StaffPost.id.in_(begun))
    session.execute(ended.values(valid_to=today - timedelta(days=1)))
    session.execute(
        delete(StaffPost).where(StaffPost.district_id == district, StaffPost.id.in_(not_begun))
    )
    common = {"district_id": district, "account_id": account_id, "valid_from": today}
    new = sorted(wanted - held)
    insert_rows(session, StaffPost, [common | {"department": d, "role": r} for d, r in new])
    return bool(dropped)
