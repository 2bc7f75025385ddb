"""What a district offers, and the definitions that filing and processing run on.

The catalogue is public: whoever may see the district may see all of it. Definitions are compiled
once per process: their rows never change, so what is kept cannot become wrong.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Select,
    Uuid,
    any_,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.orm import Session

from service.catalogue.models import BundleVersion, OfferingVersion
from service.catalogue.rules import (
    BundleDefinition,
    OfferingDefinition,
    compile_bundle,
    compile_offering,
)
from service.kernel.errors import NotFound

KEPT: Final = 512
"""How many compiled offering versions a process keeps; one takes some 100 KB."""


_KNOWN: Final = OfferingVersion.id == any_(bindparam("known", type_=ARRAY(Uuid())))
_CONTENT: Final = case((_KNOWN, null()), else_=OfferingVersion.content)
"""The content of a version, unless it is among the `:known`."""


class _Compiled:
    """The definitions that this process has compiled, the least used thrown out first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, UUID], OfferingDefinition] = OrderedDict()

    def of(self, district: str) -> dict[UUID, OfferingDefinition]:
        """What is kept of a district; a copy, so that nothing disappears from under its user."""
        with self._lock:
            return {key[1]: one for key, one in self._kept.items() if key[0] == district}

    def get(self, district: str, version_id: UUID) -> OfferingDefinition | None:
        with self._lock:
            if (district, version_id) in self._kept:
                self._kept.move_to_end((district, version_id))
            return self._kept.get((district, version_id))

    def keep(self, district: str, definition: OfferingDefinition) -> OfferingDefinition:
        with self._lock:
            self._kept[district, definition.version_id] = definition
            self._kept.move_to_end((district, definition.version_id))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return definition

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


compiled: Final = _Compiled()


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


def get_offering(session: Session, district: str, code: str) -> OfferingDefinition:
    """The version of an offering that is in force; one statement. Raises NotFound."""
    known = compiled.of(district)
    row = session.execute(
        select(OfferingVersion.id, OfferingVersion.version, _CONTENT).where(
            OfferingVersion.district_id == district,
            OfferingVersion.code == code,
            OfferingVersion.retired_at.is_(None),
        ),
        {"known": list(known)},
    ).one_or_none()
    if row is None:
        raise NotFound
    return _definition(district, known, *row)


def offerings_in_force(session: Session, district: str) -> list[OfferingDefinition]:
    """All offerings in force, by code; one statement."""
    known = compiled.of(district)
    rows = session.execute(
        select(OfferingVersion.id, OfferingVersion.version, _CONTENT)
        .where(OfferingVersion.district_id == district, OfferingVersion.retired_at.is_(None))
        .order_by(OfferingVersion.code),
        {"known": list(known)},
    )
    return [_definition(district, known, *row) for row in rows]


def get_bundle(session: Session, district: str, code: str) -> BundleDefinition:
    """`current_bundle`, raising NotFound where there is none."""
    bundle = current_bundle(session, district, code)
    if bundle is None:
        raise NotFound
    return bundle


def current_bundle(session: Session, district: str, code: str) -> BundleDefinition | None:
    """The bundle in force with the offerings in force; None where there is none.

    One statement. It brings the contents of those versions only that this process has not yet
    compiled.
    """
    known = compiled.of(district)
    asked = {"district": district, "code": code, "known": list(known)}
    rows = session.execute(_BUNDLE, asked).all()
    if not rows:
        return None
    version_id, version, content = rows[0][:3]
    offerings = [_definition(district, known, *row[3:]) for row in rows]
    return compile_bundle(
        content,
        version_id=version_id,
        version=version,
        offerings={offering.code: offering for offering in offerings},
    )


def _bundle_in_force() -> Select[*tuple[Any, ...]]:
    """The bundle `:code` of `:district`, a row per offering."""
    named = func.json_array_elements_text(BundleVersion.content["offerings"])
    wanted = named.table_valued("code", with_ordinality="place", name="wanted").render_derived()
    return (
        select(
            BundleVersion.id,
            BundleVersion.version,
            BundleVersion.content,
            OfferingVersion.id,
            OfferingVersion.version,
            _CONTENT,
        )
        .select_from(BundleVersion)
        .join(wanted, literal(True))
        .join(
            OfferingVersion,
            (OfferingVersion.district_id == BundleVersion.district_id)
            & (OfferingVersion.code == wanted.c.code)
            & OfferingVersion.retired_at.is_(None),
        )
        .where(
            BundleVersion.district_id == bindparam("district"),
            BundleVersion.code == bindparam("code"),
            BundleVersion.retired_at.is_(None),
        )
        .order_by(wanted.c.place)
    )


_BUNDLE: Final = _bundle_in_force()  # built once: it is sent with every filing


def offering_definition(session: Session, district: str, version_id: UUID) -> OfferingDefinition:
    """A version of an offering, in force or not: what an item was filed under.

    No statement where this process has compiled it before, otherwise one. Raises NotFound.
    """
    definition = compiled.get(district, version_id)
    if definition is not None:
        return definition
    row = session.execute(
        select(OfferingVersion.id, OfferingVersion.version, OfferingVersion.content).where(
            OfferingVersion.district_id == district, OfferingVersion.id == version_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return _definition(district, {}, *row)


def _definition(
    district: str,
    known: Mapping[UUID, OfferingDefinition],
    version_id: UUID,
    version: int,
    content: Mapping[str, Any] | None,
) -> OfferingDefinition:
    if content is None:
        return known[version_id]
    definition = compile_offering(content, version_id=version_id, version=version)
    return compiled.keep(district, definition)
