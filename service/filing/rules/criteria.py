"""Criteria that refuse an item, each with the rule that says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from service.catalogue.rules.definitions import Criterion, OfferingDefinition, looks_at
from service.kernel.errors import FieldError
from service.kernel.messages import LANGUAGES, Language, say
from service.routing.conditions.answered import Answer, evaluate
from service.routing.conditions.asked import Source, SourceKind, Truth
from service.routing.conditions.known import Known


def criterion_faults(
    definition: OfferingDefinition, known: Known, path: str, unsound: Collection[str] = ()
) -> list[FieldError]:
    """The criteria that refuse an item, each with the rule that says so.

    One that cannot be told from what is there refuses, too, and names what is missing: else
    leaving something out would be a way around it. One that looks at a field of `unsound`, whose
    answer has a fault, is not asked.
    """
    judged = [
        (one, evaluate(one.met_when, known))
        for one in definition.criteria
        if one.binding.refuses and not looks_at(one.met_when, unsound)
    ]
    return [
        _fault(definition, one, answer, path)
        for one, answer in judged
        if answer.truth is not Truth.MET
    ]


def _fault(
    definition: OfferingDefinition, criterion: Criterion, answer: Answer, path: str
) -> FieldError:
    code, missing = "criterion_not_met", list[str]()
    params: dict[str, Any] = {"criterion": criterion.code, "offering": definition.code}
    if answer.truth is Truth.UNKNOWN:
        code, missing = "criterion_unknown", list(answer.missing)
        params["missing"] = missing
    words: dict[str, str] = {
        language: say(
            f"{code}_named",
            language,
            {
                "title": criterion.title[language],
                "cited": cited(criterion, language),
                "missing": _AND[language].join(
                    dict.fromkeys(_named(definition, one, language) for one in missing)
                ),
            },
        )
        for language in LANGUAGES
    }
    return FieldError(path, code, params, words)


_AND: Final[Mapping[Language, str]] = {"zh": "、", "en": ", "}


def _named(definition: OfferingDefinition, missing: str, language: Language) -> str:
    """What people call something that is missing, `field:lease.to` or `age:subject`."""
    kind, _, name = missing.partition(":")
    if kind == SourceKind.AGE:
        return say(f"birth_date_of_{name}", language)
    title = definition.title_of(Source(SourceKind(kind), name))
    return name if title is None else title[language]


def cited(criterion: Criterion, tongue: str) -> str:
    """The rule behind a criterion, with its article, in one language."""
    if criterion.article is None:
        return criterion.citation[tongue]
    return f"{criterion.citation[tongue]}{_BEFORE_ARTICLE[tongue]}{criterion.article[tongue]}"


_BEFORE_ARTICLE: Final = {"zh": "", "en": ", "}
