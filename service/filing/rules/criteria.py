"""Criteria that refuse an item, each with the rule that says so."""

from __future__ import annotations

from typing import Final

from service.catalogue.rules import (
    Criterion,
    OfferingDefinition,
)
from service.kernel.errors import FieldError
from service.routing import Known, Truth, evaluate


def criterion_faults(definition: OfferingDefinition, known: Known, path: str) -> list[FieldError]:
    """The criteria that refuse an item, each with the rule that says so.

    What is not known refuses nothing: the department looks into it.
    """
    return [
        FieldError(
            path,
            "criterion_not_met",
            {"criterion": one.code, "offering": definition.code},
            {
                tongue: _CRITERION[tongue].format(title=one.title[tongue], cited=cited(one, tongue))
                for tongue in _CRITERION
            },
        )
        for one in definition.criteria
        if one.binding.refuses and evaluate(one.met_when, known).truth is Truth.NOT_MET
    ]


_CRITERION: Final = {
    "zh": "不符合条件：{title}（依据：{cited}）",
    "en": "A criterion is not met: {title} ({cited}).",
}


def cited(criterion: Criterion, tongue: str) -> str:
    """The rule behind a criterion, with its article, in one language."""
    if criterion.article is None:
        return criterion.citation[tongue]
    return f"{criterion.citation[tongue]}{_BEFORE_ARTICLE[tongue]}{criterion.article[tongue]}"


_BEFORE_ARTICLE: Final = {"zh": "", "en": ", "}
