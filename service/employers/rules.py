"""What an employer is told of a ticket that it may follow: values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.routing.states import Phase


class Awaited(StrEnum):
    """What an item waits for the employee to do."""

    CORRECTION = "correction"  # to correct what a department has named
    CHOICE = "choice"  # whether to go on without what it waited for


def told_items(items: Iterable[Any], *, about_family: Collection[str]) -> list[Any]:
    """The items that an employer is told of, in their order.

    Of an offering that is `about_family` it is one, the last to end, however many there are: how
    many children somebody has is not for an employer to count. For the same reason no item is told
    with its number. `items`: rows with `id offering_code phase due_at`.
    """
    shown: dict[Any, Any] = {}
    for item in items:
        key = item.offering_code if item.offering_code in about_family else item.id
        shown[key] = max(shown.get(key, item), item, key=_end)
    return list(shown.values())


def _end(item: Any) -> tuple[bool, datetime]:
    return item.phase is not Phase.ENDED, item.due_at
