"""A new family for every telling, and everybody's way to the service."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import uuid4

import httpx
from stdnum.cn import ric

from service.kernel import clock
from service.local.story.dates import school_year
from service.local.story.telling import StoryBroken

_REGION: Final = "110105"
_OK: Final = range(200, 300)
_PATIENCE: Final = 3


def id_number(born: date) -> str:
    """A fictional citizen id (GB 11643) of somebody born that day, with a right check digit."""
    day = born.isoformat().replace("-", "")
    body = f"{_REGION}{day}{secrets.randbelow(999) + 1:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


@dataclass
class Caller:
    """Somebody with a phone or a desk; `token` is there once they have signed in."""

    http: httpx.Client
    language: str
    name: str
    token: str = ""
    account: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, answered whatever the answer is.

        Who is told to come again later does so: stories told one after the other sign many people
        in from one address.
        """
        headers = {"Accept-Language": self.language, **options.pop("headers", {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        for _ in range(_PATIENCE):
            answer = self.http.request(method, f"/v1{path}", headers=headers, **options)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        return answer

    def get(self, path: str, **options: Any) -> Any:
        return self._told("GET", path, **options)

    def post(self, path: str, **options: Any) -> Any:
        return self._told("POST", path, **options)

    def patch(self, path: str, **options: Any) -> Any:
        return self._told("PATCH", path, **options)

    def _told(self, method: str, path: str, **options: Any) -> Any:
        """The answer's content; raises `StoryBroken` for a refusal."""
        answer = self.ask(method, path, **options)
        if answer.status_code not in _OK:
            raise StoryBroken(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def sign_in(self, way: str, **credentials: str) -> Caller:
        """Sign in through `wechat` or by `password`."""
        told = self.post(f"/auth/{way}", json=credentials)
        self.token, self.account = told["access_token"], told["account"]
        return self


@dataclass(frozen=True)
class Family:
    """A talent with spouse and children, as far as there are any; `code` signs them in anywhere."""

    code: str
    talent: Caller
    wife: dict[str, Any]
    children: list[dict[str, Any]]


def new_family(http: httpx.Client, language: str) -> Family:
    """Sign a new Zhang Wei in, complete his profile, and name his family."""
    alone = lone_talent(http, language, "张伟", "zhang.wei")
    autumn = school_year(clock.now().date())  # by then the children are old enough
    wife = _member(alone.talent, "李芳", "spouse", _day(1992))
    children = [
        _member(alone.talent, "张晓雨", "child", _day(autumn - 8, months=8)),
        _member(alone.talent, "张晓阳", "child", _day(autumn - 6, months=8)),
    ]
    return replace(alone, wife=wife, children=children)


def lone_talent(http: httpx.Client, language: str, name: str, code: str) -> Family:
    """Sign somebody new in, by a code that begins so, and complete their profile."""
    code = f"{code}.{uuid4().hex[:8]}"
    talent = Caller(http, language, name).sign_in("wechat", code=f"demo:{code}")
    profile = {"name": name, "phone": "13800138000", "id_type": "citizen_id"}
    talent.patch("/me", json={**profile, "id_number": id_number(_day(1990))})
    return Family(code, talent, {}, [])


def _member(talent: Caller, name: str, kinship: str, born: date) -> dict[str, Any]:
    document = {"id_type": "citizen_id", "id_number": id_number(born)}
    told: dict[str, Any] = talent.post(
        "/me/family", json={"name": name, "kinship": kinship, **document}
    )
    return told


def _day(year: int, *, months: int = 12) -> date:
    """Some day of the first months of a year."""
    return date(year, secrets.randbelow(months) + 1, secrets.randbelow(28) + 1)
