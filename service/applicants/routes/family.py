"""What a talent changes of their family."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from service.applicants.actions import family
from service.identity.people.limits import limited
from service.identity.people.queries import FamilyMember
from service.identity.people.schemas import MEMBER_EXAMPLE, FamilyMemberChanges, FamilyMemberOut
from service.kernel import clock, http
from service.kernel.permissions import Permission

blp: Final = http.Blueprint("family", __name__, url_prefix="/v1/me/family", tag="me")


@blp.patch(
    "/<uuid:member_id>",
    allow=Permission.PROFILE_WRITE,
    audiences=("talent",),
    problems={
        409: [
            "family_member_in_item",
            "family_member_fixed",
            "family_member_known",
            "spouse_known",
        ],
        429: ["too_many_requests"],
    },
)
@blp.arguments(FamilyMemberChanges, example={"name": "李小明"})
@blp.response(200, FamilyMemberOut, example=MEMBER_EXAMPLE)
@limited
def correct_family_member(body: dict[str, Any], member_id: UUID) -> FamilyMember:
    """Correct what I said of a member of my family; what is left out stays.

    Not while an item about them is open; and once one was, document and kinship stay.
    """
    return family.correct_family_member(
        http.session(), http.actor(), member_id=member_id, **body, at=clock.now()
    )


@blp.delete(
    "/<uuid:member_id>",
    allow=Permission.PROFILE_WRITE,
    audiences=("talent",),
    problems={409: ["family_member_in_item"]},
)
@blp.response(204)
def end_family_link(member_id: UUID) -> None:
    """Let somebody count as my family no longer; what was filed about them stays.

    Not while an item about them is open.
    """
    family.end_family_link(http.session(), http.actor(), member_id=member_id, at=clock.now())
