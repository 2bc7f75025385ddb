"""Keeping a material and erasing it, and sweeping out contents that belong to none."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.catalogue.queries.documents import formats_taken
from service.kernel import events
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.kernel.errors import Conflict, FieldError, Invalid, Unavailable
from service.kernel.ids import new_id
from service.kernel.logs import logger
from service.kernel.sealed import seal
from service.kernel.storage import Storage
from service.materials.models import Material
from service.materials.queries import material_for, stored_of
from service.materials.rules import (
    Examined,
    Hold,
    KnownMaterial,
    MaterialEvent,
    Quota,
    Upload,
    blob_of,
    folder_of,
    id_of,
)
from service.materials.vocabulary import MaterialCodes

ORPHANED_AFTER: Final = timedelta(days=7)
"""How long a content may lie in the storage without a material.

Far longer than an upload takes. Somebody who connects a storage with the wrong database, where all
of it looks orphaned, has so long to notice.
"""

HoldOf = Callable[[Session, Actor, UUID, datetime], Hold | None]
"""What rests on a document at a moment and keeps it from being erased."""

_LOG: Final = logger("materials")
_BATCH: Final = 500
_hold_of: HoldOf | None = None


def hold_by(hold_of: HoldOf) -> None:
    """Hand the process what `erase_material` asks; done once, at start. The slices above know."""
    global _hold_of  # noqa: PLW0603 - a process has one
    _hold_of = hold_of


def store_content(storage: Storage, *, district: str, examined: Examined) -> Upload:
    """Put the content of an examined file into the storage; to be done before any transaction.

    Raises `Unavailable` where the storage has no room or is away; nothing is left there then.
    """
    upload = Upload(
        id=new_id(),
        media_type=examined.media_type,
        size=len(examined.content),
        sha256=hashlib.sha256(examined.content).digest(),
        pages=examined.pages,
    )
    try:
        storage.put(blob_of(district, upload.id), io.BytesIO(examined.content))
    except OSError as error:
        _LOG.error("content_not_stored", exc_info=error)
        raise Unavailable(headers={"Retry-After": "60"}) from None
    return upload


def keep_material(
    session: Session,
    actor: Actor,
    *,
    person: UUID,
    code: str,
    name: str,
    upload: Upload,
    quota: Quota,
    at: datetime,
) -> KnownMaterial:
    """Enter a file of a person's whose content the storage has (`store_content`).

    The caller has made sure that the actor is that person, or acts by their authority.

    `name` is one that `rules.examine` returned. Raises `Invalid` for a code that no offering of the
    district asks for and a type in which none takes the document, and `Conflict` where the person
    would have more than the quota, also by several uploads at the same moment.
    """
    _hold_kind(session, actor, code, upload)
    _hold_quota(session, actor, person, upload, quota)
    material = KnownMaterial(
        district_id=actor.district,
        id=upload.id,
        person_id=person,
        code=code,
        name=name,
        media_type=upload.media_type,
        size=upload.size,
        sha256=upload.sha256,
        pages=upload.pages,
        uploaded_at=at,
        erased_at=None,
    )
    insert_rows(session, Material, [_row(session, material, actor.account)])
    _emit(session, MaterialEvent.MATERIAL_KEPT, actor, material, at)
    return material


def erase_material(session: Session, actor: Actor, *, material_id: UUID, at: datetime) -> None:
    """Have the content of one of the talent's own materials forgotten, once this has committed.

    What is left is that there was one. Raises `NotFound`, also where it is erased already,
    `Conflict` while something rests on it, with the last day on which it does where that is known
    (`Hold`), and `RuntimeError` in a process that has not been handed what to ask (`hold_by`).
    """
    if _hold_of is None:
        raise RuntimeError(
            "what rests on documents is not known: hold_by() was not called at start"
        )
    material = material_for(session, actor, material_id, lock=True)
    if hold := _hold_of(session, actor, material_id, at):
        until: dict[str, Any] = {} if hold.until is None else {"until": hold.until.isoformat()}
        raise Conflict(hold.code, **until)
    session.execute(
        update(Material)
        .where(Material.district_id == actor.district, Material.id == material.id)
        .values(erased_at=func.greatest(at, Material.uploaded_at))
        .execution_options(synchronize_session=False)
    )
    _emit(session, MaterialEvent.MATERIAL_ERASED, actor, material, at)


def sweep_orphans(
    storage: Storage,
    *,
    district: str,
    kept: Callable[[Collection[UUID]], Collection[UUID]],
    at: datetime,
) -> int:
    """Delete a district's contents that no material has, and returns their number.

    `kept` tells which of some ids have a material that is not erased; it opens a transaction of
    its own. Left behind are they by uploads that broke off between storage and database.
    """
    old, swept = storage.names(folder_of(district), before=at - ORPHANED_AFTER), 0
    while blobs := list(islice(old, _BATCH)):
        by_id = {blob: id_of(blob) for blob in blobs}
        known = kept({one for one in by_id.values() if one is not None})
        for blob in blobs:
            if by_id[blob] not in known:
                storage.delete(blob)
                swept += 1
    return swept


def _hold_kind(session: Session, actor: Actor, code: str, upload: Upload) -> None:
    formats = formats_taken(session, actor.district, code)
    if not formats:
        raise Invalid(errors=[FieldError("code", "material_code_unknown")])
    if upload.media_type.ending not in formats:
        taken = {"formats": ", ".join(sorted(formats))}
        raise Invalid(errors=[FieldError("file", "material_format", taken)])


def _hold_quota(session: Session, actor: Actor, person: UUID, upload: Upload, quota: Quota) -> None:
    """Two statements: the second sees what the holder of the lock before has kept."""
    name = f"materials|{actor.district}|{person}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    number, size = stored_of(session, actor, person)
    if number >= quota.number:
        raise Conflict("materials_too_many", maximum=quota.number)
    if size + upload.size > quota.size:
        raise Conflict("materials_too_large", maximum=quota.size)


def _row(session: Session, material: KnownMaterial, account_id: UUID) -> dict[str, Any]:
    return {
        "district_id": material.district_id,
        "id": material.id,
        "person_id": material.person_id,
        "account_id": account_id,
        "code": material.code,
        "name": seal(session, Material.name, material.name, row=material.id, of=material.person_id),
        "media_type": material.media_type,
        "size": material.size,
        "sha256": material.sha256,
        "pages": material.pages,
        "uploaded_at": material.uploaded_at,
    }


def _emit(
    session: Session, kind: MaterialEvent, actor: Actor, material: KnownMaterial, at: datetime
) -> None:
    codes = MaterialCodes(material=material.id, code=material.code)
    events.emit(session, kind, actor=actor, at=at, data=codes)
