"""How long a document stays because something rests on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from service.materials.rules import Hold
from service.routing.states import Outcome

DECIDED: Final = frozenset({Outcome.APPROVED, Outcome.REJECTED, Outcome.NOT_ACCEPTED})
"""Outcomes that a department decided on the documents; the others no document led to."""


@dataclass(frozen=True, slots=True)
class Use:
    """An item that a document was handed in with.

    `ended_on` is None while it has not ended. `facts`: the last day of each fact that it
    established, or that of its revocation if it is earlier; None for one without a last day.
    """

    ended_on: date | None
    outcome: Outcome | None
    facts: tuple[date | None, ...] = ()


def hold_of(uses: Iterable[Use], *, years: int, today: date) -> Hold | None:
    """What keeps a document from being erased today; None where nothing does.

    An item that has not ended does. So does one that was decided, for `years` whole calendar years
    after the one in which its effect ended: that of its end or, if it is later, that of the last
    day of a fact that it established; a fact without a last day keeps the document as long as it
    is in force. Order No. 8 of the National Archives Administration (2006), article 6, has files
    of offices kept 10 or 30 years.
    """
    known = list(uses)
    if any(use.ended_on is None for use in known):
        return Hold("material_in_use")
    decided = [use for use in known if use.outcome in DECIDED]
    if any(None in use.facts for use in decided):
        return Hold("material_proves_fact")
    until = max((_kept_until(use, years) for use in decided), default=None)
    if until is None or until < today:
        return None
    return Hold("material_is_evidence", until)


def _kept_until(use: Use, years: int) -> date:
    days = [day for day in (use.ended_on, *use.facts) if day is not None]
    last = min(max(day.year for day in days) + years, date.max.year)
    return date(last, 12, 31)
