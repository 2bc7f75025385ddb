"""A talent's facts, and taking one back."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from service.facts import actions, queries, schemas
from service.facts.rules import FactState
from service.kernel import clock, http
from service.kernel.permissions import Permission
from service.kernel.views import PageOf

blp = http.Blueprint(
    "facts",
    __name__,
    url_prefix="/v1",
    description="What departments have established about persons.",
)

_ID: Final = "0199d3c2-7a55-7d18-b6e3-4c0f2a7d9e52"
_PAGE: Final = {
    "items": [
        {
            "id": _ID,
            "kind": "recognition",
            "title": {"zh": "人才认定", "en": "Recognition as a talent"},
            "value": {"class": "B"},
            "value_shown": [
                {
                    "code": "class",
                    "title": {"zh": "人才类别", "en": "Class"},
                    "value": "B",
                    "text": {"zh": "B 类", "en": "Class B"},
                }
            ],
            "issuer": "human_resources",
            "issuer_name": {"zh": "人力资源和社会保障局", "en": "Human Resources Bureau"},
            "valid_from": "2026-11-24",
            "valid_to": "2029-11-23",
            "issued_at": "2026-11-24T02:10:00+00:00",
            "revoked_at": None,
            "state": "in_force",
        }
    ],
    "next": None,
}
_REASON: Final = {"reason": "认定所依据的学历证书经核查不实。"}
_REVOKED: Final = {
    "id": _ID,
    "kind": "recognition",
    "issuer": "human_resources",
    "state": "revoked",
    "revoked_at": "2027-03-02T06:30:00+00:00",
}


@blp.get("/me/facts", allow=Permission.FACT_READ_OWN, audiences=("talent",))
@blp.arguments(schemas.FactPageIn, location="query", as_kwargs=True)
@blp.response(200, schemas.FactPageOut, example=_PAGE)
def list_my_facts(limit: int, after: str | None) -> PageOf[queries.OwnFact]:
    """List what departments of this district have established about me, the newest first.

    What has ended or was revoked is in the list too.
    """
    session, actor = http.session(), http.actor()
    page = http.Page(limit, after, account=actor.account, filters={"list": "facts"})
    before = page.behind_id
    today = actor.local_date(clock.now())
    found = queries.facts_for(session, actor, before=before, limit=limit, on=today)
    return page.answer(found, lambda own: own, lambda own: [own.id])


@blp.post(
    "/desk/facts/<uuid:fact_id>/revocation",
    allow=Permission.FACT_REVOKE,
    audiences=("desk",),
    problems={403: ["role_missing", "own_case"], 409: ["fact_revoked"]},
)
@blp.arguments(schemas.FactRevocationIn, as_kwargs=True, example=_REASON)
@blp.response(200, schemas.RevokedFactOut, example=_REVOKED)
def revoke_fact(fact_id: UUID, reason: str) -> queries.RevokedFact:
    """Revoke a fact that my department has issued."""
    fact = actions.revoke_fact(
        http.session(), http.actor(), fact_id=fact_id, reason=reason, at=clock.now()
    )
    return queries.RevokedFact(
        id=fact.id,
        kind=fact.kind,
        issuer=fact.issuer,
        state=FactState.REVOKED,
        revoked_at=fact.revoked_at,
    )
