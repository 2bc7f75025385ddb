"""A correction, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.tickets.models.items import Correction
from service.tickets.queries.sealed import unsealed_points
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


def correction_view(one: Correction) -> CorrectionView:
    """A correction out of its row; no statement is sent."""
    return CorrectionView(
        asked_at=one.asked_at,
        due_at=one.due_at,
        answered_at=one.answered_at,
        dropped_at=one.dropped_at,
        dropped_because=one.dropped_because,
        points=[Point(**point) for point in unsealed_points(one)],
    )
