"""The same request twice: the stored answer again, and its effect once.

The lock is the database's: whoever holds the key of an account and route works, everybody else
is told that it is still running. The answer is stored, sealed, in the transaction of the effect,
so either both are there or neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import Index, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session

from service.kernel import crypto, sealed
from service.kernel.db import Base, DistrictScoped, delete_rows, insert_rows
from service.kernel.errors import Conflict, Invalid
from service.kernel.ids import new_id
from service.kernel.sealed import Owner, sealed_column

KEPT: Final = timedelta(hours=24)
_TABLE: Final = "idempotency_keys"


class IdempotencyKey(DistrictScoped, Base):
    """The answer that one key of one account got from one route."""

    __tablename__ = _TABLE
    __table_args__ = (
        UniqueConstraint("district_id", "account_id", "route", "key"),
        Index("ix_idempotency_keys_created", "district_id", "created_at"),
    )

    account_id: Mapped[UUID]
    route: Mapped[str]
    key: Mapped[str]
    digest: Mapped[bytes]
    answer: Mapped[bytes] = sealed_column(of=Owner("account_id", "accounts"), short_lived=True)
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Request:
    """One keyed request: `digest` is a SHA-256 over what it asks for.

    `person_id` is the person who asks, if it is one: the answer is sealed under their key.
    `rights` is what the account may see, as `Actor.rights`: who has lost a post since is not shown
    once more what they were answered in it.
    """

    district: str
    account_id: UUID
    route: str
    key: str
    digest: bytes
    person_id: UUID | None = None
    rights: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: status, headers that matter, body, and to whom with which rights."""

    status: int
    headers: dict[str, str]
    body: str
    rights: str = ""


def stored_answer(session: Session, request: Request) -> Answer | None:
    """Take the key's lock, and give the answer it already got, if any.

    Raises `Conflict` while another request with the key runs (`request_in_progress`) and where the
    account's rights are others now (`rights_changed`), and `Invalid` when the key was used with
    another payload. The lock goes with the transaction. It is taken in a statement of its own, so
    that the look at the table sees whatever its former holder committed.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_lock_number(request)))):
        raise Conflict("request_in_progress", headers={"Retry-After": "1"})
    row = session.execute(
        select(IdempotencyKey.id, IdempotencyKey.digest, IdempotencyKey.answer).where(
            IdempotencyKey.district_id == request.district,
            IdempotencyKey.account_id == request.account_id,
            IdempotencyKey.route == request.route,
            IdempotencyKey.key == request.key,
        )
    ).one_or_none()
    if row is None:
        return None
    if row.digest != request.digest:
        raise Invalid("idempotency_key_reused")
    shown = sealed.opened_json(session, IdempotencyKey.answer, row, otherwise=None)
    if shown is None:
        raise Conflict("person_erased")
    answer = Answer(**shown)
    if answer.rights != request.rights:
        raise Conflict("rights_changed")
    return answer


def store_answer(session: Session, request: Request, answer: Answer, *, at: datetime) -> None:
    """Keep what is about to be answered, for `KEPT`."""
    row_id = new_id()
    shown = orjson.dumps(answer).decode()
    whose = request.person_id
    row = {
        "district_id": request.district,
        "id": row_id,
        "account_id": request.account_id,
        "route": request.route,
        "key": request.key,
        "digest": request.digest,
        "answer": sealed.seal(session, IdempotencyKey.answer, shown, row=row_id, of=whose),
        "created_at": at,
    }
    insert_rows(session, IdempotencyKey, [row])


def forget_old_answers(session: Session, *, district: str, at: datetime, most: int) -> int:
    """Delete what a district has kept long enough, at most `most`; returns how many."""
    old = (IdempotencyKey.district_id == district) & (IdempotencyKey.created_at < at - KEPT)
    return delete_rows(session, IdempotencyKey, old, most=most)


def _lock_number(request: Request) -> int:
    """A bigint from the first 8 bytes of a blind hash: two keys meet once in 2^64."""
    name = f"{request.district}|{request.account_id}|{request.route}|{request.key}"
    digest = crypto.blind(name, purpose="idempotency")
    return int.from_bytes(digest[:8], "big", signed=True)
