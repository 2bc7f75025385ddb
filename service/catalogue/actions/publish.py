"""Publishing a pack: what is new becomes a version, what is gone is retired, all is a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from service.calendars.actions import seed_calendar
from service.calendars.rules import DEFAULT_CODE
from service.catalogue.models import BundleVersion, OfferingVersion, PackRelease
from service.catalogue.queries.releases import newest_release
from service.catalogue.rules.contents import bundle_content, fact_kinds_content, offering_content
from service.catalogue.rules.pack import Pack
from service.catalogue.rules.releases import content_hash, manifest_of, release_hash
from service.catalogue.vocabulary import CatalogueEvent, CataloguePublished
from service.facts.actions import publish_fact_kinds
from service.identity.staff.actions import publish_departments
from service.kernel.actor import system
from service.kernel.db import District, insert_rows
from service.kernel.events import emit
from service.kernel.ids import new_id

Model = type[OfferingVersion | BundleVersion]


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did, as `offerings/settlement@2`, and the release that is in force now.

    `is_new_release` is false where the pack says what the release in force said already.
    """

    new: tuple[str, ...]
    unchanged: tuple[str, ...]
    retired: tuple[str, ...]
    release: int
    content_hash: str
    is_new_release: bool


@dataclass(frozen=True, slots=True)
class _Versions:
    """The versions of one kind after a publication; `in_force` has their identities by code."""

    new: tuple[str, ...]
    unchanged: tuple[str, ...]
    retired: tuple[str, ...]
    in_force: Mapping[str, UUID]


def set_up_district(session: Session, pack: Pack, *, at: datetime) -> Published:
    """Publish a pack, and the working calendar that its deadlines are counted by.

    The calendar has the pack's zone and office hours, and the holidays known for mainland China.
    """
    published = publish_pack(session, pack, at=at)
    seed_calendar(
        session,
        system(pack.district),
        code=DEFAULT_CODE,
        at=at,
        hours=pack.settings["office_hours"],
    )
    return published


def publish_pack(session: Session, pack: Pack, *, at: datetime) -> Published:
    """Make a pack what its district offers from now on.

    Settings, departments and kinds of facts are brought up to date. An offering or bundle whose
    content is what is in force already keeps its version; a changed one gets the next version, and
    the former is retired, as is what the pack no longer has. What is in force then is a new
    release, unless it is what the last one had already. Concurrent publishers of a district wait
    for each other. Everything happens in the caller's transaction, which runs in the scope of the
    pack's district.
    """
    _keep_district(session, pack)
    departments = [
        {"code": department.code, "name": dict(department.name), "kind": department.kind}
        for department in pack.departments
    ]
    publish_departments(session, departments=departments, at=at)
    publish_fact_kinds(session, kinds=fact_kinds_content(pack), at=at)
    offerings = {code: offering_content(pack, code) for code in pack.offerings}
    bundles = {code: bundle_content(pack, code) for code in pack.bundles}
    published = _release(
        session,
        pack,
        offerings=_publish(session, OfferingVersion, pack.district, offerings, at),
        bundles=_publish(session, BundleVersion, pack.district, bundles, at),
        at=at,
    )
    if published.new or published.retired:
        emit(
            session,
            CatalogueEvent.CATALOGUE_PUBLISHED,
            actor=system(pack.district),
            at=at,
            data=CataloguePublished(new=published.new, retired=published.retired),
        )
    return published


def _keep_district(session: Session, pack: Pack) -> None:
    """Writes the district's row, which holds it until the end: one publisher at a time.

    It keeps which departments and kinds of facts the pack names, in its order: their tables keep
    those that it no longer names, too.
    """
    named = {
        "departments": [department.code for department in pack.departments],
        "facts": list(pack.facts),
    }
    row = insert(District).values(
        id=pack.district, name=dict(pack.title), settings={**pack.settings, **named}
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=[District.id],
            set_={
                "name": row.excluded.name,
                "settings": District.settings.op("||")(row.excluded.settings),
            },
        )
    )


def _release(
    session: Session, pack: Pack, *, offerings: _Versions, bundles: _Versions, at: datetime
) -> Published:
    """Make a release of what is in force now, unless the last one is the same."""
    manifest = manifest_of(pack)
    last, content = newest_release(session, pack.district), release_hash(manifest)
    number = 0 if last is None else last.number
    is_new = last is None or last.content_hash != content
    if is_new:
        number += 1
        row = {
            "district_id": pack.district,
            "number": number,
            "manifest": manifest,
            "content_hash": content,
            "versions": {
                "offerings": _as_text(offerings.in_force),
                "bundles": _as_text(bundles.in_force),
            },
            "published_at": at,
        }
        insert_rows(session, PackRelease, [row])
    return Published(
        new=offerings.new + bundles.new,
        unchanged=offerings.unchanged + bundles.unchanged,
        retired=offerings.retired + bundles.retired,
        release=number,
        content_hash=content,
        is_new_release=is_new,
    )


def _as_text(versions: Mapping[str, UUID]) -> dict[str, str]:
    return {code: str(version_id) for code, version_id in versions.items()}


def _publish(
    session: Session,
    model: Model,
    district: str,
    contents: Mapping[str, Mapping[str, Any]],
    at: datetime,
) -> _Versions:
    last = _last_versions(session, model, district)
    in_force = {code: row for code, row in last.items() if row.retired_at is None}
    hashes = {code: content_hash(content) for code, content in contents.items()}
    same = {code for code, row in in_force.items() if hashes.get(code) == row.content_hash}
    gone = [row for code, row in in_force.items() if code not in same]
    versions = {
        code: last[code].version + 1 if code in last else 1 for code in contents if code not in same
    }
    _retire(session, model, district, gone, at)
    ids = {code: new_id() for code in versions}
    shared = {"district_id": district, "published_at": at, "retired_at": None}
    new = [
        {"id": ids[code], "code": code, "version": version, **shared}
        | {"content": contents[code], "content_hash": hashes[code]}
        for code, version in versions.items()
    ]
    insert_rows(session, model, new)
    kind = model.__tablename__.removesuffix("_versions") + "s"
    return _Versions(
        new=tuple(f"{kind}/{code}@{version}" for code, version in versions.items()),
        unchanged=tuple(f"{kind}/{code}@{in_force[code].version}" for code in sorted(same)),
        retired=tuple(f"{kind}/{row.code}@{row.version}" for row in gone),
        in_force={code: in_force[code].id for code in same} | ids,
    )


def _last_versions(session: Session, model: Model, district: str) -> dict[str, Any]:
    """The newest version of every code the district ever had, in force or retired."""
    rows = session.execute(
        select(model.id, model.code, model.version, model.content_hash, model.retired_at)
        .where(model.district_id == district)
        .order_by(model.code, model.version.desc())
        .ext(distinct_on(model.code))
    )
    return {row.code: row for row in rows}


def _retire(
    session: Session, model: Model, district: str, rows: Iterable[Any], at: datetime
) -> None:
    ids = [row.id for row in rows]
    if ids:
        session.execute(
            update(model)
            .where(model.district_id == district, model.id.in_(ids))
            .values(retired_at=func.greatest(at, model.published_at))
        )
