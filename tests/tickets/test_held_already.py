"""Which facts count for what an approval would establish, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest

from service.facts.rules import KnownFact
from service.routing.flow import FactTemplate
from service.tickets.rules.established import already_established

TALENT, CHILD, SISTER = (UUID(int=one) for one in range(3))
NEEDED = date(2026, 4, 1)
ANSWERS = {"schooling": {"school_year": "2026", "stage": "primary"}}
SEAT = {"stage": "primary", "school": "东湾高新区实验小学", "school_year": "2026"}


@dataclass(frozen=True)
class LockedTask:
    """A fact that somebody has."""

    person: UUID
    kind: str
    value: dict[str, Any]
    until: date | None = None

    def fact(self) -> KnownFact:
        start = date(2026, 1, 1)
        return KnownFact(
            uuid4(), self.person, self.kind, self.value, "police", start, self.until, None, None
        )


def template(
    fact: str, about: Literal["applicant", "subject"] = "applicant", **value: Any
) -> FactTemplate:
    return FactTemplate(fact, about, value)


CLASS = template("recognition", **{"class": {"result": "class"}, "level": "district"})
PLACE = template(
    "school_seat",
    "subject",
    stage={"field": "schooling.stage"},
    school={"result": "school"},
    school_year={"field": "schooling.school_year"},
)
BENEFIT = template("benefit", note={"field": "schooling.note"})
DISTRICT = {"class": "D", "level": "district"}


def held(*templates: FactTemplate, facts: tuple[LockedTask, ...]) -> list[str]:
    """The kinds of the facts that count for a child's item, in the order of the templates."""
    known: dict[UUID, list[KnownFact]] = {}
    for one in facts:
        known.setdefault(one.person, []).append(one.fact())
    found = already_established(
        templates, applicant=TALENT, subject=CHILD, answers=ANSWERS, facts=known, until=NEEDED
    )
    return [fact.kind for fact in found]


@pytest.mark.parametrize(
    ("templates", "facts", "expected"),
    [
        ([CLASS], [LockedTask(TALENT, "recognition", DISTRICT)], True),
        # what the decision records may be anything
        ([CLASS], [LockedTask(TALENT, "recognition", DISTRICT | {"class": "A"})], True),
        # what the approval would always say has to be said
        ([CLASS], [LockedTask(TALENT, "recognition", DISTRICT | {"level": "national"})], False),
        ([CLASS], [LockedTask(TALENT, "recognition", {"class": "D"})], False),
        # so has what is said in the form
        ([PLACE], [LockedTask(CHILD, "school_seat", SEAT)], True),
        ([PLACE], [LockedTask(CHILD, "school_seat", SEAT | {"school_year": "2025"})], False),
        # an answer that was not given asks for nothing
        ([BENEFIT], [LockedTask(TALENT, "benefit", {"note": "一次性"})], True),
        # about the one whom it would be about
        ([PLACE], [LockedTask(SISTER, "school_seat", SEAT)], False),
        ([PLACE], [LockedTask(TALENT, "school_seat", SEAT)], False),
        ([CLASS], [LockedTask(CHILD, "recognition", DISTRICT)], False),
        # all of them
        ([CLASS, PLACE], [LockedTask(TALENT, "recognition", DISTRICT)], False),
        (
            [CLASS, PLACE],
            [LockedTask(TALENT, "recognition", DISTRICT), LockedTask(CHILD, "school_seat", SEAT)],
            True,
        ),
        # as long as it is needed, that day included
        ([CLASS], [LockedTask(TALENT, "recognition", DISTRICT, NEEDED)], True),
        ([CLASS], [LockedTask(TALENT, "recognition", DISTRICT, date(2026, 3, 31))], False),
        # one of several that fits is enough
        (
            [CLASS],
            [
                LockedTask(TALENT, "recognition", DISTRICT, date(2026, 3, 31)),
                LockedTask(TALENT, "recognition", DISTRICT | {"class": "E"}),
            ],
            True,
        ),
        ([], [LockedTask(TALENT, "recognition", DISTRICT)], False),
    ],
)
def test_what_counts(templates, facts, expected):
    found = held(*templates, facts=tuple(facts))
    assert found == ([one.fact for one in templates] if expected else [])


def test_nobody_to_be_about_but_the_applicant():
    """As with what is given: an item about nobody else is about the applicant."""
    fact = LockedTask(TALENT, "school_seat", SEAT).fact()
    found = already_established(
        [PLACE],
        applicant=TALENT,
        subject=None,
        answers=ANSWERS,
        facts={TALENT: [fact]},
        until=NEEDED,
    )
    assert found == [fact]
