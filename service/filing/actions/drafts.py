"""Drafts: kept on the server, sealed, to be gone on with from another phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from service.applicants.queries.drafts import draft_for, number_of_drafts
from service.catalogue.queries.definitions import current_bundle
from service.filing.rules.filing import Filing, filing_of, plain_filing
from service.identity.people.queries import own_person
from service.kernel import crypto
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, FieldError, Invalid, Stale
from service.kernel.ids import new_id
from service.tickets.models.filed import Draft
from service.tickets.queries.sealed import unsealed_draft

MOST: Final = 20
"""How many drafts a person may keep."""


def keep_draft(session: Session, actor: Actor, *, filing: Filing, at: datetime) -> Draft:
    """Keep what is filled in so far, complete or not.

    Raises `Invalid` for an unknown bundle and `Conflict("too_many_drafts")`.
    """
    person = own_person(actor)
    _known_bundle(session, actor, filing.bundle)
    if number_of_drafts(session, actor) >= MOST:
        raise Conflict("too_many_drafts", most=MOST)
    draft_id = new_id()
    draft = Draft(
        district_id=actor.district,
        id=draft_id,
        person_id=person,
        bundle_code=filing.bundle,
        version=1,
        content=_sealed(draft_id, filing),
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
    """Replace what is given of a draft, part by part: its items, sections, consents, bundle.

    `changes`: a `Filing`'s fields. Raises `NotFound`, `Stale`, and `Invalid` for an unknown
    bundle.
    """
    draft = draft_for(session, actor, draft_id, lock=True)
    if draft.version != version:
        raise Stale
    if "bundle" in changes:
        _known_bundle(session, actor, changes["bundle"])
    filing = replace(filing_of(unsealed_draft(draft)), **changes)
    draft.bundle_code, draft.content = filing.bundle, _sealed(draft.id, filing)
    draft.version, draft.updated_at = draft.version + 1, at
    session.flush()
    return draft


def forget_draft(session: Session, actor: Actor, *, draft_id: UUID, version: int) -> None:
    """Throw a draft away. Raises `NotFound` and `Stale`."""
    draft = draft_for(session, actor, draft_id, lock=True)
    if draft.version != version:
        raise Stale
    session.delete(draft)
    session.flush()


def _known_bundle(session: Session, actor: Actor, code: str) -> None:
    if current_bundle(session, actor.district, code) is None:
        raise Invalid(errors=[FieldError("bundle", "bundle_unknown")])


def _sealed(draft_id: UUID, filing: Filing) -> bytes:
    text = orjson.dumps(plain_filing(filing)).decode()
    return crypto.seal(text, table="drafts", column="content", row=draft_id)
