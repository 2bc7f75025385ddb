"""In which formats a district takes each document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from threading import Lock
from typing import Final
from uuid import UUID

from cachetools import LRUCache
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from service.catalogue.models import OfferingVersion

_FORMATS: Final = text(
    "SELECT DISTINCT asked ->> 'code' AS code, format"
    " FROM offering_versions, json_array_elements(content -> 'materials') AS asked,"
    " json_array_elements_text(asked -> 'material' -> 'formats') AS format"
    " WHERE district_id = :district"
)
_known: Final[LRUCache[tuple[int, UUID], Mapping[str, frozenset[str]]]] = LRUCache(64)
"""By the number of versions that a district has, and the newest of them: they are never changed."""
_lock: Final = Lock()


def formats_taken(session: Session, district: str, code: str) -> frozenset[str]:
    """The formats in which offerings of the district take a document; empty where none asks for it.

    Those of any version: what was filed by an older one is corrected by it. One statement, one more
    where something was published since.
    """
    versions = OfferingVersion.district_id == district
    newest = select(OfferingVersion.id).where(versions).order_by(OfferingVersion.id.desc()).limit(1)
    number, version = session.execute(
        select(func.count(), newest.scalar_subquery()).where(versions)
    ).one()
    if not number:
        return frozenset()
    with _lock:
        known = _known.get((number, version))
    if known is None:
        known = _read(session, district)
        with _lock:
            _known[number, version] = known
    return known.get(code, frozenset())


def _read(session: Session, district: str) -> Mapping[str, frozenset[str]]:
    found = defaultdict[str, set[str]](set)
    for row in session.execute(_FORMATS, {"district": district}):
        found[row.code].add(row.format)
    return {code: frozenset(formats) for code, formats in found.items()}
