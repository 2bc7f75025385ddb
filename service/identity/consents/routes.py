"""One's own consents over HTTP."""

from __future__ import annotations

from typing import Final

from service.identity.consents import actions, queries
from service.identity.consents.schemas import ConsentIn, ConsentsOut
from service.kernel import clock, http
from service.kernel.permissions import Permission
from service.kernel.views import Listing

consents: Final = http.Blueprint("consents", __name__, tag="me")

CONSENT_EXAMPLE: Final = {
    "code": "enterprise",
    "version": 2,
    "legal_basis": "consent",
    "given_at": "2026-11-02T03:00:00+00:00",
    "withdrawn_at": None,
}


@consents.get("/v1/me/consents", allow=Permission.PROFILE_READ, audiences=("talent",))
@consents.response(
    200,
    ConsentsOut,
    example={"items": [CONSENT_EXAMPLE | {"code": "processing", "version": 1}]},
)
def list_consents() -> Listing[queries.ConsentView]:
    """The consents that the talent has given in this district."""
    return queries.consents_for(http.session(), http.actor())


@consents.post(
    "/v1/me/consents",
    allow=Permission.PROFILE_WRITE,
    audiences=("talent",),
    problems={409: ["consent_needed"]},
)
@consents.arguments(ConsentIn, as_kwargs=True, example={"consent": "enterprise@2", "given": False})
@consents.response(
    200,
    ConsentsOut,
    example={"items": [CONSENT_EXAMPLE | {"withdrawn_at": "2026-12-01T01:20:00+00:00"}]},
)
def change_consent(consent: str, given: bool) -> Listing[queries.ConsentView]:
    """Let the employer follow, or no longer, from the next request on.

    Only a consent that no service rests on can be changed: `enterprise`. Withdrawing it ends every
    version of it; given again, the employer sees again what it was let see when it was filed.
    """
    session, actor = http.session(), http.actor()
    actions.change_consent(session, actor, consent=consent, given=given, at=clock.now())
    return queries.consents_for(session, actor)
