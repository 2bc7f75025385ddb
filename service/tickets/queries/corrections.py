"""A correction, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.kernel.sealed import opened_json
from service.tickets.models.items import Correction
from service.tickets.rules.corrections import Point
from service.tickets.rules.states import Dropped


@dataclass(frozen=True, slots=True, repr=False)
class CorrectionView:
    """What a department asked the applicant to correct, with every point."""

    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None
    dropped_at: datetime | None
    dropped_because: Dropped | None
    points: Sequence[Point]


def points_of(session: Session, one: Correction) -> list[dict[str, Any]]:
    """What a correction asks for; nothing where it was erased."""
    points: list[dict[str, Any]] = opened_json(session, Correction.points, one, otherwise=[])
    return points


def correction_view(session: Session, one: Correction) -> CorrectionView:
    """A correction out of its row; no statement is sent."""
    return CorrectionView(
        asked_at=one.asked_at,
        due_at=one.due_at,
        answered_at=one.answered_at,
        dropped_at=one.dropped_at,
        dropped_because=one.dropped_because,
        points=[Point(**point) for point in points_of(session, one)],
    )
