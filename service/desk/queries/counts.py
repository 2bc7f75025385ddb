"""How much there is on a desk: every range of an index is counted to a bound, and no further."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ARRAY, DateTime, Integer, Text, Uuid, bindparam, text
from sqlalchemy.orm import Session

from service.desk.rules import MOST_COUNTED, Count, counted
from service.kernel.actor import Actor
from service.kernel.db import prepared
from service.tickets.rules.states import ACTIVE, Light, TaskStatus
from service.tickets.visibility import departments_of

_BOUND: Final = MOST_COUNTED + 1


_AHEAD: Final = "ahead"


_MINE: Final = "mine"


_OFFERING: Final = "offering"


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """What is still to be done in the departments of a member of staff."""

    states: dict[TaskStatus, Count]
    lights: dict[Light, Count]
    offerings: dict[str, Count]
    mine: Count


def task_counts_for(session: Session, actor: Actor, *, at: datetime) -> TaskCounts:
    """The actor's tasks, counted; one statement, none for who has no department.

    At most `MOST_COUNTED` + 1 entries of an index are read for each number and department. What
    is not overdue is read in the order in which it is due: where there is more of it than that,
    yellow and green are those that are due first.
    """
    departments = departments_of(actor)
    asked = {
        "district": actor.district,
        "departments": departments,
        "account": actor.account,
        "at": at,
        "bound": _BOUND,
    }
    rows = _COUNTING.all(session, **asked) if departments else []
    ahead = [row for row in rows if row.what == _AHEAD]
    whole = all(row.found < _BOUND for row in ahead)

    def count(what: str, code: str | None = None) -> Count:
        return counted(row.found for row in rows if (row.what, row.code) == (what, code))

    return TaskCounts(
        states={one: count(one) for one in ACTIVE},
        lights={
            Light.GREEN: counted((row.found - row.soon for row in ahead), whole=whole),
            Light.YELLOW: counted((row.soon for row in ahead), whole=whole),
            Light.RED: count(Light.RED),
        },
        offerings={
            code: count(_OFFERING, code)
            for code in sorted({row.code for row in rows if row.what == _OFFERING and row.code})
        },
        mine=count(_MINE),
    )


def _range(what: str, order: str, condition: str, of: str = "desks", code: str = "NULL") -> str:
    """How much there is of a range of an index, in whose order it is walked: so none is sorted."""
    return f"""
    SELECT '{what}' AS what, {code} AS code, found.entries AS found, 0 AS soon
    FROM {of}, LATERAL (SELECT count(*) AS entries FROM (
        SELECT FROM tasks WHERE {_within(of)} AND {condition} ORDER BY {order} LIMIT :bound
    ) walk) found"""  # noqa: S608 - made of what stands in this file alone


def _within(of: str) -> str:
    return f"tasks.district_id = :district AND tasks.department = {of}.department"


_ACTIVE: Final = "status IN ('open', 'claimed')"


_LEAST: Final = "SELECT min(offering_code) FROM tasks WHERE"


# The codes are found one by one: the index returns the next behind each.
class _Found(NamedTuple):
    what: str
    code: str | None
    found: int
    soon: int


_COUNTING: Final = prepared(
    text(
        f"""
WITH RECURSIVE desks AS (
    SELECT unnest(CAST(:departments AS text[])) AS department
), codes AS (
    SELECT department, ({_LEAST} {_within("desks")} AND {_ACTIVE}) AS code FROM desks
    UNION ALL
    SELECT department, ({_LEAST} {_within("codes")} AND {_ACTIVE} AND offering_code > code)
    FROM codes WHERE code IS NOT NULL
)
{_range(TaskStatus.OPEN, "role", "status = 'open'")} UNION ALL
{_range(TaskStatus.CLAIMED, "due_at", "status = 'claimed'")} UNION ALL
{_range(_MINE, "due_at", "status = 'claimed' AND assignee = :account")} UNION ALL
{_range(Light.RED, "due_at", f"{_ACTIVE} AND due_at < :at")} UNION ALL
{_range(_OFFERING, "due_at", f"{_ACTIVE} AND offering_code = code", "codes", "code")}
    WHERE code IS NOT NULL UNION ALL
SELECT '{_AHEAD}', NULL, ahead.entries, ahead.soon
FROM desks, LATERAL (
    SELECT count(*) AS entries, count(*) FILTER (WHERE warn_at <= :at) AS soon
    FROM (SELECT warn_at FROM tasks WHERE {_within("desks")} AND {_ACTIVE} AND due_at >= :at
          ORDER BY due_at LIMIT :bound) walk
) ahead
"""  # noqa: S608 - made of what stands in this file alone
    ).bindparams(
        bindparam("district", type_=Text()),
        bindparam("departments", type_=ARRAY(Text())),
        bindparam("account", type_=Uuid()),
        bindparam("at", type_=DateTime(timezone=True)),
        bindparam("bound", type_=Integer()),
    ),
    _Found,
)
