"""Eligibility for the offerings in force: of a guest by what they state, of a talent by records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.calendars.queries import calendar_at_sign_in, calendar_for
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import offerings_in_force
from service.catalogue.rules.definitions import OfferingDefinition
from service.catalogue.rules.pack import Subject
from service.facts.queries import facts_of
from service.facts.rules import by_kind
from service.identity.people.queries import household_for
from service.kernel.actor import Actor
from service.kernel.errors import FieldError, Invalid
from service.policies.rules import (
    Eligibility,
    Relative,
    Stated,
    Titles,
    eligibility,
    stated_faults,
    subjects,
)
from service.routing.conditions.known import Known


@dataclass(frozen=True)
class _Person:
    """Who is asked about: facts by person, where the talent's own are those of None."""

    born: date | None
    family: Sequence[Relative]
    facts: Mapping[UUID | None, Mapping[str, Sequence[Mapping[str, Any]]]]
    complete: bool


@dataclass(frozen=True)
class Found:
    """What was asked, row by row, and what the offerings in force are called."""

    rows: Sequence[Eligibility]
    titles: Titles


def eligibility_for(
    session: Session, actor: Actor, district: str, stated: Stated, *, at: datetime
) -> Found:
    """What the criteria of offerings come to, one row for each offering and possible subject.

    A talent of the district is asked about by what it has established of them and of their
    family, and by what they state besides; anybody else by what they state alone. Two
    statements, three for a talent. Raises `Invalid` where what is stated is wrong.
    """
    offerings = offerings_in_force(session, district)
    faults = [
        *_unknown(stated, offerings),
        *stated_faults(stated.sections, stated.facts, offerings),
    ]
    today = _calendar(session, actor, district).local_date(at)
    faults += _unborn(stated, today)
    if faults:
        raise Invalid(errors=faults)
    own = actor.person_id is not None and actor.district == district
    person = _recorded(session, actor, stated, today) if own else _as_stated(stated)
    wanted = [one for one in offerings if not stated.offerings or one.code in stated.offerings]
    rows = [
        eligibility(one, _known(one, stated, person, subject, today), subject)
        for one in wanted
        for subject in subjects(one, person.family)
    ]
    return Found(rows, {one.code: one.title for one in offerings})


def _calendar(session: Session, actor: Actor, district: str) -> WorkingCalendar:
    if actor.district == district:
        return calendar_at_sign_in(session, actor)
    return calendar_for(session, district)


def _unknown(stated: Stated, offerings: Sequence[OfferingDefinition]) -> list[FieldError]:
    known = {one.code for one in offerings}
    return [
        FieldError(f"{name}.{place}", "offering_unknown")
        for name in ("offerings", "together")
        for place, code in enumerate(getattr(stated, name))
        if code not in known
    ]


def _unborn(stated: Stated, today: date) -> list[FieldError]:
    """The birth dates that are still to come in the district."""
    born = {"birth_date": stated.born} | {
        f"family.{place}.birth_date": one.born for place, one in enumerate(stated.family)
    }
    return [
        FieldError(path, "birth_date_in_future")
        for path, day in born.items()
        if day is not None and day > today
    ]


def _as_stated(stated: Stated) -> _Person:
    return _Person(stated.born, stated.family, {None: _stated_facts(stated)}, complete=False)


def _recorded(session: Session, actor: Actor, stated: Stated, today: date) -> _Person:
    household = household_for(session, actor)
    members = household.family.values()
    family = [Relative(Subject(one.kinship), one.birth_date, one.id) for one in members]
    people = {actor.person, *household.family}
    facts = facts_of(session, actor, persons=people, on=today)
    shown: dict[UUID | None, Mapping[str, Sequence[Mapping[str, Any]]]] = {
        person: by_kind(facts[person]) for person in household.family
    }
    shown[None] = _merged(_stated_facts(stated), by_kind(facts[actor.person]))
    born = household.applicant.birth_date or stated.born
    return _Person(born, [*family, *stated.family], shown, complete=True)


def _known(
    offering: OfferingDefinition,
    stated: Stated,
    person: _Person,
    subject: Relative | None,
    today: date,
) -> Known:
    about = {} if subject is None else person.facts.get(subject.person, {})
    facts = person.facts[None] if subject is None else _merged(about, person.facts[None])
    return Known(
        today,
        answers=stated.sections,
        facts=facts,
        facts_complete=person.complete,
        born={"applicant": person.born, "subject": None if subject is None else subject.born},
        requested=frozenset(stated.together) - {offering.code},
    )


def _stated_facts(stated: Stated) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for fact in stated.facts:
        found.setdefault(fact.kind, []).append(fact.value)
    return found


def _merged(
    first: Mapping[str, Sequence[Mapping[str, Any]]],
    then: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, list[Mapping[str, Any]]]:
    return {kind: [*first.get(kind, ()), *then.get(kind, ())] for kind in {**first, **then}}
