"""What is decided about facts: values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class FactState(StrEnum):
    """Where a fact stands on a day; upcoming: issued, but valid from a later day on."""

    UPCOMING = "upcoming"
    IN_FORCE = "in_force"
    ENDED = "ended"
    REVOKED = "revoked"


class FactEvent(StrEnum):
    """The kinds of events that facts emit."""

    FACT_ISSUED = "fact_issued"
    FACT_REVOKED = "fact_revoked"


@dataclass(frozen=True, slots=True)
class KnownKind:
    """A kind of fact as the district declares it; `schema` is the JSON Schema of its values."""

    code: str
    title: Mapping[str, str]
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewFact:
    """What a department establishes about a person, from a day to a day (inclusive) or open-ended.

    `kind` and `issuer` are codes of the district. `item_id` and `material_id` are the evidence;
    the event of the issue names the item, and the ticket where one is given.
    """

    person_id: UUID
    kind: str
    value: Mapping[str, Any] = field(repr=False)
    issuer: str
    valid_from: date
    valid_to: date | None = None
    item_id: UUID | None = None
    material_id: UUID | None = None
    ticket_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact with its value opened; `issuer_name` as the issuer is called now, if it was read."""

    id: UUID
    person_id: UUID
    kind: str
    value: Mapping[str, Any] = field(repr=False)
    issuer: str
    valid_from: date
    valid_to: date | None
    item_id: UUID | None
    revoked_at: datetime | None
    issuer_name: Mapping[str, str] | None = field(default=None, compare=False)


def state_of(fact: KnownFact, on: date) -> FactState:
    """Where a fact stands on a day of its district; once revoked, it is revoked for every day."""
    if fact.revoked_at is not None:
        return FactState.REVOKED
    if on < fact.valid_from:
        return FactState.UPCOMING
    if fact.valid_to is not None and fact.valid_to < on:
        return FactState.ENDED
    return FactState.IN_FORCE


def in_force(fact: KnownFact, on: date) -> bool:
    """Whether a fact may be relied on that day: both its first and its last day count."""
    return state_of(fact, on) is FactState.IN_FORCE


def by_kind(facts: Iterable[KnownFact]) -> dict[str, list[Mapping[str, Any]]]:
    """The values of facts as conditions and forms look at them, in the same order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for fact in facts:
        found.setdefault(fact.kind, []).append(fact.value)
    return found
