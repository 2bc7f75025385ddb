"""On whose behalf a transaction runs: what row-level security compares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from sqlalchemy.orm import Session

from service.kernel.actor import Actor, ActorKind
from service.kernel.db.driver import driver_of


class ScopeKind(StrEnum):
    """Who looks; every policy decides by it, and shows nothing to a kind that it does not name."""

    GUEST = "guest"  # nobody is signed in: what is public
    PERSON = "person"  # a talent: their own
    AGENT = "agent"  # acts for an enterprise: what lets it follow
    STAFF = "staff"  # works for the district
    SYSTEM = "system"  # the service itself: worker, timers, commands


@dataclass(frozen=True, slots=True)
class Scope:
    """On whose behalf a transaction runs; row-level security shows it nothing else.

    Without a district no row of any district is visible. `household` are the talent and the
    family they named, whose facts count for what they file. `enterprise` is the one that an agent
    acts for in this transaction; without it an agent sees no ticket.
    """

    kind: ScopeKind
    district: str = ""
    person: UUID | None = None
    account: UUID | None = None
    household: frozenset[UUID] = frozenset()
    enterprise: UUID | None = None

    @classmethod
    def system(cls, district: str = "") -> Scope:
        """The service itself, for one district; without one it sees which districts there are."""
        return cls(ScopeKind.SYSTEM, district)

    @classmethod
    def guest(cls, district: str) -> Scope:
        """Nobody in particular: what a district publishes."""
        return cls(ScopeKind.GUEST, district)


_KINDS: Final = {
    ActorKind.GUEST: ScopeKind.GUEST,
    ActorKind.TALENT: ScopeKind.PERSON,
    ActorKind.AGENT: ScopeKind.AGENT,
    ActorKind.STAFF: ScopeKind.STAFF,
    ActorKind.SYSTEM: ScopeKind.SYSTEM,
}


def scope_of(actor: Actor) -> Scope:
    """What the actor may see. Staff never act as the person they also are."""
    household = actor.family | {actor.person_id} if actor.person_id is not None else frozenset()
    return Scope(_KINDS[actor.kind], actor.district, actor.person_id, actor.account_id, household)


def begin(session: Session, scope: Scope) -> None:
    """Begin the transaction of a session, and tell it whose rows it may see: one round trip."""
    _send(session, scope, "BEGIN; ")


def set_scope(session: Session, scope: Scope) -> None:
    """Tell the running transaction whose rows it may see; forgotten when it ends."""
    _send(session, scope, "")


def _send(session: Session, scope: Scope, before: str) -> None:
    """One round trip of several `SET LOCAL`: unlike `set_config`, a distributed engine passes these
    on to the nodes that hold the rows. Not prepared, because several commands cannot be.
    """
    with driver_of(session.connection()) as driver, driver.cursor() as cursor:
        cursor.execute(before + "; ".join(_commands(scope, driver)), prepare=False)


def _commands(scope: Scope, driver: Any) -> Iterator[str]:
    """Values are quoted by the driver: a district is what a query string named."""
    yield f"SET LOCAL app.kind = '{scope.kind.value}'"
    yield f"SET LOCAL app.district = {sql.Literal(scope.district).as_string(driver)}"
    yield f"SET LOCAL app.person = '{scope.person or ''}'"
    yield f"SET LOCAL app.account = '{scope.account or ''}'"
    yield f"SET LOCAL app.household = '{','.join(map(str, scope.household))}'"
    yield f"SET LOCAL app.enterprise = '{scope.enterprise or ''}'"
