"""Kinds of facts as packs declare them, and facts as decisions issue them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from service.facts.rules import NewFact
from service.kernel.actor import Actor, ActorKind, Post
from service.kernel.ids import new_id
from service.kernel.permissions import TALENT, Role

DISTRICT, ELSEWHERE = "demo", "elsewhere"
POLICE, BUILDERS = "public_security", "construction"
AT = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)
TODAY = date(2026, 11, 24)
LONG_AGO = date(2020, 1, 1)
SECRET = "seldom-seen-value"

# Not of the demonstration's pack, whose kinds are there too.
TIER = {
    "code": "tier",
    "title": {"zh": "人才层次", "en": "Tier"},
    "schema": {
        "type": "object",
        "required": ["class"],
        "properties": {"class": {"enum": ["A", "B", "C", "D", "E"]}},
    },
}
ABODE = {
    "code": "abode",
    "title": {"zh": "住所", "en": "Abode"},
    "schema": {"type": "object", "properties": {"address": {"type": "string"}}},
}


def new(person_id: UUID, **changes: Any) -> NewFact:
    """A fact to be issued; what is not said is a tier given by the police, open-ended."""
    said: dict[str, Any] = {
        "person_id": person_id,
        "kind": "tier",
        "value": {"class": "B"},
        "issuer": POLICE,
        "valid_from": LONG_AGO,
    }
    return NewFact(**said | changes)


def staff(*posts: tuple[str, Role], district: str = DISTRICT) -> Actor:
    """Somebody who works there and has no account of their own in the database."""
    return Actor(
        kind=ActorKind.STAFF,
        district=district,
        account_id=new_id(),
        posts=tuple(Post(department, frozenset({role})) for department, role in posts),
    )


def talent(person_id: UUID, *, district: str = DISTRICT) -> Actor:
    """Somebody who asks about themselves."""
    return Actor(
        kind=ActorKind.TALENT,
        district=district,
        account_id=new_id(),
        person_id=person_id,
        permissions=TALENT,
    )
