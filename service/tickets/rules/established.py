"""What is established already of what an approval would establish: values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from service.catalogue.rules.fact_templates import fact_value
from service.facts.rules import KnownFact
from service.routing.flow import FactTemplate


def already_established(
    templates: Iterable[FactTemplate],
    *,
    applicant: UUID,
    subject: UUID | None,
    answers: Mapping[str, Mapping[str, Any]],
    facts: Mapping[UUID, Sequence[KnownFact]],
    until: date,
) -> list[KnownFact]:
    """A fact for each template of a decision, or none at all where one is missing.

    A fact stands for a template if it is of its kind, about the same person, says
    whatever the template says before anybody has decided (what is fixed, and what it takes from the
    answers), and still holds on the day `until`. `facts`: by person, those that hold now.
    """
    found = []
    for template in templates:
        about = subject if template.about == "subject" and subject is not None else applicant
        says = fact_value(template.value, result={}, answers=answers)
        fact = next(
            (one for one in facts.get(about, ()) if _stands(one, template, says, until)), None
        )
        if fact is None:
            return []
        found.append(fact)
    return found


def _stands(fact: KnownFact, template: FactTemplate, says: Mapping[str, Any], until: date) -> bool:
    holds = fact.valid_to is None or until <= fact.valid_to
    same = all(fact.value.get(name) == value for name, value in says.items())
    return holds and fact.kind == template.fact and same
