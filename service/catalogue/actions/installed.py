"""A district's pack out of what is published: what `diff` compares with and `export` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.catalogue.models import BundleVersion, OfferingVersion
from service.catalogue.queries.releases import newest_release
from service.catalogue.rules.checks import MAIN
from service.catalogue.rules.contents import pack_files
from service.catalogue.rules.pack import SETTINGS
from service.facts.queries import fact_kinds_of
from service.identity.staff.queries import departments_of
from service.kernel.db import District
from service.kernel.errors import NotFound


def installed_files(session: Session, district: str) -> dict[str, dict[str, Any]]:
    """The files of the pack that is in force in a district, as plain values by path.

    Publishing them changes nothing. What no offering uses was never published and is not there.
    Raises `NotFound` for a district that has no pack.
    """
    row = session.scalars(select(District).where(District.id == district)).one_or_none()
    if row is None or "departments" not in row.settings:
        raise NotFound
    kinds = fact_kinds_of(session, district)
    files = pack_files(
        main=_main(session, row),
        offerings=_in_force(session, OfferingVersion, district),
        bundles=_in_force(session, BundleVersion, district),
        facts={
            code: {
                "code": code,
                "title": _text(kinds[code].title),
                "schema": kinds[code].schema,
            }
            for code in row.settings["facts"]
        },
    )
    return {path: dict(value) for path, value in files.items()}


def exported_files(session: Session, district: str) -> dict[str, dict[str, Any]]:
    """`installed_files`, where `pack.yaml` names the release that they are.

    Raises `NotFound` for a district that has no pack.
    """
    files, release = installed_files(session, district), newest_release(session, district)
    if release is None:
        raise NotFound
    origin = {"district": district, "number": release.number, "hash": release.content_hash}
    return files | {MAIN: {"district": district, "release": origin, **files[MAIN]}}


def _main(session: Session, row: District) -> dict[str, Any]:
    departments = {
        department.code: {
            "code": department.code,
            "name": _text(department.name),
            "kind": department.kind.value,
        }
        for department in departments_of(session, row.id)
    }
    return {
        "district": row.id,
        "title": _text(row.name),
        **{key: row.settings[key] for key in SETTINGS},
        "departments": [departments[code] for code in row.settings["departments"]],
    }


def _in_force(
    session: Session, model: type[OfferingVersion | BundleVersion], district: str
) -> dict[str, Any]:
    rows = session.execute(
        select(model.code, model.content)
        .where(model.district_id == district, model.retired_at.is_(None))
        .order_by(model.code)
    )
    return {row.code: row.content for row in rows}


def _text(text: Mapping[str, str]) -> dict[str, str]:
    """A text with its languages in the order of packs, which `jsonb` does not keep."""
    return {"zh": text["zh"], "en": text["en"]}
