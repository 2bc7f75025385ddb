"""What an applicant is told of a refusal or a return: why, by which rule, and what can be done.

Administrative Licensing Law (行政许可法) art. 38: a decision not to grant states its reasons, and
tells of the right to apply for reconsideration and to sue; art. 32: not to accept is told as well,
and so is all that has to be corrected. Administrative Reconsideration Law (行政复议法) art. 20 has
sixty days, Administrative Litigation Law (行政诉讼法) art. 46 six months, for who is told of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.catalogue.rules.definitions import Cited, OfferingDefinition
from service.kernel.errors import FieldError
from service.kernel.messages import LANGUAGES, say
from service.routing.flow import Stage, Verdict

Text = Mapping[str, str]

REFUSALS: Final = frozenset({Verdict.NOT_ACCEPT, Verdict.REJECT})
"""The verdicts against which an applicant can do something."""

REASONED: Final = REFUSALS | {Verdict.RETURN}
"""The verdicts that have a reason for the applicant."""


@dataclass(frozen=True, slots=True, repr=False)
class Reason:
    """A reason as a department gives it, in its own words.

    The rule is one of the offering's citations (`code`, at `article` where it is not the citation's
    own), or, where it names none that fits, `rule` in words. `remedies`: what the applicant can do,
    where, and within which time; None is what the offering says.
    """

    text: str
    code: str | None = None
    article: str | None = None
    rule: str | None = None
    remedies: str | None = None

    def plain(self) -> dict[str, str]:
        """The reason as it is kept: what it does not say is left out."""
        said = {
            "text": self.text,
            "code": self.code,
            "article": self.article,
            "rule": self.rule,
            "remedies": self.remedies,
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True, repr=False)
class ToldReason:
    """A reason as it is shown: what a department wrote stands in both languages as written.

    `citation` is None where a check of a version that names no rule rejected.
    """

    text: Text
    citation: Cited | None
    remedies: Text | None


def reason_faults(
    definition: OfferingDefinition, verdict: Verdict, reason: Reason | None
) -> list[FieldError]:
    """What is wrong with the reason of a verdict: there must be one where the applicant is refused
    or asked for something, and nowhere else.
    """
    if verdict not in REASONED:
        return [] if reason is None else [FieldError("reason", "reason_not_expected")]
    if reason is None:
        return [FieldError("reason", "reason_missing")]
    return list(_faults(definition, reason, refuses=verdict in REFUSALS))


def _faults(
    definition: OfferingDefinition, reason: Reason, *, refuses: bool
) -> Iterator[FieldError]:
    if (reason.code is None) is (reason.rule is None):
        yield FieldError("reason.citation", "citation_needed")
    elif reason.code is not None and reason.code not in definition.rules:
        yield FieldError("reason.citation.code", "citation_unknown")
    elif reason.article is not None and reason.code is None:
        yield FieldError("reason.citation.article", "citation_needed")
    if refuses and reason.remedies is None and definition.remedies is None:
        yield FieldError("reason.remedies", "remedies_missing")
    if not refuses and reason.remedies is not None:
        yield FieldError("reason.remedies", "remedies_not_expected")


def told(definition: OfferingDefinition, verdict: Verdict, reason: Reason) -> ToldReason:
    """A department's reason, with the words that the offering has for it."""
    remedies = definition.remedies if reason.remedies is None else _as_written(reason.remedies)
    return ToldReason(
        text=_as_written(reason.text),
        citation=_cited(definition, reason),
        remedies=remedies if verdict in REFUSALS else None,
    )


def told_of_check(definition: OfferingDefinition, stage: Stage) -> ToldReason:
    """The reason of a check that rejected: its title, and the rule that its pack names."""
    cites = stage.cites
    words: dict[str, str] = {
        language: say("check_not_passed", language, {"title": stage.title[language]})
        for language in LANGUAGES
    }
    return ToldReason(
        text=words,
        citation=None if cites is None else definition.cited(cites.citation, cites.article),
        remedies=definition.remedies,
    )


def _cited(definition: OfferingDefinition, reason: Reason) -> Cited | None:
    if reason.code is None:
        return Cited(_as_written(reason.rule or ""), None)
    article = None if reason.article is None else _as_written(reason.article)
    return definition.cited(reason.code, article)


def _as_written(words: str) -> dict[str, Any]:
    return dict.fromkeys(LANGUAGES, words)
