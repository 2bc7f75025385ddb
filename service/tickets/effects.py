"""What a decision brings about besides its verdict, by kind of effect.

An effect has two moments in an act: what it establishes is known to the stages that follow before
they are entered, and its rows are written in the act's transaction, after those of tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.catalogue.rules.fact_templates import fact_dates, fact_value
from service.facts.actions import issue_facts
from service.facts.rules import NewFact
from service.kernel.actor import Actor
from service.kernel.errors import FieldError, Invalid
from service.routing.conditions.known import Known
from service.routing.flow import FactTemplate
from service.tickets.models.items import Item
from service.tickets.queries.cases import answers_of, person_of


@dataclass(frozen=True, slots=True)
class FactsGiven:
    """The effect `fact`: what an approval establishes about the applicant or the subject."""

    facts: Sequence[NewFact]

    def known_after(self, known: Known, today: date) -> Known:
        """What is known once the facts are there, those in force the newest of their kind."""
        values = dict(known.facts)
        for fact in self.facts:
            if fact.valid_from <= today:
                values[fact.kind] = [fact.value, *values.get(fact.kind, ())]
        return known.with_facts(values)

    def carry_out(self, session: Session, actor: Actor, *, at: datetime) -> None:
        """Issue the facts; one statement."""
        issue_facts(session, actor, facts=self.facts, at=at)


def facts_given(
    session: Session,
    item: Item,
    definition: OfferingDefinition,
    templates: Iterable[FactTemplate],
    *,
    result: Mapping[str, Any],
    issuer: str,
    today: date,
) -> FactsGiven:
    """The facts that a decision establishes, in the name of the department that decided.

    `result` is what the decision recorded, `today` the day in the district. One statement where a
    value is taken from the answers, else none. Raises `Invalid` at the result where it makes no
    valid fact.
    """
    templates = list(templates)
    answers = answers_of(session, item) if any(map(_takes_answers, templates)) else {}
    facts = []
    for template in templates:
        value = fact_value(template.value, result=result, answers=answers)
        try:
            begins, ends = fact_dates(template, result=result, answers=answers, today=today)
        except ValueError:
            raise Invalid(errors=[FieldError("result", "fact_dates_wrong")]) from None
        if definition.facts[template.fact].form.faults(value, at="result"):
            raise Invalid(errors=[FieldError("result", "fact_value_wrong")])
        facts.append(
            NewFact(
                person_id=_about(item, template),
                kind=template.fact,
                value=value,
                issuer=issuer,
                item_id=item.id,
                ticket_id=item.ticket_id,
                valid_from=begins,
                valid_to=ends,
            )
        )
    return FactsGiven(facts)


def _about(item: Item, template: FactTemplate) -> UUID:
    if template.about == "subject" and item.subject_id is not None:
        return item.subject_id
    return person_of(item)


def _takes_answers(template: FactTemplate) -> bool:
    parts = [*template.value.values(), template.begins, template.ends]
    return any(isinstance(part, Mapping) and "field" in part for part in parts)
