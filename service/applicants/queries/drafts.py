"""Drafts: what a talent has begun and not filed, on whichever phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.kernel.db import for_change
from service.kernel.errors import NotFound
from service.kernel.sealed import opened_json
from service.tickets.models.filed import Draft
from service.tickets.visibility import visible


def draft_for(session: Session, actor: Actor, draft_id: UUID, *, lock: bool = False) -> Draft:
    """One of the actor's drafts, locked for a change where asked; raises `NotFound`."""
    query = select(Draft).where(visible(actor, Draft), Draft.id == draft_id)
    draft = session.scalars(for_change(query, Draft) if lock else query).one_or_none()
    if draft is None:
        raise NotFound
    return draft


def content_of(session: Session, draft: Draft) -> dict[str, Any]:
    """What a draft says; raises `NotFound` where it was erased. One statement for a key at most."""
    content: dict[str, Any] | None = opened_json(session, Draft.content, draft, otherwise=None)
    if content is None:
        raise NotFound
    return content


def drafts_for(
    session: Session, actor: Actor, *, before: UUID | None, limit: int
) -> Sequence[Draft]:
    """The actor's drafts, the newest first, from below `before`; at most `limit` + 1 of them."""
    query = select(Draft).where(visible(actor, Draft)).order_by(Draft.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Draft.id < before)
    return session.scalars(query).all()


def number_of_drafts(session: Session, actor: Actor) -> int:
    """How many drafts the actor keeps."""
    return session.execute(
        select(func.count()).select_from(Draft).where(visible(actor, Draft))
    ).scalar_one()
