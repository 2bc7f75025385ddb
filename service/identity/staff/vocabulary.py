"""The kinds of events that staffing emits."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from service.kernel.vocabulary import Kind, Payload, register


class StaffEvent(StrEnum):
    """What happens to the posts of a district."""

    POSTS_ENDED = "posts.ended"


class PostsEnded(Payload, frozen=True, kw_only=True):
    """An account has lost one or more of its posts."""

    account: UUID


register([Kind(StaffEvent.POSTS_ENDED.value, PostsEnded)])
