"""How an account is told, to whoever it belongs to."""

from __future__ import annotations

from typing import Any, Final

from service.kernel.actor import Actor

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
