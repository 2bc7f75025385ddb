"""Criteria that refuse an item, each with the rule that says so."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from service.catalogue.rules.definitions import Criterion, OfferingDefinition, looks_at
from service.kernel.errors import FieldError
from service.kernel.messages import LANGUAGES, say
from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Truth
from service.routing.conditions.known import Known


def criterion_faults(
    definition: OfferingDefinition, known: Known, path: str, unsound: Collection[str] = ()
) -> list[FieldError]:
    """The criteria that refuse an item, each with the rule that says so.

    What is not known refuses nothing: the department looks into it. A criterion that looks at a
    field of `unsound`, whose answer has a fault, is not asked.
    """
    return [
        FieldError(
            path,
            "criterion_not_met",
            {"criterion": one.code, "offering": definition.code},
            _words(one),
        )
        for one in definition.criteria
        if one.binding.refuses
        and not looks_at(one.met_when, unsound)
        and evaluate(one.met_when, known).truth is Truth.NOT_MET
    ]


def _words(criterion: Criterion) -> dict[str, str]:
    return {
        language: say(
            "criterion_not_met_named",
            language,
            {"title": criterion.title[language], "cited": cited(criterion, language)},
        )
        for language in LANGUAGES
    }


def cited(criterion: Criterion, tongue: str) -> str:
    """The rule behind a criterion, with its article, in one language."""
    if criterion.article is None:
        return criterion.citation[tongue]
    return f"{criterion.citation[tongue]}{_BEFORE_ARTICLE[tongue]}{criterion.article[tongue]}"


_BEFORE_ARTICLE: Final = {"zh": "", "en": ", "}
