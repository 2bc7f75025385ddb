"""Drafts: kept on the server, sealed, to be gone on with from another phone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.applicants.queries.drafts import content_of, locked_draft_for, number_of_drafts
from service.catalogue.queries.definitions import current_bundle
from service.filing.rules.filing import Filing, filing_of, plain_filing, with_changes
from service.identity.people.queries import own_person
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, FieldError, Invalid, Stale
from service.kernel.ids import new_id
from service.kernel.sealed import seal_json
from service.tickets.models.filed import Draft

MOST: Final = 20
"""How many drafts a person may keep."""


def keep_draft(session: Session, actor: Actor, *, filing: Filing, at: datetime) -> Draft:
    """Keep what is filled in so far, complete or not.

    Raises `Invalid` for an unknown bundle and `Conflict("too_many_drafts")`.
    """
    person = own_person(actor)
    _known_bundle(session, actor, filing.bundle)
    # Before the count, so that it sees what the holder of the lock before has kept.
    name = f"drafts|{actor.district}|{person}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    if number_of_drafts(session, actor) >= MOST:
        raise Conflict("too_many_drafts", most=MOST)
    draft_id = new_id()
    draft = Draft(
        district_id=actor.district,
        id=draft_id,
        person_id=person,
        bundle_code=filing.bundle,
        version=1,
        content=_sealed(session, draft_id, person, filing),
        created_at=at,
        updated_at=at,
    )
    session.add(draft)
    session.flush()
    return draft


def change_draft(
    session: Session,
    actor: Actor,
    *,
    draft_id: UUID,
    version: int,
    changes: dict[str, Any],
    at: datetime,
) -> Draft:
    """Change what is given of a draft, as `with_changes` says.

    Raises `NotFound`, `Conflict("already_filed")`, `Stale`, and `Invalid` for an unknown bundle.
    """
    draft = locked_draft_for(session, actor, draft_id)
    if draft.version != version:
        raise Stale
    if "bundle" in changes:
        _known_bundle(session, actor, changes["bundle"])
    filing = with_changes(filing_of(content_of(session, draft)), changes)
    draft.bundle_code = filing.bundle
    draft.content = _sealed(session, draft.id, draft.person_id, filing)
    draft.version, draft.updated_at = draft.version + 1, at
    session.flush()
    return draft


def forget_draft(session: Session, actor: Actor, *, draft_id: UUID, version: int) -> None:
    """Throw a draft away. Raises `NotFound`, `Conflict("already_filed")` and `Stale`."""
    draft = locked_draft_for(session, actor, draft_id)
    if draft.version != version:
        raise Stale
    session.delete(draft)
    session.flush()


def _known_bundle(session: Session, actor: Actor, code: str) -> None:
    if current_bundle(session, actor.district, code) is None:
        raise Invalid(errors=[FieldError("bundle", "bundle_unknown")])


def _sealed(session: Session, draft_id: UUID, person: UUID, filing: Filing) -> bytes:
    return seal_json(session, Draft.content, plain_filing(filing), row=draft_id, of=person)
