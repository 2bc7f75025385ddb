from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import psycopg
import pytest

from service.facts import actions
from service.identity.staff.actions import ensure_staff
from service.kernel import clock
from service.kernel.actor import Actor
from service.kernel.db import Scope
from service.kernel.ids import new_id
from service.kernel.permissions import Role
from tests.acting import bearer
from tests.conftest import PASSWORD, url_of
from tests.factories import Signed
from tests.facts.issuing import ABODE, AT, DISTRICT, POLICE, TIER, new, staff
from tests.scopes import scope_of_staff


@pytest.fixture(scope="module", autouse=True)
def kinds(database) -> None:
    """The district knows two kinds of facts."""
    with database.transaction(Scope.system(DISTRICT)) as session:
        actions.publish_fact_kinds(session, kinds=[TIER, ABODE], at=AT)


@pytest.fixture
def person() -> UUID:
    """Somebody of whom nothing is known."""
    return new_id()


@pytest.fixture
def clerk() -> Actor:
    return staff((POLICE, Role.CLERK))


@pytest.fixture
def head() -> Actor:
    return staff((POLICE, Role.HEAD))


@pytest.fixture
def issue(database, clerk) -> Callable[..., UUID]:
    """Issues a fact about a person, for good; gives its id."""

    def one(person_id: UUID, **changes) -> UUID:
        with database.transaction(Scope.system(DISTRICT)) as session:
            facts = [new(person_id, **changes)]
            return actions.issue_facts(session, clerk, facts=facts, at=AT)[0]

    return one


@pytest.fixture
def revoke(database, head) -> Callable[..., None]:
    """Revokes a fact, for good."""

    def one(fact_id: UUID, *, by: Actor = head, reason: str = "核查不实") -> None:
        with database.transaction(scope_of_staff(DISTRICT, by.account)) as session:
            actions.revoke_fact(session, by, fact_id=fact_id, reason=reason, at=AT)

    return one


@pytest.fixture
def actor_of(app) -> Callable[[Signed], Actor]:
    """Whoever is signed in, as an actor."""

    def actor(signed: Signed) -> Actor:
        token = signed.headers["Authorization"].removeprefix("Bearer ")
        return bearer(app.extensions["talent"], token)

    return actor


@pytest.fixture
def hire(world, database) -> Callable[..., Signed]:
    """Makes a staff account with these posts, `(department, role)` each, and signs it in."""

    def ensure(*posts: tuple[str, Role], person_id: UUID | None = None) -> Signed:
        username = f"somebody.{uuid4().hex[:12]}"
        with database.transaction(Scope.system(DISTRICT)) as session:
            ensure_staff(
                session,
                username=username,
                display_name="王芳",
                password=PASSWORD,
                posts=posts,
                at=clock.now(),
                person_id=person_id,
            )
        return world.staff(username)

    return ensure


@pytest.fixture(scope="module")
def superuser(database_name) -> Iterator[psycopg.Connection]:
    """A connection that row-level security does not hold; every statement commits."""
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection
