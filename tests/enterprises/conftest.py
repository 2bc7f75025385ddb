"""Enterprises with agents who sign in, and employees who file and let them follow, or do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from service.catalogue.actions.files import load_pack
from service.catalogue.actions.publish import set_up_district
from service.enterprises.actions import ensure_agent, ensure_enterprise
from service.kernel import clock
from service.kernel.actor import Actor, system
from service.kernel.db import Scope
from service.local.demonstration import PACK
from service.tickets.timers import fire_alarms
from tests.acting import bearer
from tests.conftest import PASSWORD, url_of
from tests.factories import Signed, World, citizen_id

OURS, THEIRS = "91350100M000100Y43", "91350100M000100YXG"
NAMES = {OURS: "东湾海芯科技有限公司", THEIRS: "东湾远洋生物有限公司"}
CONSENT = "enterprise@2"


@pytest.fixture(scope="module")
def superuser(database_name) -> Iterator[psycopg.Connection]:
    """A connection that row-level security does not hold; every statement commits."""
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def elsewhere(database) -> str:
    """Another district, set up like the first."""
    pack = replace(load_pack(PACK), district="elsewhere")
    with database.transaction(Scope.system(pack.district)) as session:
        set_up_district(session, pack, at=clock.now())
    return pack.district


@pytest.fixture
def hire(world, database) -> Callable[..., Signed]:
    """Makes an agent of an enterprise, which is made known with them, and signs them in."""

    def ensure(code: str = OURS, *, username: str | None = None, district: str = "demo") -> Signed:
        username = username or f"agent.{uuid4().hex[:12]}"
        with database.transaction(Scope.system(district)) as session:
            at = clock.now()
            ensure_enterprise(session, credit_code=code, name=NAMES[code], at=at)
            ensure_agent(
                session,
                username=username,
                display_name="陈静",
                password=PASSWORD,
                credit_code=code,
                at=at,
            )
        body = {"username": username, "password": PASSWORD, "district": district}
        return world._signed(world.client.post("/v1/auth/password", json=body))

    return ensure


@pytest.fixture
def agent(hire) -> Signed:
    return hire()


@pytest.fixture
def actor_of(app) -> Callable[[Signed], Actor]:
    """Whoever is signed in, as an actor."""

    def actor(signed: Signed) -> Actor:
        token = signed.headers["Authorization"].removeprefix("Bearer ")
        return bearer(app.extensions["talent"], token)

    return actor


@dataclass
class Employee:
    """A talent who names an employer when they file."""

    world: World
    signed: Signed
    ticket: dict[str, Any] = field(default_factory=dict)

    def body(
        self, *offerings: str, employer: str = OURS, follows: bool = True, **subjects: list[str]
    ) -> dict[str, Any]:
        """A filing; `subjects`: by offering, the family members it is asked for."""
        body = self.world.filing(*offerings, *subjects)
        body["sections"]["employment"]["employer_code"] = employer
        body["consents"] = [one for one in body["consents"] if follows or one != CONSENT]
        body["items"] = [
            item | ({"subject": subject} if subject else {})
            for item in body["items"]
            for subject in subjects.get(item["offering"], [None])
        ]
        return body

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        key = {"Idempotency-Key": uuid4().hex}
        answer = self.signed.post("/v1/tickets", json=body, headers=key)
        assert answer.status_code == 201, answer.json
        self.ticket = answer.json
        return self.ticket

    def file(self, *offerings: str, **options: Any) -> dict[str, Any]:
        return self.send(self.body(*(offerings or ("settlement",)), **options))

    def consent(self, given: bool, consent: str = CONSENT) -> Any:
        body = {"consent": consent, "given": given}
        return self.signed.post("/v1/me/consents", json=body)

    def relative(self, kinship: str, name: str) -> str:
        """The id of a family member who is added."""
        member = {"name": name, "kinship": kinship, "id_type": "citizen_id"}
        if kinship == "child":
            member |= {"id_type": "passport", "id_number": f"E{uuid4().int % 10**8:08}"}
            member |= {"id_country": "GBR", "birth_date": "2019-06-01"}
        else:
            member["id_number"] = citizen_id()
        answer = self.signed.post("/v1/me/family", json=member)
        assert answer.status_code == 201, answer.json
        return answer.json["id"]


@pytest.fixture
def employee(world) -> Callable[..., Employee]:
    """A talent who has not filed anything."""

    def make(name: str = "张伟") -> Employee:
        return Employee(world, world.talent(name))

    return make


@pytest.fixture
def walk(world, database, superuser) -> Callable[..., None]:
    """Takes an item through what is open of it, to its end or for some steps; every passing way."""

    def on(item: dict[str, Any], *, steps: int = 20, verdict: str | None = None) -> None:
        for _ in range(steps):
            row = superuser.execute(
                "SELECT id, department, role, kind, ticket_id, due_at FROM tasks WHERE item_id = %s"
                " AND status IN ('open', 'claimed') ORDER BY id LIMIT 1",
                (item["id"],),
            ).fetchone()
            if row is None:
                return
            if row[3] == "publicity":
                with database.transaction(Scope.system("demo")) as session:
                    after = row[5] + timedelta(seconds=1)
                    fire_alarms(session, system("demo"), ticket_id=row[4], at=after)
                continue
            path = f"/v1/desk/tasks/{row[0]}"
            staff = world.staff(f"{row[2]}.{row[1]}")
            claimed = staff.post(f"{path}/claim")
            assert claimed.status_code == 200, claimed.json
            task = staff.get(path).json
            result = task["records"]["examples"][0] if task["records"] and not verdict else None
            world.decide(staff, claimed.json, verdict or task["passing"], result)

    return on


def paths(value: Any, at: str = "") -> set[str]:
    """The names of all members of a JSON value, dotted, whatever list they stand in."""
    if isinstance(value, list):
        return {path for one in value for path in paths(one, at)}
    if not isinstance(value, dict):
        return set()
    inner = {path for name, one in value.items() for path in paths(one, f"{at}{name}.")}
    return {f"{at}{name}" for name in value} | inner


def requests_of(agent: Signed, **query: Any) -> list[dict[str, Any]]:
    """Every ticket that an agent is shown, page by page."""
    answer = agent.get("/v1/enterprise/requests", query_string={"limit": 100} | query)
    assert answer.status_code == 200, answer.json
    shown = answer.json["items"]
    if answer.json["next"] is not None:
        shown += requests_of(agent, **query | {"after": answer.json["next"]})
    return shown


def numbers_of(agent: Signed, **query: Any) -> list[str]:
    return [one["number"] for one in requests_of(agent, **query)]


def look(agent: Signed, ticket: dict[str, Any]) -> Any:
    return agent.get(f"/v1/enterprise/requests/{ticket['id']}")


def sees(agent: Signed, ticket: dict[str, Any]) -> bool:
    """Whether an agent sees a ticket, in the list as by itself."""
    listed = ticket["number"] in numbers_of(agent)
    status = look(agent, ticket).status_code
    assert status == (200 if listed else 404)
    return listed
