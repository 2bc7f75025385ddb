"""What a district offers, and the definitions that filing and processing run on.

The catalogue is public: whoever may see the district may see all of it. What is in force is what
the newest release says. Definitions are compiled once per process and kept under identities that
are never used again, of rows that never change: what is kept cannot become wrong, not even when
the transaction that published it rolls back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from uuid import UUID

from cachetools import LRUCache, cached
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.catalogue.models import BundleVersion, OfferingVersion
from service.catalogue.queries.releases import Release, newest_release
from service.catalogue.rules.definitions import (
    BundleDefinition,
    OfferingDefinition,
    compile_bundle,
    compile_offering,
)
from service.kernel.errors import NotFound
from service.routing.bundle import EdgeRule, parse_edges

compiled_offerings: Final[LRUCache[tuple[str, UUID], OfferingDefinition]] = LRUCache(
    512
)  # 100 KB each
compiled_bundles: Final[LRUCache[tuple[UUID, str], BundleDefinition]] = LRUCache(64)
"""By identity of the release and code."""
_titles: Final[LRUCache[tuple[str, UUID], Mapping[str, str]]] = LRUCache(512)
"""What versions of bundles are called."""
_lock: Final = Lock()


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list of offerings or bundles, as it is in force."""

    code: str
    version: int
    title: Mapping[str, str]
    summary: Mapping[str, str]


def list_offerings(session: Session, district: str) -> list[Listed]:
    """The offerings in force, by code; one statement."""
    return _listed(session, OfferingVersion, district)


def list_bundles(session: Session, district: str) -> list[Listed]:
    """The bundles in force, by code; one statement."""
    return _listed(session, BundleVersion, district)


def _listed(
    session: Session, model: type[OfferingVersion | BundleVersion], district: str
) -> list[Listed]:
    rows = session.execute(
        select(model.code, model.version, model.content["title"], model.content["summary"])
        .where(model.district_id == district, model.retired_at.is_(None))
        .order_by(model.code)
    )
    return [Listed(*row) for row in rows]


def bundle_titles(
    session: Session, district: str, version_ids: Collection[UUID]
) -> dict[UUID, Mapping[str, str]]:
    """By version of a bundle, in force or not, what it is called.

    No statement where this process has asked for each of them before, otherwise one.
    """
    with _lock:
        kept = {one: _titles.get((district, one)) for one in version_ids}
    found = {one: title for one, title in kept.items() if title is not None}
    if missing := [one for one in version_ids if one not in found]:
        rows = session.execute(
            select(BundleVersion.id, BundleVersion.content["title"]).where(
                BundleVersion.district_id == district, BundleVersion.id.in_(missing)
            )
        )
        fresh = {row[0]: row[1] for row in rows}
        with _lock:
            _titles.update({(district, one): title for one, title in fresh.items()})
        found |= fresh
    return found


def get_offering(session: Session, district: str, code: str) -> OfferingDefinition:
    """The version of an offering that is in force. Raises NotFound.

    One statement where this process has compiled it before, otherwise two.
    """
    release = newest_release(session, district)
    if release is None or code not in release.offerings:
        raise NotFound
    return offering_definition(session, district, release.offerings[code])


def offerings_in_force(session: Session, district: str) -> list[OfferingDefinition]:
    """All offerings in force, by code.

    One statement where this process has compiled them before, otherwise two.
    """
    release = newest_release(session, district)
    if release is None:
        return []
    definitions = _definitions(session, district, release.offerings.values())
    return [definitions[version_id] for _, version_id in sorted(release.offerings.items())]


def get_bundle(session: Session, district: str, code: str) -> BundleDefinition:
    """`current_bundle`, raising NotFound where there is none."""
    bundle = current_bundle(session, district, code)
    if bundle is None:
        raise NotFound
    return bundle


def current_bundle(session: Session, district: str, code: str) -> BundleDefinition | None:
    """The bundle in force with the offerings in force; None where there is none.

    One statement where this process has compiled the bundle of this release before, otherwise
    two, and a third for the offerings that it has not compiled.
    """
    release = newest_release(session, district)
    if release is None or code not in release.bundles:
        return None
    return _bundle(session, district, release, code)


@cached(
    compiled_bundles, key=lambda _session, _district, release, code: (release.id, code), lock=_lock
)
def _bundle(session: Session, district: str, release: Release, code: str) -> BundleDefinition:
    row = session.execute(
        select(BundleVersion.id, BundleVersion.version, BundleVersion.content).where(
            BundleVersion.district_id == district, BundleVersion.id == release.bundles[code]
        )
    ).one()
    members = {name: release.offerings[name] for name in row.content["offerings"]}
    definitions = _definitions(session, district, members.values())
    return compile_bundle(
        row.content,
        version_id=row.id,
        version=row.version,
        release=release.number,
        offerings={name: definitions[version_id] for name, version_id in members.items()},
    )


def edge_rules(session: Session, district: str, version_id: UUID) -> Sequence[EdgeRule]:
    """Which offering waits for which in a version of a bundle, in force or not; one statement."""
    content = session.scalars(
        select(BundleVersion.content).where(
            BundleVersion.district_id == district, BundleVersion.id == version_id
        )
    ).one()
    return parse_edges(content.get("edges", ()))


def offering_definition(session: Session, district: str, version_id: UUID) -> OfferingDefinition:
    """A version of an offering, in force or not: what an item was filed under.

    No statement where this process has compiled it before, otherwise one. Raises NotFound.
    """
    found = _definitions(session, district, [version_id])
    if version_id not in found:
        raise NotFound
    return found[version_id]


def _definitions(
    session: Session, district: str, version_ids: Iterable[UUID]
) -> dict[UUID, OfferingDefinition]:
    """These versions of offerings, as far as there are any; one statement for those not kept."""
    wanted = list(version_ids)
    with _lock:
        kept = {version_id: compiled_offerings.get((district, version_id)) for version_id in wanted}
    found = {
        version_id: definition for version_id, definition in kept.items() if definition is not None
    }
    missing = [version_id for version_id in wanted if version_id not in found]
    return found | _compiled(session, district, missing) if missing else found


def _compiled(
    session: Session, district: str, version_ids: Iterable[UUID]
) -> dict[UUID, OfferingDefinition]:
    rows = session.execute(
        select(OfferingVersion.id, OfferingVersion.version, OfferingVersion.content).where(
            OfferingVersion.district_id == district, OfferingVersion.id.in_(version_ids)
        )
    )
    fresh = {row.id: _compile(*row) for row in rows}
    with _lock:
        return {
            version_id: compiled_offerings.setdefault((district, version_id), fresh[version_id])
            for version_id in fresh
        }


def _compile(version_id: UUID, version: int, content: Mapping[str, Any]) -> OfferingDefinition:
    return compile_offering(content, version_id=version_id, version=version)
