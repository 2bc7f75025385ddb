"""Declaring kinds of facts, issuing facts, and revoking one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.facts.models import Fact, FactKind
from service.facts.queries import fact_for
from service.facts.rules import FactEvent, NewFact
from service.facts.vocabulary import FactCodes
from service.identity.people.queries import is_own_case
from service.kernel import audit, events, person_keys
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.kernel.errors import Conflict, Forbidden
from service.kernel.ids import new_id
from service.kernel.permissions import Permission, Role, role_title
from service.kernel.sealed import seal, seal_json


def publish_fact_kinds(
    session: Session, *, kinds: Sequence[Mapping[str, Any]], at: datetime
) -> None:
    """Bring the kinds of facts of the transaction's district up to date, by code.

    Each is `{"code", "title": {"zh", "en"}, "schema"}`. One that is no longer named stays: facts
    refer to it. One that says the same as before is not written. One statement.
    """
    if not kinds:
        return
    rows = [
        {
            "district_id": func.current_setting("app.district"),
            "id": new_id(),
            "code": one["code"],
            "title": dict(one["title"]),
            "schema": dict(one["schema"]),
            "published_at": at,
        }
        for one in kinds
    ]
    written = insert(FactKind).values(rows)
    new = written.excluded
    session.execute(
        written.on_conflict_do_update(
            index_elements=["district_id", "code"],
            set_={"title": new.title, "schema": new.schema, "published_at": new.published_at},
            where=or_(
                FactKind.title != new.title,
                cast(FactKind.schema, Text) != cast(new.schema, Text),
            ),
        )
    )


def issue_facts(
    session: Session, actor: Actor, *, facts: Sequence[NewFact], at: datetime
) -> list[UUID]:
    """Write what a decision establishes about persons; returns the ids, in that order.

    One INSERT for all of them, a statement before it where keys of theirs are not at hand, and one
    event each, which holds codes and ids alone. Facts that hold already stay in force beside them.
    Whether the actor's department may issue them, and whether a value fits its kind's schema, the
    caller has checked; the database refuses a kind or department that the district does not know,
    and days that are not in order.
    """
    person_keys.hold(session, [fact.person_id for fact in facts])
    rows = [_row(session, actor, fact, at) for fact in facts]
    insert_rows(session, Fact, rows)
    for fact, row in zip(facts, rows, strict=True):
        events.emit(
            session,
            FactEvent.FACT_ISSUED,
            actor=actor,
            at=at,
            ticket_id=fact.ticket_id,
            item_id=fact.item_id,
            data=_codes(row["id"], fact),
        )
    return [row["id"] for row in rows]


def revoke_fact(
    session: Session, actor: Actor, *, fact_id: UUID, reason: str, at: datetime
) -> Fact:
    """Take back a fact that the actor's department has issued; it stays, with the reason.

    Raises `NotFound` where another department has issued it, `Forbidden` for who is not a head
    there (`role_missing`) or would revoke a fact about themselves or their family (`own_case`),
    and `Conflict("fact_revoked")` where somebody was faster.
    """
    fact = fact_for(session, actor, fact_id, lock=True)
    if fact.issuer not in actor.departments_with(Permission.FACT_REVOKE):
        raise Forbidden("role_missing", role=Role.HEAD.value, title=role_title(Role.HEAD))
    if is_own_case(actor, fact.person_id):
        raise Forbidden("own_case")
    if fact.revoked_at is not None:
        raise Conflict("fact_revoked")
    fact.revoked_at, fact.revoked_by = at, actor.account
    fact.revocation_reason = seal(
        session, Fact.revocation_reason, reason, row=fact.id, of=fact.person_id
    )
    codes = _codes(fact.id, fact)
    events.emit(
        session, FactEvent.FACT_REVOKED, actor=actor, at=at, item_id=fact.item_id, data=codes
    )
    audit.record(session, "fact.revoked", actor=actor, at=at, subject=fact.id, data=codes.as_json())
    return fact


def _row(session: Session, actor: Actor, fact: NewFact, at: datetime) -> dict[str, Any]:
    fact_id = new_id()
    return {
        "district_id": actor.district,
        "id": fact_id,
        "person_id": fact.person_id,
        "kind": fact.kind,
        "value": seal_json(session, Fact.value, dict(fact.value), row=fact_id, of=fact.person_id),
        "issuer": fact.issuer,
        "item_id": fact.item_id,
        "material_id": fact.material_id,
        "valid_from": fact.valid_from,
        "valid_to": fact.valid_to,
        "issued_at": at,
        "issued_by": actor.account_id,
    }


def _codes(fact_id: UUID, fact: NewFact | Fact) -> FactCodes:
    return FactCodes(fact=fact_id, kind=fact.kind, issuer=fact.issuer)
