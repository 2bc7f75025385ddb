"""Reads of notices: an account sees its own, in the district it is signed in to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.notifications.models import Notice

MOST_COUNTED: Final = 100
IN_LIST: Final = (
    Notice.id,
    Notice.kind,
    Notice.at,
    Notice.read_at,
    Notice.ticket_id,
    Notice.item_id,
    Notice.params,
)

NoticeRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; where it is not exact, there are more than `value`."""

    value: int
    exact: bool


def visible(actor: Actor) -> ColumnElement[bool]:
    """The one predicate of who sees a notice: the account it was left for, in that district."""
    return (Notice.district_id == actor.district) & (Notice.account_id == actor.account)


def notices_for(
    session: Session, actor: Actor, *, before: UUID | None, limit: int
) -> Sequence[NoticeRow]:
    """The actor's notices, the newest first, from below `before`; at most `limit` + 1 of them."""
    query = select(*IN_LIST).where(visible(actor)).order_by(Notice.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Notice.id < before)
    return session.execute(query).all()


def unread_for(session: Session, actor: Actor) -> Count:
    """How many notices the actor has not read: exact up to `MOST_COUNTED`, never more than that."""
    unread = select(Notice.id).where(visible(actor), Notice.read_at.is_(None))
    bounded = unread.limit(MOST_COUNTED + 1).subquery()
    found = session.scalars(select(func.count()).select_from(bounded)).one()
    return Count(min(found, MOST_COUNTED), exact=found <= MOST_COUNTED)
