"""What a talent does with notices."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.kernel.errors import FieldError, Invalid
from service.notifications.models import Notice
from service.notifications.queries import Count, unread_for, visible


def mark_read(
    session: Session,
    actor: Actor,
    *,
    ids: Collection[UUID] | None = None,
    until: UUID | None = None,
    at: datetime,
) -> Count:
    """Mark the actor's notices as read: those named, or all up to one; returns what is unread.

    `until` is the newest that they have seen: what came after it stays unread. A notice keeps the
    moment at which it was first read. Ids that are not the actor's are passed over: whether such a
    notice exists is not told. Raises `Invalid` where both are given, or neither.
    """
    if (ids is None) is (until is None):
        raise Invalid(errors=[FieldError("until", "ids_or_until")])
    chosen = Notice.id <= until if ids is None else Notice.id.in_(ids)
    session.execute(
        update(Notice)
        .where(visible(actor), Notice.read_at.is_(None), chosen)
        .values(read_at=at)
        .execution_options(synchronize_session=False)
    )
    return unread_for(session, actor)
