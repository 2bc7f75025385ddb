"""What a talent does with notices."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.notifications.models import Notice
from service.notifications.queries import Count, unread_for, visible


def mark_read(
    session: Session, actor: Actor, *, ids: Collection[UUID] | None, at: datetime
) -> Count:
    """Mark the actor's notices as read, all until `at` where none are named; returns what is
    unread.

    A notice keeps the moment at which it was first read. Ids that are not the actor's are passed
    over: whether such a notice exists is not told.
    """
    chosen = Notice.at <= at if ids is None else Notice.id.in_(ids)
    session.execute(
        update(Notice)
        .where(visible(actor), Notice.read_at.is_(None), chosen)
        .values(read_at=at)
        .execution_options(synchronize_session=False)
    )
    return unread_for(session, actor)
