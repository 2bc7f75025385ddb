"""People who sign in, over HTTP, and what stands behind them."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from service.identity.people.rules import check_character
from service.identity.staff.actions import ensure_staff, publish_departments
from service.kernel import clock
from service.kernel.db import Scope
from service.kernel.http import Runtime
from service.kernel.permissions import Role

PASSWORD = "a long enough password"
OFFICE = "test_office"

_numbers = itertools.count(1)


def new_number(born: str = "19870304") -> str:
    """A citizen id number that no other test has."""
    region, sequence = divmod(next(_numbers), 1000)
    seventeen = f"{110101 + region}{born}{sequence:03}"
    return seventeen + check_character(seventeen)


@dataclass
class Guest:
    """A client with what a sign-in answered."""

    client: object
    answer: dict

    @property
    def headers(self) -> dict:
        return {"Authorization": f"Bearer {self.answer['access_token']}"}

    @property
    def account(self) -> UUID:
        return UUID(self.answer["account"]["id"])

    def get(self, path, **kwargs):
        return self.client.get(path, headers=self.headers | kwargs.pop("headers", {}), **kwargs)

    def post(self, path, **kwargs):
        return self.client.post(path, headers=self.headers | kwargs.pop("headers", {}), **kwargs)

    def put(self, path, **kwargs):
        return self.client.put(path, headers=self.headers | kwargs.pop("headers", {}), **kwargs)

    def patch(self, path, **kwargs):
        return self.client.patch(path, headers=self.headers | kwargs.pop("headers", {}), **kwargs)


@pytest.fixture
def talent(client) -> Callable[..., Guest]:
    """Signs a talent in; without a name, one whom nobody has seen before."""

    def sign_in(name: str | None = None, **more) -> Guest:
        code = f"demo:{name or secrets.token_hex(8)}"
        answer = client.post("/v1/auth/wechat", json={"code": code, **more})
        assert answer.status_code == 200, answer.json
        return Guest(client, answer.json)

    return sign_in


@pytest.fixture
def runtime(client) -> Runtime:
    return client.application.extensions["talent"]


@pytest.fixture
def office(runtime) -> str:
    """The code of a department of the district `demo`."""
    name = {"zh": "测试办公室", "en": "Test office"}
    department = {"code": OFFICE, "name": name, "kind": "government"}
    with runtime.database.transaction(Scope.system("demo")) as session:
        publish_departments(session, departments=[department], at=clock.now())
    return OFFICE


@pytest.fixture
def hire(runtime, office) -> Callable[..., str]:
    """Makes a staff account with these posts, or changes it; gives the username."""

    def ensure(username: str | None = None, posts=None, **more) -> str:
        username = username or f"clerk.{secrets.token_hex(8)}"
        posts = [(office, Role.CLERK)] if posts is None else posts
        settled = {"display_name": "王芳", "password": PASSWORD, "posts": posts} | more
        with runtime.database.transaction(Scope.system("demo")) as session:
            ensure_staff(session, username=username, at=clock.now(), **settled)
        return username

    return ensure


@pytest.fixture
def staff(client, hire) -> Callable[..., Guest]:
    """Signs a member of staff in."""

    def sign_in(username: str | None = None) -> Guest:
        body = {"username": username or hire(), "password": PASSWORD}
        answer = client.post("/v1/auth/password", json=body)
        assert answer.status_code == 200, answer.json
        return Guest(client, answer.json)

    return sign_in
