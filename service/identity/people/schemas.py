"""What the routes of one's own account and family take and return."""

from __future__ import annotations

from typing import Any, Final

from service.identity.people.rules import LONGEST_NAME, AccountKind, IdType, Kinship
from service.kernel.actor import Actor
from service.kernel.http import Schema, fields
from service.kernel.permissions import Role

_LONGEST_NUMBER = 40


class PostOut(Schema):
    """A department and what one is in it."""

    department = fields.String(required=True)
    roles = fields.List(fields.Enum(Role), required=True)


class AccountOut(Schema):
    """Who is signed in, and where."""

    id = fields.UUID(required=True)
    kind = fields.Enum(AccountKind, required=True)
    display_name = fields.String(
        required=True,
        shortest=0,
        metadata={"description": "Empty while a talent has given no name."},
    )
    district = fields.String(required=True)
    posts = fields.List(fields.Nested(PostOut), required=True)


class MeOut(AccountOut):
    """One's own account; the last five are null for all but talents. Numbers are masked."""

    name = fields.String(required=True, allow_none=True)
    id_type = fields.Enum(IdType, required=True, allow_none=True)
    id_number = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    complete = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether name and id number are given, as filing demands."},
    )


class MeIn(Schema):
    """What a talent says of themselves; what is left out stays."""

    name = fields.String(longest=LONGEST_NAME, pasted=True)
    id_type = fields.Enum(IdType)
    id_number = fields.String(longest=_LONGEST_NUMBER, pasted=True)
    phone = fields.String(longest=24, pasted=True)


class FamilyMemberIn(Schema):
    """A spouse or child."""

    name = fields.String(required=True, longest=LONGEST_NAME, pasted=True)
    kinship = fields.Enum(Kinship, required=True)
    id_type = fields.Enum(IdType, required=True)
    id_number = fields.String(required=True, longest=_LONGEST_NUMBER, pasted=True)


class FamilyMemberOut(Schema):
    """A family member; `id` is what a ticket's item names as its subject."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    kinship = fields.Enum(Kinship, required=True)
    id_type = fields.Enum(IdType, required=True)
    id_number = fields.String(
        required=True, attribute="id_number_masked", metadata={"description": "Masked."}
    )
    birth_date = fields.Date(required=True, allow_none=True)


class FamilyOut(Schema):
    """The family, in the order in which they were added."""

    items = fields.List(fields.Nested(FamilyMemberOut), required=True)


ID_EXAMPLE: Final = "0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b11"


TALENT_EXAMPLE: Final = {
    "id": ID_EXAMPLE,
    "kind": "talent",
    "display_name": "李娜",
    "district": "demo",
    "posts": [],
}


STAFF_EXAMPLE: Final = {
    "id": ID_EXAMPLE,
    "kind": "staff",
    "display_name": "王芳",
    "district": "demo",
    "posts": [{"department": "construction", "roles": ["clerk"]}],
}


AGENT_EXAMPLE: Final = {
    "id": ID_EXAMPLE,
    "kind": "agent",
    "display_name": "陈静",
    "district": "demo",
    "posts": [],
}


def account_of(actor: Actor) -> dict[str, Any]:
    return {
        "id": actor.account,
        "kind": actor.kind,
        "display_name": actor.display_name,
        "district": actor.district,
        "posts": [
            {"department": post.department, "roles": sorted(post.roles)} for post in actor.posts
        ],
    }
