"""A correction, as it is shown."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.orm import Session

from service.kernel.sealed import opened_json
from service.tickets.models.items import Correction

_EMPTY_POINT: Final = {"section": None, "field": None, "material": None}


def points_of(session: Session, one: Correction) -> list[dict[str, Any]]:
    """What a correction asks for; nothing where it was erased."""
    points: list[dict[str, Any]] = opened_json(session, Correction.points, one, otherwise=[])
    return points


def correction_shape(session: Session, one: Correction) -> dict[str, Any]:
    """What was asked to be mended, with every point."""
    return {
        "asked_at": one.asked_at,
        "due_at": one.due_at,
        "answered_at": one.answered_at,
        "dropped_at": one.dropped_at,
        "dropped_because": one.dropped_because,
        "points": [_EMPTY_POINT | point for point in points_of(session, one)],
    }
