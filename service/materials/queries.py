"""Reads of materials: one's own, and those that something else allows to be seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, bindparam, func, select
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.kernel.db import for_change, for_use, prepared
from service.kernel.errors import NotFound, Unavailable
from service.kernel.logs import logger
from service.kernel.sealed import load_keys, opened_text
from service.kernel.storage import Storage
from service.materials.models import Material
from service.materials.rules import KnownMaterial, MediaType

_LOG: Final = logger("materials")
_KNOWN: Final = (
    Material.district_id,
    Material.id,
    Material.person_id,
    Material.code,
    Material.name,
    Material.media_type,
    Material.size,
    Material.sha256,
    Material.pages,
    Material.uploaded_at,
    Material.erased_at,
)


def visible(actor: Actor) -> ColumnElement[bool]:
    """The one predicate of who sees a material: the person it is of, in that district."""
    return (Material.district_id == actor.district) & _kept_of(actor.person)


def materials_for(
    session: Session, actor: Actor, *, before: UUID | None, limit: int, code: str | None = None
) -> Sequence[KnownMaterial]:
    """The talent's own materials, the newest first, from below `before`; of one code where given.

    At most `limit` + 1 of them; one statement.
    """
    query = select(*_KNOWN).where(visible(actor)).order_by(Material.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Material.id < before)
    if code is not None:
        query = query.where(Material.code == code)
    return _all_opened(session, session.execute(query).all())


def material_for(
    session: Session, actor: Actor, material_id: UUID, *, lock: bool = False
) -> KnownMaterial:
    """One of the talent's own materials, locked for a change where asked; raises `NotFound`."""
    query = select(*_KNOWN).where(visible(actor), Material.id == material_id)
    row = session.execute(for_change(query, Material) if lock else query).one_or_none()
    if row is None:
        raise NotFound
    return _opened(session, row)


class HandedIn(NamedTuple):
    """What a filing has to know of a document: not what it is called."""

    id: UUID
    code: str
    media_type: MediaType


def handed_in(
    session: Session, actor: Actor, *, ids: Collection[UUID], person: UUID
) -> dict[UUID, HandedIn]:
    """Those of `ids` that a person has handed in, in the actor's district; erased ones are not.

    For filing: who does not find an id here has to treat it as one that does not exist. What is
    found is not erased before the transaction ends; an erasure that is under way is waited for. One
    statement, none for no id.
    """
    if not ids:
        return {}
    found = _HANDED_IN.all(session, district=actor.district, ids=list(ids), person=person)
    return {one.id: one for one in found}


def materials_allowed(
    session: Session, actor: Actor, *, ids: Collection[UUID]
) -> dict[UUID, KnownMaterial]:
    """Materials of the actor's district whoever they are of, erased ones too, by id.

    For staff: the caller has checked that a task shows these very ids to the actor. One
    statement, none for no id.
    """
    if not ids:
        return {}
    return _by_id(session, _BY_IDS.all(session, district=actor.district, ids=list(ids)))


def open_material(storage: Storage, material: KnownMaterial) -> Iterator[bytes]:
    """The content in chunks; who does not read to the end closes it.

    Call it outside of a transaction. Raises `NotFound` for an erased material, and `Unavailable`
    where the storage does not give the content.
    """
    if material.erased_at is not None:
        raise NotFound
    try:
        return storage.read(material.blob)
    except OSError as error:
        _LOG.error("content_unavailable", material=str(material.id), exc_info=error)
        raise Unavailable(headers={"Retry-After": "60"}) from None


def stored_of(session: Session, actor: Actor, person: UUID) -> tuple[int, int]:
    """How many documents of a person the actor's district keeps, and their bytes together."""
    counted = select(func.count(), func.coalesce(func.sum(Material.size), 0)).where(
        Material.district_id == actor.district, _kept_of(person)
    )
    number, size = session.execute(counted).one()
    return number, int(size)


def kept_ids(session: Session, *, district: str, ids: Collection[UUID]) -> set[UUID]:
    """Those of `ids` that a district has and whose content it keeps."""
    query = select(Material.id).where(
        Material.district_id == district, Material.id.in_(ids), Material.erased_at.is_(None)
    )
    return set(session.scalars(query))


def _kept_of(person: UUID | Any) -> ColumnElement[bool]:
    return (Material.person_id == person) & Material.erased_at.is_(None)


def _by_ids(*columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns).where(
        Material.district_id == bindparam("district"),
        Material.id == any_(bindparam("ids", type_=ARRAY(Uuid()))),
    )


_BY_IDS: Final = prepared(_by_ids(*_KNOWN))
_HANDED_IN: Final = prepared(
    for_use(
        _by_ids(Material.id, Material.code, Material.media_type).where(
            _kept_of(bindparam("person", type_=Uuid()))
        ),
        Material,
    ),
    HandedIn,
)


def _by_id(session: Session, rows: Sequence[Any]) -> dict[UUID, KnownMaterial]:
    return {one.id: one for one in _all_opened(session, rows)}


def _all_opened(session: Session, rows: Sequence[Any]) -> list[KnownMaterial]:
    """One statement at most, for the keys that are not at hand."""
    load_keys(session, (row.name for row in rows))
    return [_opened(session, row) for row in rows]


def _opened(session: Session, row: Any) -> KnownMaterial:
    """Of a person whose key was destroyed the name is what the document is."""
    found = {column.key: getattr(row, column.key) for column in _KNOWN}
    found["name"] = opened_text(session, Material.name, row) or row.code
    return KnownMaterial(**found)
