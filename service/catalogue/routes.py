"""What a district offers, for everybody."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy.orm import Session

from service.catalogue import schemas
from service.catalogue.queries import definitions, form
from service.catalogue.queries.districts import list_districts, require_district
from service.catalogue.rules.definitions import BundleDefinition, OfferingDefinition
from service.kernel import clock, http
from service.kernel.db import Scope, set_scope

blp = http.Blueprint(
    "catalogue", __name__, url_prefix="/v1", description="What can be applied for, and how."
)
AUDIENCES = ("public", "talent", "desk")
_UNKNOWN: Final = {422: ["district_unknown"]}

_DISTRICT: Final = {
    "code": "demo",
    "name": {"zh": "东湾高新区", "en": "Dongwan High-tech Zone"},
    "zone": "Asia/Shanghai",
    "office_hours": [
        {"opens": "09:00", "closes": "12:00"},
        {"opens": "14:00", "closes": "18:00"},
    ],
    "default": True,
}
_SETTLEMENT: Final = {
    "code": "settlement",
    "version": 1,
    "title": {"zh": "人才落户", "en": "Household registration for talents"},
    "summary": {
        "zh": "在本区就业的人才将户口迁入本区。",
        "en": "Talents who work here move their household registration here.",
    },
}
_ARRIVAL: Final = {
    "code": "arrival",
    "version": 1,
    "title": {"zh": "人才引进“一件事”", "en": "Arriving as a talent"},
    "summary": {
        "zh": "人才到岗后一次填报，由各部门并行办理。",
        "en": "Newly arrived talents give everything once; the departments work in parallel.",
    },
}
_SECTION: Final = {
    "code": "residence",
    "scope": "ticket",
    "title": {"zh": "现居住信息", "en": "Present residence"},
    "schema": {
        "type": "object",
        "required": ["address"],
        "properties": {
            "address": {
                "type": "string",
                "maxLength": 120,
                "x-title": {"zh": "详细地址", "en": "Address"},
            }
        },
        "additionalProperties": False,
        "examples": [{"address": "东湾高新区望海路 18 号 3 幢 702 室"}],
    },
}
_OFFERING: Final = {
    **_SETTLEMENT,
    "subject": "self",
    "citations": [
        {
            "code": "regulations",
            "title": {"zh": "《户口登记条例》", "en": "Regulations on Household Registration"},
            "article": {"zh": "第十条", "en": "article 10"},
        }
    ],
    "criteria": [
        {
            "code": "employed",
            "title": {"zh": "在本区就业", "en": "Works in the district"},
            "binding": "refuse",
            "citation": {"zh": "《户口登记条例》", "en": "Regulations on Household Registration"},
            "article": {"zh": "第十条", "en": "article 10"},
        }
    ],
    "remedies": {
        "zh": "如对决定不服，可以自收到之日起六十日内申请行政复议。",
        "en": "Whoever disagrees may apply for administrative reconsideration within sixty days.",
    },
    "departments": [
        {"code": "public_security", "name": {"zh": "公安分局", "en": "Public Security Branch"}}
    ],
    "promise_working_days": 5,
    "stages": [
        {
            "key": "acceptance",
            "kind": "acceptance",
            "title": {"zh": "受理", "en": "Acceptance"},
            "department": "public_security",
            "departments": ["public_security"],
            "working_days": 5,
            "working_hours": 0,
        }
    ],
    "sections": [_SECTION],
}
_MATERIAL: Final = {
    "code": "id_card",
    "scope": "ticket",
    "title": {"zh": "居民身份证", "en": "Identity card"},
    "note": {"zh": "正反面", "en": "Both sides"},
    "formats": ["pdf", "jpg", "png"],
    "most": 2,
    "asked_by": [{"offering": "settlement", "need": "always", "when": None}],
}
_BUNDLE: Final = {
    **_ARRIVAL,
    "consents": [
        {
            "ref": "processing@1",
            "optional": False,
            "title": {"zh": "个人信息处理同意书", "en": "Processing of personal information"},
            "text": {
                "zh": "为办理您申请的事项，承办部门按最小必要范围处理您的信息。",
                "en": "The departments responsible process what you enter, to the least extent.",
            },
        }
    ],
    "offerings": [
        {**_SETTLEMENT, "subject": "self", "promise_working_days": 5, "sections": ["residence"]}
    ],
    "sections": [_SECTION],
    "edges": [{"from": "recognition", "to": "settlement", "kind": "soft"}],
}
_FORM: Final = {
    "bundle": "arrival",
    "version": 1,
    "offerings": _BUNDLE["offerings"],
    "sections": [
        {
            **_SECTION,
            "rules": [],
            "asked_by": ["settlement"],
            "prefilled": {"address": "东湾高新区望海路 18 号 3 幢 702 室"},
        }
    ],
    "materials": [_MATERIAL],
    "consents": _BUNDLE["consents"],
    "edges": _BUNDLE["edges"],
}


def _looked_at(district: str | None = None) -> tuple[Session, str]:
    """The district asked for, by default the actor's, and a session that sees it.

    Raises `Invalid` for one that there is not.
    """
    session, own = http.session(), http.actor().district
    if district is None or district == own:
        return session, own
    require_district(session, district)
    set_scope(session, Scope.guest(district))
    return session, district


@blp.get("/districts", allow=http.PUBLIC, audiences=http.AUDIENCES)
@blp.response(200, schemas.Districts, example={"items": [_DISTRICT]})
def get_districts() -> dict[str, Any]:
    """List the districts of this installation, with their time zones and office hours."""
    default = http.runtime().settings.default_district
    found = list_districts(http.session())
    return {"items": [{**asdict(view), "default": view.code == default} for view in found]}


@blp.get("/offerings", allow=http.PUBLIC, audiences=AUDIENCES, problems=_UNKNOWN)
@blp.arguments(schemas.DistrictQuery, location="query")
@blp.response(200, schemas.Offerings, example={"items": [_SETTLEMENT]})
def list_offerings(query: dict[str, str]) -> dict[str, Any]:
    """List the offerings of a district."""
    return {"items": definitions.list_offerings(*_looked_at(**query))}


@blp.get("/offerings/<string:code>", allow=http.PUBLIC, audiences=AUDIENCES, problems=_UNKNOWN)
@blp.arguments(schemas.DistrictQuery, location="query")
@blp.response(200, schemas.Offering, example=_OFFERING)
def get_offering(query: dict[str, str], code: str) -> OfferingDefinition:
    """Read an offering: what it asks, who works on it, what is promised."""
    return definitions.get_offering(*_looked_at(**query), code)


@blp.get("/bundles", allow=http.PUBLIC, audiences=AUDIENCES, problems=_UNKNOWN)
@blp.arguments(schemas.DistrictQuery, location="query")
@blp.response(200, schemas.Bundles, example={"items": [_ARRIVAL]})
def list_bundles(query: dict[str, str]) -> dict[str, Any]:
    """List the bundles of a district."""
    return {"items": definitions.list_bundles(*_looked_at(**query))}


@blp.get("/bundles/<string:code>", allow=http.PUBLIC, audiences=AUDIENCES, problems=_UNKNOWN)
@blp.arguments(schemas.DistrictQuery, location="query")
@blp.response(200, schemas.Bundle, example=_BUNDLE)
def get_bundle(query: dict[str, str], code: str) -> BundleDefinition:
    """Read a bundle: its offerings, every section of the form once, the consents it takes."""
    return definitions.get_bundle(*_looked_at(**query), code)


@blp.get(
    "/bundles/<string:code>/form",
    allow=http.PUBLIC,
    audiences=AUDIENCES,
    problems={422: ["district_unknown", "offering_not_in_bundle"]},
)
@blp.arguments(schemas.FormQuery, location="query", as_kwargs=True)
@blp.response(200, schemas.Form, example=_FORM)
def get_bundle_form(code: str, offerings: str | None, district: str | None = None) -> form.FormView:
    """Read the form for the offerings chosen, each section and material once.

    A talent who is signed in finds filled in what is known of them already.
    """
    session, place = _looked_at(district)
    chosen = [] if offerings is None else offerings.split(",")
    found = form.bundle_form(session, http.actor(), place, code, offerings=chosen, at=clock.now())
    return form.form_view(found)
