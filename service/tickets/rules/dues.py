"""When items and tickets are due: values in, values out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DueBasis(StrEnum):
    """A due date before acceptance is projected; from acceptance on it is a promise."""

    PROJECTED = "projected"
    PROMISED = "promised"


@dataclass(frozen=True, slots=True)
class ItemDue:
    """When an item is, or was, finished, as far as is known."""

    due_at: datetime
    basis: DueBasis
    provisional: bool
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class TicketDue:
    """When the whole ticket is due."""

    due_at: datetime
    basis: DueBasis
    provisional: bool


def ticket_due(items: Collection[ItemDue]) -> TicketDue | None:
    """The latest finish over the items: the actual one of a decided item, else its due time.

    None where all are decided: what was promised last stays the promise.
    """
    running = [item for item in items if item.decided_at is None]
    if not running:
        return None
    projected = any(item.basis is DueBasis.PROJECTED for item in running)
    return TicketDue(
        due_at=max(item.decided_at or item.due_at for item in items),
        basis=DueBasis.PROJECTED if projected else DueBasis.PROMISED,
        provisional=any(item.provisional for item in running),
    )
