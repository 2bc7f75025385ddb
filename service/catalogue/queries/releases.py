"""Releases of a district: what its packs have put in force, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from service.catalogue.models import PackRelease
from service.kernel.db import prepared


@dataclass(frozen=True, slots=True)
class Release:
    """One release; `offerings` and `bundles` are the identities of its versions, by code."""

    id: UUID
    number: int
    content_hash: str
    published_at: datetime
    offerings: Mapping[str, UUID]
    bundles: Mapping[str, UUID]


_COLUMNS: Final = (
    PackRelease.id,
    PackRelease.number,
    PackRelease.content_hash,
    PackRelease.published_at,
    PackRelease.versions["offerings"],
    PackRelease.versions["bundles"],
)
_NEWEST_FIRST: Final = (
    select(*_COLUMNS)
    .where(PackRelease.district_id == bindparam("district"))
    .order_by(PackRelease.number.desc())
)


def newest_release(session: Session, district: str) -> Release | None:
    """The release that is in force; None for a district without a pack. One statement."""
    return _NEWEST.one_or_none(session, district=district)


def list_releases(session: Session, district: str) -> list[Release]:
    """Every release of a district, the newest first. One statement."""
    rows = session.execute(_NEWEST_FIRST, {"district": district})
    return [_release(*row) for row in rows]


def _release(
    release_id: UUID,
    number: int,
    content_hash: str,
    published_at: datetime,
    offerings: Mapping[str, str],
    bundles: Mapping[str, str],
) -> Release:
    return Release(
        id=release_id,
        number=number,
        content_hash=content_hash,
        published_at=published_at,
        offerings={code: UUID(version) for code, version in offerings.items()},
        bundles={code: UUID(version) for code, version in bundles.items()},
    )


_NEWEST: Final = prepared(_NEWEST_FIRST.limit(1), _release)
