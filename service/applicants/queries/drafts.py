"""Drafts: what a talent has begun and not filed, on whichever phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, Integer, Select, Uuid, bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.kernel.db import for_change, prepared
from service.kernel.errors import Conflict, NotFound, Problem
from service.kernel.sealed import opened_json
from service.tickets.models.filed import Draft, Ticket
from service.tickets.visibility import Anyone, Seen, asking, visible


def draft_for(session: Session, actor: Actor, draft_id: UUID) -> Draft:
    """One of the actor's drafts; raises `NotFound`."""
    query = select(Draft).where(visible(actor, Draft), Draft.id == draft_id)
    draft = session.scalars(query).one_or_none()
    if draft is None:
        raise NotFound
    return draft


def locked_draft_for(session: Session, actor: Actor, draft_id: UUID) -> Draft:
    """One of the actor's drafts, locked for a change.

    Raises `Conflict("already_filed")` with the number of the ticket that it has become, and
    `NotFound`.
    """
    query = select(Draft).where(visible(actor, Draft), Draft.id == draft_id)
    draft = session.scalars(for_change(query, Draft)).one_or_none()
    if draft is not None:
        return draft
    filed = select(Ticket.number).where(visible(actor, Ticket), Ticket.id == draft_id)
    number = session.scalar(filed)
    if number is None:
        raise NotFound
    raise Conflict("already_filed", number=number)


def no_such_ticket(session: Session, actor: Actor, ticket_id: UUID) -> Problem:
    """Why the actor has no such ticket: it is a draft still, `not_filed`, or there is none."""
    kept = select(Draft.id).where(visible(actor, Draft), Draft.id == ticket_id)
    return NotFound() if session.scalar(kept) is None else Conflict("not_filed")


def content_of(session: Session, draft: Draft) -> dict[str, Any]:
    """What a draft says; raises `NotFound` where it was erased. One statement for a key at most."""
    content: dict[str, Any] | None = opened_json(session, Draft.content, draft, otherwise=None)
    if content is None:
        raise NotFound
    return content


def drafts_for(
    session: Session, actor: Actor, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Draft]:
    """The actor's drafts, the last begun first, from before that moment and id.

    At most `limit` + 1 of them.
    """
    asked = {**asking(actor), "limit": limit + 1}
    if before is None:
        return _NEWEST.by(actor).all(session, **asked)
    return _OLDER.by(actor).all(session, **asked, created_at=before[0], id=before[1])


def _newest(who: Anyone) -> Select[Draft]:
    return (
        select(Draft)
        .where(visible(who, Draft))
        .order_by(Draft.created_at.desc(), Draft.id.desc())
        .limit(bindparam("limit", type_=Integer()))
    )


def _older(who: Anyone) -> Select[Draft]:
    begun = bindparam("created_at", type_=DateTime(timezone=True))
    place = tuple_(begun, bindparam("id", type_=Uuid()))
    return _newest(who).where(tuple_(Draft.created_at, Draft.id) < place)


_NEWEST: Final = Seen(lambda who: prepared(_newest(who)))
_OLDER: Final = Seen(lambda who: prepared(_older(who)))


def number_of_drafts(session: Session, actor: Actor) -> int:
    """How many drafts the actor keeps."""
    return session.execute(
        select(func.count()).select_from(Draft).where(visible(actor, Draft))
    ).scalar_one()
