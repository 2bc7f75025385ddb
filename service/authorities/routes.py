"""Authorities over HTTP: given and revoked by talents, listed for agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from service.authorities import actions, queries, schemas
from service.authorities.queries import Authorised, GivenAuthority
from service.enterprises.queries import enterprise_for
from service.kernel import clock, http
from service.kernel.permissions import Permission
from service.kernel.views import PageOf

blp = http.Blueprint(
    "authorities",
    __name__,
    url_prefix="/v1",
    description="Who lets their employer's agents file for them.",
)

_ID: Final = "0199d3c2-7a57-7d21-8c52-4f8e1a6b3c91"
_GIVEN: Final = {
    "id": _ID,
    "enterprise": "东湾海芯科技有限公司",
    "given_at": "2026-11-20T02:15:00+00:00",
    "revoked_at": None,
}
_REVOKED: Final = _GIVEN | {"revoked_at": "2026-12-01T01:20:00+00:00"}
_GIVE: Final = {
    "credit_code": "91350100M000100Y43",
    "consents": ["processing@1", "sensitive@1"],
}
_PAGE: Final = {
    "items": [{"id": _ID, "employee": "张*", "given_at": "2026-11-20T02:15:00+00:00"}],
    "next": None,
}


@blp.get("/me/authorities", allow=Permission.AUTHORITY_GIVE, audiences=("talent",))
@blp.response(200, schemas.AuthoritiesOut, example={"items": [_REVOKED]})
def list_my_authorities() -> dict[str, Any]:
    """List whose agents I let file for me, and whose no longer."""
    return {"items": queries.authorities_for(http.session(), http.actor())}


@blp.post(
    "/me/authorities",
    allow=Permission.AUTHORITY_GIVE,
    audiences=("talent",),
    problems={409: ["employment_not_confirmed"]},
)
@blp.arguments(schemas.AuthorityIn, as_kwargs=True, example=_GIVE)
@blp.response(201, schemas.AuthorityOut, example=_GIVEN)
def give_authority(credit_code: str, consents: Sequence[str]) -> GivenAuthority:
    """Let my employer's agents file for me, until I revoke it.

    The employer is one for whom I am known to work. Agents cannot consent for me: the consents on
    which their filings will rest are given here. Given again, it stays as it was.
    """
    session, actor = http.session(), http.actor()
    row = actions.give_authority(
        session, actor, credit_code=credit_code, consents=consents, at=clock.now()
    )
    return queries.shown(session, actor, row)


@blp.post(
    "/me/authorities/<uuid:authority_id>/revocation",
    allow=Permission.AUTHORITY_GIVE,
    audiences=("talent",),
)
@blp.response(200, schemas.AuthorityOut, example=_REVOKED)
def revoke_authority(authority_id: UUID) -> GivenAuthority:
    """Let agents file for me no longer, from the next request on; what was filed stays."""
    session, actor = http.session(), http.actor()
    row = actions.revoke_authority(session, actor, authority_id=authority_id, at=clock.now())
    return queries.shown(session, actor, row)


@blp.get(
    "/enterprise/authorities",
    allow=Permission.AUTHORITY_USE,
    audiences=("enterprise",),
    problems={403: ["no_enterprise_in_district"]},
)
@blp.arguments(schemas.AuthorisedPageIn, location="query", as_kwargs=True)
@blp.response(200, schemas.AuthorisedPageOut, example=_PAGE)
def list_authorities(limit: int, after: str | None) -> PageOf[Authorised]:
    """List the employees for whom we may file, the last given first.

    Who has revoked it, or works for us no longer, is not in the list from the next request on.
    """
    session, actor = http.session(), http.actor()
    enterprise = enterprise_for(session, actor, on=actor.local_date(clock.now())).id
    filters = {"list": "authorities", "enterprise": enterprise}
    page = http.Page(limit, after, account=actor.account, filters=filters)
    before = page.behind_id
    found = queries.authorised_for(session, actor, enterprise, before=before, limit=limit)
    return page.answer(found, lambda one: one, lambda one: [one.id])
