"""What a talent has been told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from service.kernel import clock, http
from service.kernel.permissions import Permission
from service.kernel.views import extended
from service.notifications import actions, queries, schemas
from service.tickets.schemas import PageIn

blp = http.Blueprint(
    "notices", __name__, url_prefix="/v1", description="What talents are told of their tickets."
)

_UNREAD: Final = {"unread": {"value": 1, "exact": True}}
_PAGE: Final = {
    "items": [
        {
            "id": "0199d3c2-7a54-7c07-a5d2-3b9e1f6c8d41",
            "kind": "item_accepted",
            "at": "2026-11-24T02:10:00+00:00",
            "read_at": None,
            "ticket": "0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b11",
            "item": "0199d3c2-7a52-7a10-8f2e-1d5b7c3e9a21",
            "number": "LB350100202611230000018-01",
            "title": {
                "zh": "子办件 LB350100202611230000018-01 已受理。",
                "en": "Item LB350100202611230000018-01 has been accepted for processing.",
            },
        }
    ],
    "next": None,
    **_UNREAD,
}


@blp.get("/notices", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.arguments(PageIn, location="query", as_kwargs=True)
@blp.response(200, schemas.NoticePageOut, example=_PAGE)
def list_notices(limit: int, after: str | None) -> queries.NoticePage:
    """List what I have been told, the newest first, and count what is unread."""
    session, actor = http.session(), http.actor()
    page = http.Page(limit, after, account=actor.account, filters={"list": "notices"})
    before = page.behind_id
    found = queries.notices_for(session, actor, before=before, limit=limit)
    unread = queries.unread_for(session, actor)
    listed = page.answer(found, queries.notice_view, lambda notice: [notice.id])
    return extended(listed, queries.NoticePage, unread=unread)


@blp.post(
    "/notices/read",
    allow=Permission.TICKET_READ,
    audiences=("talent",),
    problems={422: ["ids_or_until"]},
)
@blp.arguments(
    schemas.ReadIn, as_kwargs=True, example={"ids": ["0199d3c2-7a54-7c07-a5d2-3b9e1f6c8d41"]}
)
@blp.response(200, schemas.UnreadOut, example=_UNREAD)
def read_notices(ids: Collection[UUID] | None, until: UUID | None) -> queries.Unread:
    """Mark notices as read: those named, or all up to the newest that was shown."""
    at = clock.now()
    left = actions.mark_read(http.session(), http.actor(), ids=ids, until=until, at=at)
    return queries.Unread(left)
