"""A correction, as it is shown."""

from __future__ import annotations

from typing import Any, Final

from service.tickets.models.items import Correction
from service.tickets.queries.sealed import (
    unsealed_points,
)

_EMPTY_POINT: Final = {"section": None, "field": None, "material": None}


def correction_shape(one: Correction) -> dict[str, Any]:
    """What was asked to be mended, with every point."""
    return {
        "asked_at": one.asked_at,
        "due_at": one.due_at,
        "answered_at": one.answered_at,
        "dropped_at": one.dropped_at,
        "dropped_because": one.dropped_because,
        "points": [_EMPTY_POINT | point for point in unsealed_points(one)],
    }
