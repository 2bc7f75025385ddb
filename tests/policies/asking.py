"""Questions about eligibility as clients put them, and people to ask them about."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stdnum.cn import ric

from service.kernel import clock
from tests.factories import Signed

DISTRICT, ELSEWHERE = "demo", "elsewhere"
ZONE = ZoneInfo("Asia/Shanghai")
A_YEAR = 366
"""Days that are a year and a little at the most."""

RECOGNISED = {"kind": "recognition", "value": {"class": "D", "level": "district"}}
RENTED = {
    "kind": "housing_benefit",
    "value": {"kind": "rent", "contract_number": "ZL-2025-001873", "amount_fen": 100000},
}
BOUGHT = {
    "kind": "housing_benefit",
    "value": {"kind": "purchase", "contract_number": "WQ-2026-000652", "amount_fen": 10000000},
}

_numbers = itertools.count(1)


def ago(*, years: int = 0, days: int = 0) -> str:
    """So long before today, as the district has it; never less."""
    return (clock.now().astimezone(ZONE).date() - timedelta(days=A_YEAR * years + days)).isoformat()


def id_number(born: str) -> str:
    """A fictional number of somebody born that day, with a right check digit."""
    body = f"110105{born.replace('-', '')}{next(_numbers) % 1000:03d}"
    return body + ric.calc_check_digit(body + "0")


def ask(who: Signed, **stated: Any) -> list[dict[str, Any]]:
    """The rows of the answer."""
    answer = who.post("/v1/eligibility", json=stated)
    assert answer.status_code == 200, answer.json
    return answer.json["items"]


def refused(who: Signed, **stated: Any) -> list[tuple[str, str]]:
    """The path and the code of everything that was wrong with a question."""
    answer = who.post("/v1/eligibility", json=stated)
    assert answer.status_code == 422, answer.json
    assert all(error["message"] for error in answer.json["errors"])
    return [(error["path"], error["code"]) for error in answer.json["errors"]]


def asked_one(who: Signed, offering: str, **stated: Any) -> dict[str, Any]:
    """The one row of an offering."""
    [row] = ask(who, offerings=[offering], **stated)
    assert row["offering"] == offering
    return row


def criteria(row: dict[str, Any]) -> dict[str, str]:
    """The verdicts of a row's criteria by code."""
    return {one["code"]: one["verdict"] for one in row["criteria"]}


def criterion(row: dict[str, Any], code: str) -> dict[str, Any]:
    return next(one for one in row["criteria"] if one["code"] == code)


def reason(row: dict[str, Any], code: str) -> dict[str, Any]:
    """The one clause that decides a criterion."""
    [found] = criterion(row, code)["reasons"]
    return found


def add_member(talent: Signed, kinship: str, born: str, name: str = "张小明") -> str:
    """A member of a talent's family, added by them; gives the person."""
    member = {"name": name, "kinship": kinship, "id_type": "citizen_id"}
    answer = talent.post("/v1/me/family", json=member | {"id_number": id_number(born)})
    assert answer.status_code == 201, answer.json
    return answer.json["id"]


def add_profile(talent: Signed, **told: str) -> None:
    """What a talent says of themselves; `born` stands for an id number of that birth date."""
    if "born" in told:
        told |= {"id_type": "citizen_id", "id_number": id_number(told.pop("born"))}
    answer = talent.patch("/v1/me", json=told)
    assert answer.status_code == 200, answer.json


def born(years: int) -> str:
    """The birth date of somebody who is so many years old, and has been for a while."""
    today = clock.now().astimezone(ZONE).date()
    return date(today.year - years, today.month, 1).isoformat()
