"""People as they were when something was filed: what is kept of them, sealed, with the filing.

Whoever works on it is shown these, whatever the profile says by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from service.identity.people.queries import Applicant, FamilyMember
from service.identity.people.rules import IdType, Kinship


def kept_of_applicant(one: Applicant) -> dict[str, Any]:
    """As JSON: `name`, `id_type`, `id_number`, `birth_date`."""
    return {
        "name": one.name,
        "id_type": one.id_type,
        "id_number": one.id_number,
        "birth_date": one.birth_date,
    }


def kept_of_member(one: FamilyMember) -> dict[str, Any]:
    """As JSON: the same, and `kinship`."""
    return {
        "name": one.name,
        "kinship": one.kinship,
        "id_type": one.id_type,
        "id_number": one.id_number,
        "birth_date": one.birth_date,
    }


def applicant_as_filed(person: UUID, kept: Mapping[str, Any] | None) -> Applicant:
    """The applicant again, without a phone; of one whose values were erased nothing is left."""
    kept = kept or {}
    id_type = kept.get("id_type")
    return Applicant(
        person_id=person,
        name=kept.get("name"),
        id_type=None if id_type is None else IdType(id_type),
        id_number=kept.get("id_number"),
        phone_masked=None,
        birth_date=_date(kept),
    )


def member_as_filed(person: UUID, kept: Mapping[str, Any] | None) -> FamilyMember | None:
    """The member of the family again; None for one whose values were erased."""
    if kept is None:
        return None
    return FamilyMember(
        id=person,
        name=kept["name"],
        kinship=Kinship(kept["kinship"]),
        id_type=IdType(kept["id_type"]),
        id_number=kept["id_number"],
        birth_date=_date(kept),
    )


def _date(kept: Mapping[str, Any]) -> date | None:
    given = kept.get("birth_date")
    return None if given is None else date.fromisoformat(given)
