"""Pages of a list: the position a cursor stands for, and the answer with the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, after_this_request, request

from service.kernel.http import cursors
from service.kernel.http.context import runtime
from service.kernel.views import PageOf

Row = TypeVar("Row")
View = TypeVar("View")


class Page:
    """One page asked for: `limit` rows from behind `after`.

    `position` is the sort key of the last row of the page before, none on the first page. Raises
    `Invalid` for a cursor made for another account or other filters.
    """

    def __init__(
        self, limit: int, after: str | None, *, account: UUID, filters: Mapping[str, Any]
    ) -> None:
        self.limit = limit
        self._account, self._filters = account, filters
        self.position: list[Any] | None = None
        if after is not None:
            key = runtime().keys.cursor
            self.position = cursors.decode(key, after, account=account, filters=filters)

    @property
    def behind_id(self) -> UUID | None:
        """Where a list that is ordered by id goes on."""
        return None if self.position is None else UUID(self.position[0])

    @property
    def behind_moment(self) -> tuple[datetime, UUID] | None:
        """Where a list that is ordered by a moment, and by id within it, goes on."""
        if self.position is None:
            return None
        moment, row_id = self.position
        return datetime.fromisoformat(moment), UUID(row_id)

    def answer(
        self,
        found: Sequence[Row],
        view: Callable[[Row], View],
        position: Callable[[Row], Sequence[Any]],
    ) -> PageOf[View]:
        """The page out of up to `limit` + 1 rows: the one too many tells of more.

        Where there is a next page the answer also carries `Link: <…>; rel="next"` (RFC 8288).
        """
        shown = found[: self.limit]
        after = None
        if len(found) > self.limit:
            key = runtime().keys.cursor
            last = position(shown[-1])
            after = cursors.encode(key, last, account=self._account, filters=self._filters)
            _link_to(after)
        return PageOf([view(row) for row in shown], after)


def _link_to(after: str) -> None:
    query = urlencode({**request.args.to_dict(), "after": after})
    link = f'<{request.path}?{query}>; rel="next"'

    @after_this_request
    def add(response: Response) -> Response:
        response.headers["Link"] = link
        return response
