"""Reads of facts: what is in force of a person, and what who may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Uuid, any_, bindparam, or_, select
from sqlalchemy.orm import Session

from service.facts.models import Fact, FactKind
from service.facts.rules import FactState, KnownFact, KnownKind, state_of
from service.identity.staff.queries import department_name
from service.kernel.actor import Actor
from service.kernel.db import for_change, prepared
from service.kernel.errors import NotFound
from service.kernel.permissions import Permission
from service.kernel.sealed import load_keys, opened_json
from service.kernel.shown import ShownValue, shown_values

_KNOWN: Final = (
    Fact.id,
    Fact.person_id,
    Fact.kind,
    Fact.value,
    Fact.issuer,
    Fact.valid_from,
    Fact.valid_to,
    Fact.item_id,
    Fact.revoked_at,
    department_name(district=Fact.district_id, code=Fact.issuer).label("issuer_name"),
)


@dataclass(frozen=True, slots=True)
class OwnFact:
    """A fact as its person is shown it: with the words for its codes, and its state that day."""

    id: UUID
    kind: str
    title: Mapping[str, str]
    value: Mapping[str, Any] = field(repr=False)
    value_shown: Sequence[ShownValue] = field(repr=False)
    issuer: str
    issuer_name: Mapping[str, str]
    valid_from: date
    valid_to: date | None
    issued_at: datetime
    revoked_at: datetime | None
    state: FactState


@dataclass(frozen=True, slots=True)
class RevokedFact:
    """What a revocation made of a fact."""

    id: UUID
    kind: str
    issuer: str
    state: FactState
    revoked_at: datetime | None


def visible(actor: Actor) -> ColumnElement[bool]:
    """The one predicate of who sees a fact, in the district they are signed in to.

    Talents see their own, staff those which a department has issued in which they work on tasks.
    """
    if actor.person_id is not None:
        theirs = Fact.person_id == actor.person_id
    else:
        theirs = Fact.issuer.in_(actor.departments_with(Permission.TASK_READ))
    return (Fact.district_id == actor.district) & theirs


def facts_of(
    session: Session, actor: Actor, *, persons: Collection[UUID], on: date
) -> dict[UUID, list[KnownFact]]:
    """By person, the facts of the actor's district that are in force on a day, the newest first.

    For the service's own use when it files or decides: who may see a fact is not asked. Every
    person asked for has a list. One statement, none for nobody, and one for keys not at hand.
    """
    found: dict[UUID, list[KnownFact]] = {person: [] for person in persons}
    if not found:
        return found
    rows = _IN_FORCE.all(session, district=actor.district, persons=list(found), on=on)
    load_keys(session, (row.value for row in rows))
    for row in rows:
        found[row.person_id].append(_opened(session, row))
    return found


_IN_FORCE: Final = prepared(
    select(*_KNOWN)
    .where(
        Fact.district_id == bindparam("district"),
        Fact.person_id == any_(bindparam("persons", type_=ARRAY(Uuid()))),
        Fact.revoked_at.is_(None),
        Fact.valid_from <= bindparam("on"),
        or_(Fact.valid_to.is_(None), Fact.valid_to >= bindparam("on")),
    )
    .order_by(Fact.id.desc())
)


def last_days_of(
    session: Session, actor: Actor, *, items: Collection[UUID]
) -> dict[UUID, list[date | None]]:
    """By item, the last day of each fact that it established: None for one without.

    That of the revocation counts if it is earlier. Of those that the actor may see; one statement,
    none for no item.
    """
    found: dict[UUID, list[date | None]] = {item: [] for item in items}
    if not found:
        return found
    rows = session.execute(
        select(Fact.item_id, Fact.valid_to, Fact.revoked_at).where(
            Fact.district_id == actor.district, Fact.item_id.in_(found)
        )
    )
    for item_id, valid_to, revoked_at in rows:
        revoked = None if revoked_at is None else actor.local_date(revoked_at)
        days = [day for day in (valid_to, revoked) if day is not None]
        if item_id is not None:
            found[item_id].append(min(days, default=None))
    return found


def facts_for(
    session: Session, actor: Actor, *, before: UUID | None, limit: int, on: date
) -> Sequence[OwnFact]:
    """The talent's own facts, ended and revoked ones too, the newest first, from below `before`.

    Each with its state on that day. At most `limit` + 1 of them; one statement.
    """
    query = (
        select(
            *_KNOWN,
            Fact.issued_at,
            FactKind.title,
            FactKind.schema,
        )
        .join(FactKind, (FactKind.district_id == Fact.district_id) & (FactKind.code == Fact.kind))
        .where(visible(actor), Fact.person_id == actor.person)
        .order_by(Fact.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(Fact.id < before)
    rows = session.execute(query).all()
    load_keys(session, (row.value for row in rows))
    return [_own(session, row, on) for row in rows]


def fact_for(session: Session, actor: Actor, fact_id: UUID, *, lock: bool = False) -> Fact:
    """A fact that the actor may see, locked for a change where asked; raises `NotFound`."""
    query = select(Fact).where(visible(actor), Fact.id == fact_id)
    fact = session.scalars(for_change(query, Fact) if lock else query).one_or_none()
    if fact is None:
        raise NotFound
    return fact


def fact_kinds_of(session: Session, district: str) -> dict[str, KnownKind]:
    """The kinds of facts that a district knows, by code; one statement."""
    rows = session.execute(
        select(FactKind.code, FactKind.title, FactKind.schema)
        .where(FactKind.district_id == district)
        .order_by(FactKind.code)
    )
    return {row.code: KnownKind(*row) for row in rows}


def _own(session: Session, row: Row[*tuple[Any, ...]], on: date) -> OwnFact:
    fact = _opened(session, row)
    return OwnFact(
        id=fact.id,
        kind=fact.kind,
        title=row.title,
        value=fact.value,
        value_shown=shown_values(row.schema, fact.value) or [],
        issuer=fact.issuer,
        issuer_name=row.issuer_name,
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
        issued_at=row.issued_at,
        revoked_at=fact.revoked_at,
        state=state_of(fact, on),
    )


def _opened(session: Session, row: Any) -> KnownFact:
    """Of a person whose key was destroyed the value is empty."""
    return KnownFact(
        id=row.id,
        person_id=row.person_id,
        kind=row.kind,
        value=opened_json(session, Fact.value, row, otherwise={}),
        issuer=row.issuer,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        item_id=row.item_id,
        revoked_at=row.revoked_at,
        issuer_name=row.issuer_name,
    )
