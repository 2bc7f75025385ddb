"""How often an account is told that an id number is somebody's already."""

from __future__ import annotations

from typing import Final

import orjson
from flask import Response

from service.kernel import http
from service.kernel.http.context import read_json
from service.kernel.http.limits import limiter

_TELLS: Final = frozenset(
    {
        "id_number_taken",
        "id_number_of_family_member",
        "family_member_is_self",
        "family_member_known",
    }
)


def _rate() -> str:
    return http.runtime().settings.limit_known_numbers_per_account


def _account() -> str:
    return str(http.actor().account)


def _tells(response: Response) -> bool:
    """Whether an answer says that the number is known."""
    if response.status_code not in {409, 422}:
        return False
    problem = orjson.loads(response.get_data())
    codes = {problem["code"]} | {error["code"] for error in problem.get("errors", ())}
    return not codes.isdisjoint(_TELLS)


def _names_no_number() -> bool:
    return "id_number" not in read_json()


limited: Final = limiter.shared_limit(
    _rate, "known_numbers", key_func=_account, deduct_when=_tells, exempt_when=_names_no_number
)
"""Decorates a route that takes an id number.

Nobody finds out who uses the service by trying numbers: once an account has been told of so many,
whatever route it asked, it is told 429 to whatever number. Only such answers count, and only
requests with a number are refused. Of requests at the same moment each may still be answered.
"""
