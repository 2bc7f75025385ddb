"""Asking, for each row of a list, whether there is another row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select


def is_there(query: Select[*tuple[Any, ...]]) -> ColumnElement[bool]:
    """Whether a correlated query finds a row: EXISTS that stays a probe for each row asked about.

    PostgreSQL makes a join of an EXISTS, and then may read, hash and sort all that there is for
    the sake of one page. A scalar subquery it runs row by row, in the order of the list, and no
    further than the page goes. `query` selects one column that is never null.
    """
    return query.limit(1).scalar_subquery().is_not(None)
