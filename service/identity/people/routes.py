"""One's own account and family over HTTP."""

from __future__ import annotations

from typing import Any, Final

from service.identity.people import actions, queries
from service.identity.people.limits import limited
from service.identity.people.queries import FamilyMember, Profile
from service.identity.people.schemas import (
    MEMBER_EXAMPLE,
    TALENT_EXAMPLE,
    FamilyMemberIn,
    FamilyMemberOut,
    FamilyOut,
    MeIn,
    MeOut,
    account_of,
)
from service.kernel import clock, http
from service.kernel.actor import Actor, ActorKind
from service.kernel.permissions import Permission
from service.kernel.views import Listing

me: Final = http.Blueprint("me", __name__, description="One's own account, family and consents.")


_ME_EXAMPLE: Final = TALENT_EXAMPLE | {
    "name": "李娜",
    "id_type": "citizen_id",
    "id_number": "110***********002X",
    "id_country": None,
    "birth_date": "1949-12-31",
    "phone": "138****5678",
    "complete": True,
}


@me.get("/v1/me", allow=Permission.PROFILE_READ, audiences=("talent", "desk", "enterprise"))
@me.response(
    200,
    MeOut,
    example=_ME_EXAMPLE,
)
def get_me() -> dict[str, Any]:
    """Who is signed in, and what is known of them."""
    return _me(http.actor())


@me.patch(
    "/v1/me",
    allow=Permission.PROFILE_WRITE,
    audiences=("talent",),
    problems={409: ["id_number_fixed", "id_number_taken"], 429: ["too_many_requests"]},
)
@me.arguments(
    MeIn,
    example={
        "name": "李娜",
        "id_type": "citizen_id",
        "id_number": "11010519491231002X",
        "phone": "13800005678",
    },
)
@me.response(
    200,
    MeOut,
    example=_ME_EXAMPLE,
)
@limited
def update_me(body: dict[str, Any]) -> dict[str, Any]:
    """Give name, phone, and an id document.

    What is left out stays. The document's kind and number go together and are given once; a
    passport with the state that issued it and the date of birth.
    """
    actions.update_me(http.session(), http.actor(), **body, at=clock.now())
    return _me(http.actor())


@me.get("/v1/me/family", allow=Permission.PROFILE_READ, audiences=("talent",))
@me.response(200, FamilyOut, example={"items": [MEMBER_EXAMPLE]})
def list_family() -> Listing[FamilyMember]:
    """The talent's spouse and children, as far as they were named."""
    family = queries.family_for(http.session(), http.actor())
    return Listing(list(family.values()))


@me.post(
    "/v1/me/family",
    allow=Permission.PROFILE_WRITE,
    audiences=("talent",),
    problems={
        409: ["family_member_known", "family_full", "spouse_known"],
        429: ["too_many_requests"],
    },
)
@me.arguments(
    FamilyMemberIn,
    example={
        "name": "李小明",
        "kinship": "child",
        "id_type": "citizen_id",
        "id_number": "110105201906010023",
    },
)
@me.response(201, FamilyMemberOut, example=MEMBER_EXAMPLE)
@limited
def add_family_member(body: dict[str, Any]) -> FamilyMember:
    """Name a spouse or child, so that items can be filed about them.

    Of up to twenty one is the spouse.
    """
    return actions.add_family_member(http.session(), http.actor(), **body, at=clock.now())


def _me(actor: Actor) -> dict[str, Any]:
    known: Profile | None = None
    if actor.kind is ActorKind.TALENT:
        known = queries.profile_for(http.session(), actor)
    said = {
        "name": known and known.name,
        "id_type": known and known.id_type,
        "id_number": known and known.id_number_masked,
        "id_country": known and known.id_country,
        "birth_date": known and known.birth_date,
        "phone": known and known.phone_masked,
        "complete": known and known.complete,
    }
    named = {"display_name": known.name or ""} if known else {}
    return account_of(actor) | named | said
