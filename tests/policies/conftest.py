from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest

from service.catalogue.actions.publish import set_up_district
from service.facts import actions
from service.facts.rules import NewFact
from service.kernel import clock
from service.kernel.actor import system
from service.kernel.db import Scope
from tests.acting import bearer
from tests.conftest import url_of
from tests.factories import Signed
from tests.packs import demo_pack
from tests.policies.asking import DISTRICT, ELSEWHERE


@pytest.fixture
def guest(client) -> Signed:
    """Somebody who is not signed in."""
    return Signed(client, {}, {}, "")


@pytest.fixture
def person_of(app) -> Callable[[Signed], UUID]:
    """The person of a talent."""

    def person(signed: Signed) -> UUID:
        token = signed.headers["Authorization"].removeprefix("Bearer ")
        return bearer(app.extensions["talent"], token).person

    return person


@pytest.fixture
def issue(database, person_of) -> Callable[..., UUID]:
    """Issues a fact about a talent, or about a person by id; it stays. Gives its id."""

    def one(
        about: Signed | UUID | str,
        kind: str,
        value: dict[str, Any],
        *,
        district: str = DISTRICT,
        **changes: Any,
    ) -> UUID:
        person = person_of(about) if isinstance(about, Signed) else UUID(str(about))
        said = {"issuer": "human_resources", "valid_from": date(2020, 1, 1)} | changes
        fact = NewFact(person_id=person, kind=kind, value=value, **said)
        with database.transaction(Scope.system(district)) as session:
            actor, at = system(district), clock.now()
            return actions.issue_facts(session, actor, facts=[fact], at=at)[0]

    return one


@pytest.fixture(scope="module")
def elsewhere(database) -> str:
    """A second district, which offers what the demonstration's does, but for recognition."""
    pack = demo_pack()
    offerings = {code: one for code, one in pack.offerings.items() if code != "recognition"}
    arrival = pack.bundles["arrival"]
    edges = tuple(edge for edge in arrival.edges if edge["from"] in offerings)
    named = tuple(code for code in arrival.offerings if code in offerings)
    bundles = {"arrival": replace(arrival, offerings=named, edges=edges)}
    other = replace(pack, district=ELSEWHERE, offerings=offerings, bundles=bundles)
    with database.transaction(Scope.system(ELSEWHERE)) as session:
        set_up_district(session, other, at=clock.now())
    return ELSEWHERE


@pytest.fixture(scope="module")
def superuser(database_name) -> Iterator[psycopg.Connection]:
    """A connection that row-level security does not hold."""
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection
