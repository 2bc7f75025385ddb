from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from service.enterprises.actions import ensure_agent, ensure_enterprise
from service.kernel import clock
from service.kernel.actor import system
from service.kernel.db import Database, Scope
from service.kernel.deliveries import deliver
from service.kernel.events import Event
from tests.conftest import PASSWORD, url_of
from tests.factories import World
from tests.loglines import listening
from tests.packs import publish, whole_pack
from tests.papers import with_documents
from tests.privacy.canaries import Canaries
from tests.privacy.living import Life
from tests.privacy.planting import Plant
from tests.tickets.acting import DISTRICT, Acting

LIVES = ("family", "buyer")


@pytest.fixture(scope="module")
def settings(settings, tmp_path_factory):
    """This module's own storage."""
    return replace(settings, storage_dir=tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def superuser(database_name) -> Iterator[psycopg.Connection]:
    """A connection that row-level security does not hold; every statement commits."""
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def lives(app, database, superuser) -> dict[str, Life]:
    """A family that arrives, and somebody who buys a home; what all were told, what was kept."""
    publish(database, whole_pack())
    return {name: _lived(name, app, database, superuser) for name in LIVES}


@pytest.fixture(params=LIVES)
def life(request, lives) -> Life:
    return lives[request.param]


def _lived(name: str, app: Any, database: Database, superuser: psycopg.Connection) -> Life:
    taken = " ".join(contents(superuser).values())
    plant = Plant(Canaries(taken, clock.now().date()))
    timer = Acting(database, system(DISTRICT))
    with listening() as lines:
        life = Life(World(app, PASSWORD), superuser, timer, plant)
        life.introduce()
        {"family": _arrive, "buyer": _buy}[name](life, database)
        _deliver(database, life)
        life.look_around()
        life.lines = lines()
    life.tables = contents(superuser)
    return life


def _arrive(life: Life, database: Database) -> None:
    """Seven items, as in the demonstration, for somebody whom experts recognise."""
    children = [life.relative("child", f"child {number}", age=6 + number) for number in (1, 2)]
    wanted = ["recognition", "settlement", "housing_rent", "medical"]
    wanted += [("schooling", child) for child in children]
    wanted += [("spouse", life.relative("spouse", "spouse", age=34))]
    basis = {"applied_class": "B", "basis": "programme"}
    _file(life, database, life.world.filing(*wanted, recognition_basis=basis))
    life.to_the_end({"recognition": {"class": "B", "suggested_class": "B"}})


def _buy(life: Life, database: Database) -> None:
    """A home, at a discount; the spouse has no public post."""
    spouse = ("spouse", life.relative("spouse", "spouse", abroad=True))
    wanted = ("recognition", "housing_purchase", "purchase_discount", spouse)
    _file(life, database, life.world.filing(*wanted, spouse={"last_post": "private"}))
    life.to_the_end({})


def _file(life: Life, database: Database, body: dict[str, Any]) -> None:
    life.plant.sow(body)
    code = body["sections"]["employment"]["employer_code"]
    username, at = f"agent.of.{code.lower()}", clock.now()
    with database.transaction(Scope.system(DISTRICT)) as session:
        ensure_enterprise(session, credit_code=code, name="东湾远洋生物有限公司", at=at)
        named = {"username": username, "display_name": "陈静", "credit_code": code}
        ensure_agent(session, **named, password=PASSWORD, at=at)
    life.agent = life.world.staff(username)
    life.file(with_documents(body, lambda code: life.hand_in(code, code)))


def _deliver(database: Database, life: Life) -> None:
    """The worker tells the talent of everything."""
    with database.transaction(Scope.system(DISTRICT)) as session:
        happened = session.scalars(select(Event.id).where(Event.ticket_id == UUID(life.id))).all()
    deliver(database, district=DISTRICT, events=[str(one) for one in happened])


def contents(superuser: psycopg.Connection) -> dict[str, str]:
    """Every table of the whole database, as text; bytes are in hexadecimal."""
    tables = superuser.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    ).fetchall()
    return {
        table: superuser.execute(
            f"SELECT coalesce(string_agg(one::text, ' '), '') FROM {table} one"
        ).fetchone()[0]
        for (table,) in tables
    }
