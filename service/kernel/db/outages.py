"""Why the database was not to be had, in a word for the log: no address, no name, no message."""

from __future__ import annotations

from typing import Final

import psycopg
from sqlalchemy import exc

_BY_STATE: Final = {
    "3D": "no_database",
    "25": "read_only",
    "28": "auth_failed",
    "40": "conflict",
    "53": "too_many_connections",
    "55": "timeout",
    "57014": "timeout",
    "57": "shutting_down",
}
"""By SQLSTATE or its class (PostgreSQL, appendix A), the longest first where several fit."""

_BY_WORDS: Final = (
    ("refused", ("Connection refused",)),
    ("no_host", ("resolve host", "translate host name", "Name or service not known")),
    ("no_answer", ("timeout expired", "timed out", "No route to host", "unreachable")),
    ("too_many_connections", ("too many clients", "connection slots", "too many connections")),
    ("no_database", ('database "',)),
    ("auth_failed", ("authentication failed", "pg_hba.conf", 'role "', "no password supplied")),
    ("shutting_down", ("is starting up", "is shutting down", "recovery mode")),
)
"""A refused connection has no SQLSTATE, but the words of libpq and of the server. A server that
speaks another language than English is `lost` to this list."""


def kind_of(error: BaseException) -> str:
    """Why: one of the words above, `pool_used_up`, or `lost` where it is none of them."""
    if isinstance(error, exc.TimeoutError):
        return "pool_used_up"
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    if state is not None:
        return _BY_STATE.get(state) or _BY_STATE.get(state[:2]) or "lost"
    said = str(error)
    return next((kind for kind, words in _BY_WORDS if any(w in said for w in words)), "lost")
