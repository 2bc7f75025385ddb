"""The one order in which rows are locked: tickets by id, then items, then tasks.

Whoever changes a ticket takes its row first, so two changes of one ticket wait for each other
instead of locking each other out. `FOR NO KEY UPDATE` is enough, because no key ever changes; a
plain `FOR UPDATE` would also wait for every insert that refers to the row.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Select

Selected = TypeVar("Selected", bound=Select[*tuple[Any, ...]])


def for_change(query: Selected, *models: Any, skip_locked: bool = False) -> Selected:
    """Lock the rows of `models` that a query finds, in the order in which they are named.

    `skip_locked` leaves out what somebody else holds: how timers pick their work.
    """
    return query.with_for_update(key_share=True, of=models, skip_locked=skip_locked)


def for_use(query: Selected, *models: Any) -> Selected:
    """Hold the rows of `models` that a query finds as they are until the transaction ends.

    `FOR SHARE`: several may use a row at once, and a change (`for_change`) waits for all of them.
    For what is checked and then relied on; the key share that an insert takes holds up no change.
    """
    return query.with_for_update(read=True, of=models)
