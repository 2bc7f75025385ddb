"""What the routes of one's own account and family take and return."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma

from service.identity.people.rules import (
    LONGEST_NAME,
    AccountKind,
    GivenDocument,
    IdType,
    Kinship,
)
from service.kernel.actor import Actor
from service.kernel.http import Schema, fields
from service.kernel.permissions import Role

_LONGEST_NUMBER: Final = 60
"""Of what was pasted: with blanks and dashes, which do not count."""


_OF_DOCUMENT: Final = ("id_type", "id_number", "id_country", "birth_date")


ISSUED_BY: Final = {
    "description": "Of a passport: the state that issued it, by the three letters of ISO 3166-1"
    " that it shows (ICAO Doc 9303)."
}


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
    """One's own account; the last seven are null for all but talents. Numbers are masked."""

    name = fields.String(required=True, allow_none=True)
    id_type = fields.Enum(IdType, required=True, allow_none=True)
    id_number = fields.String(required=True, allow_none=True)
    id_country = fields.String(required=True, allow_none=True, metadata=ISSUED_BY)
    birth_date = fields.Date(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    complete = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether name and id number are given, as filing demands."},
    )


class DocumentIn(Schema):
    """An id document, as far as it is given; the view gets it as one, under `document`."""

    id_type = fields.Enum(IdType)
    id_number = fields.String(longest=_LONGEST_NUMBER, pasted=True)
    id_country = fields.String(longest=_LONGEST_NUMBER, pasted=True, metadata=ISSUED_BY)
    birth_date = fields.BirthDate(
        metadata={
            "description": "Needed with a passport, and with a permanent residence card of three"
            " letters and twelve digits; other numbers say it. From 1900 on."
        }
    )

    @ma.post_load
    def together(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        """What belongs to the document, as one."""
        document = {name: given.pop(name) for name in _OF_DOCUMENT if name in given}
        return given | {"document": GivenDocument(**document)}


class MeIn(DocumentIn):
    """What a talent says of themselves; what is left out stays."""

    name = fields.String(longest=LONGEST_NAME, pasted=True)
    phone = fields.String(longest=_LONGEST_NUMBER, pasted=True)


class FamilyMemberIn(DocumentIn):
    """A spouse or child."""

    name = fields.String(required=True, longest=LONGEST_NAME, pasted=True)
    kinship = fields.Enum(Kinship, required=True)
    id_type = fields.Enum(IdType, required=True)
    id_number = fields.String(required=True, longest=_LONGEST_NUMBER, pasted=True)


class FamilyMemberChanges(DocumentIn):
    """What was wrong with a member of the family; what is left out stays."""

    name = fields.String(longest=LONGEST_NAME, pasted=True)
    kinship = fields.Enum(Kinship)


class FamilyMemberOut(Schema):
    """A family member; `id` is what a ticket's item names as its subject."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    kinship = fields.Enum(Kinship, required=True)
    id_type = fields.Enum(IdType, required=True)
    id_number = fields.String(
        required=True, attribute="id_number_masked", metadata={"description": "Masked."}
    )
    id_country = fields.String(required=True, allow_none=True, metadata=ISSUED_BY)
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


MEMBER_EXAMPLE: Final = {
    "id": ID_EXAMPLE,
    "name": "李小明",
    "kinship": "child",
    "id_type": "citizen_id",
    "id_number": "110***********0023",
    "id_country": None,
    "birth_date": "2019-06-01",
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
