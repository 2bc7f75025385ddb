"""A correction, as it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.kernel.sealed import opened_json
from service.tickets.models.items import Correction
from service.tickets.rules.corrections import Point
from service.tickets.rules.reasons import ToldReason
from service.tickets.rules.states import Dropped


@dataclass(frozen=True, slots=True, repr=False)
class PointView:
    """One thing to correct, with what the field, section or document is called."""

    what: str
    section: str | None
    field: str | None
    material: str | None
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class CorrectionView:
    """What a department asked the applicant to correct, with every point, and why."""

    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None
    dropped_at: datetime | None
    dropped_because: Dropped | None
    points: Sequence[PointView]
    reason: ToldReason | None


def points_of(session: Session, one: Correction) -> list[dict[str, Any]]:
    """What a correction asks for; nothing where it was erased."""
    points: list[dict[str, Any]] = opened_json(session, Correction.points, one, otherwise=[])
    return points


def point_view(point: Point, definition: OfferingDefinition) -> PointView:
    """A point with the words of the version that the item has."""
    if point.material is not None:
        title = definition.material_title(point.material)
    else:
        title = definition.section_title(point.section or "", point.field)
    return PointView(point.what, point.section, point.field, point.material, title)


def correction_view(
    one: Correction,
    definition: OfferingDefinition,
    points: Sequence[Point],
    reason: ToldReason | None,
) -> CorrectionView:
    """A correction out of its row, with those of its points that are shown; no statement is sent.

    `reason`: that of the return, None where it is not shown.
    """
    return CorrectionView(
        asked_at=one.asked_at,
        due_at=one.due_at,
        answered_at=one.answered_at,
        dropped_at=one.dropped_at,
        dropped_because=one.dropped_because,
        points=[point_view(point, definition) for point in points],
        reason=reason,
    )
