"""What an approval establishes: facts about the applicant or the subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.catalogue.rules import OfferingDefinition, gift_dates, gift_value
from service.facts.actions import issue_facts
from service.facts.rules import NewFact
from service.kernel.actor import Actor
from service.kernel.errors import FieldError, Invalid
from service.routing import Gift
from service.tickets.models.items import Item
from service.tickets.queries.cases import answers_of


def give_facts(
    session: Session,
    actor: Actor,
    item: Item,
    definition: OfferingDefinition,
    gifts: Iterable[Gift],
    *,
    result: Mapping[str, Any],
    issuer: str,
    today: date,
    at: datetime,
) -> None:
    """Issue what the decision gives, in the name of the department that decided.

    `result` is what it recorded, `today` the day in the district. Raises `Invalid` at the result
    where it makes no good fact.
    """
    gifts = list(gifts)
    answers = answers_of(session, item) if any(map(_takes_answers, gifts)) else {}
    facts = []
    for gift in gifts:
        value = gift_value(gift.value, result=result, answers=answers)
        try:
            begins, ends = gift_dates(gift, result=result, answers=answers, today=today)
        except ValueError:
            raise Invalid(errors=[FieldError("result", "fact_dates_wrong")]) from None
        if definition.facts[gift.fact].form.faults(value, at="result"):
            raise Invalid(errors=[FieldError("result", "fact_value_wrong")])
        facts.append(
            NewFact(
                person_id=_about(item, gift),
                kind=gift.fact,
                value=value,
                issuer=issuer,
                item_id=item.id,
                ticket_id=item.ticket_id,
                valid_from=begins,
                valid_to=ends,
            )
        )
    issue_facts(session, actor, facts=facts, at=at)


def _about(item: Item, gift: Gift) -> UUID:
    if gift.about == "subject" and item.subject_id is not None:
        return item.subject_id
    return item.person_id


def _takes_answers(gift: Gift) -> bool:
    parts = [*gift.value.values(), gift.begins, gift.ends]
    return any(isinstance(part, Mapping) and "field" in part for part in parts)
