"""Am I eligible, and if not, why."""

from __future__ import annotations

from typing import Any, Final

from service.catalogue.rules.definitions import Criterion
from service.kernel import clock, http
from service.kernel.http.limits import client_account, limiter
from service.policies import queries, schemas
from service.policies.rules import Eligibility, Judged, Stated, Titles, sentence, titled
from service.routing.conditions.answered import Finding

blp = http.Blueprint(
    "policies", __name__, url_prefix="/v1", description="Who is eligible for what, and why."
)

_ASKED: Final = {
    "offerings": ["housing_rent"],
    "sections": {"applicant": {"graduated_on": "2025-06-30"}},
    "facts": [{"kind": "recognition", "value": {"class": "D", "level": "district"}}],
}
_ANSWER: Final = {
    "items": [
        {
            "offering": "housing_rent",
            "title": {"zh": "人才租房补贴", "en": "Rent subsidy for talents"},
            "about": "self",
            "subject": None,
            "verdict": "met",
            "criteria": [
                {
                    "code": "graduated_recently",
                    "title": {"zh": "毕业五年内", "en": "Graduated within five years"},
                    "citation": {"zh": "《实施细则》", "en": "Rules on rent subsidies"},
                    "article": {"zh": "第五条", "en": "article 5"},
                    "binding": "refuse",
                    "verdict": "met",
                    "reasons": [
                        {
                            "source": "field",
                            "name": "applicant.graduated_on",
                            "title": {"zh": "毕业日期", "en": "Date of graduation"},
                            "text": {
                                "zh": "毕业日期须在最近 5 年内",
                                "en": "Date of graduation: within the last 5 years",
                            },
                            "asked": "within_last",
                            "expected": {"years": 5},
                            "on": "2026-11-24",
                            "verdict": "met",
                            "missing": [],
                        }
                    ],
                }
            ],
        }
    ]
}


def _per_asker() -> str:
    return http.runtime().settings.limit_eligibility


@blp.post(
    "/eligibility",
    allow=http.PUBLIC,
    audiences=("public", "talent"),
    problems={429: ["too_many_requests"]},
)
@limiter.limit(_per_asker, key_func=client_account)
@blp.arguments(schemas.EligibilityIn, example=_ASKED)
@blp.response(200, schemas.EligibilityOut, example=_ANSWER)
def check_eligibility(stated: Stated) -> dict[str, Any]:
    """Ask whether criteria are met, one by one, with the rule behind each; nothing is kept."""
    session, actor = http.session(), http.actor()
    found = queries.eligibility_for(session, actor, actor.district, stated, at=clock.now())
    return {"items": [_row(one, found.titles) for one in found.rows]}


def _row(one: Eligibility, titles: Titles) -> dict[str, Any]:
    offering = one.offering
    return {
        "offering": offering.code,
        "title": offering.title,
        "about": offering.subject,
        "subject": None if one.subject is None else one.subject.person,
        "verdict": one.verdict,
        "criteria": [_criterion(judged, one, titles) for judged in one.criteria],
    }


def _criterion(judged: Judged, one: Eligibility, titles: Titles) -> dict[str, Any]:
    criterion, answer = judged.criterion, judged.answer
    return {
        "code": criterion.code,
        "title": criterion.title,
        "citation": criterion.citation,
        "article": criterion.article,
        "binding": criterion.binding,
        "verdict": answer.truth,
        "reasons": [_reason(finding, criterion, one, titles) for finding in answer.reasons],
    }


def _reason(
    finding: Finding, criterion: Criterion, one: Eligibility, titles: Titles
) -> dict[str, Any]:
    asked, expected = finding.asked
    return {
        "source": finding.source.kind,
        "name": finding.source.name or finding.source.kind,  # an expression has none
        "title": titled(finding, criterion, one.offering, titles),
        "text": sentence(finding, criterion, one.offering, titles),
        "asked": asked,
        "expected": expected,
        "on": finding.on,
        "verdict": finding.truth,
        "missing": finding.missing,
    }
