"""The keys of persons: one for each, wrapped by a master key, made at the first use.

A session has the keys it has used at hand until its transaction ends; the process keeps them for
`KEPT_SECONDS`. Nothing here costs a statement for each value: `load` and `hold` read or make the
keys of any number of persons in one, and `take` accepts a key that came with another statement.

The application's role reaches the table through three functions alone, which answer for the persons
that are named to them (`migrations/person_keys.sql`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any, Final, NamedTuple
from uuid import UUID

from cachetools import TTLCache
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ColumnElement,
    Index,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    event,
    func,
    text,
)
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from service.kernel import crypto
from service.kernel.crypto import Erased, PersonCipher, SealBroken
from service.kernel.db import Base, prepared
from service.kernel.errors import Conflict

KEPT_SECONDS: Final = 60
"""How long a process may still open values after their person's key was destroyed elsewhere.

A transaction that has used the key before goes on opening with it until it ends.
"""

KEPT_MOST: Final = 4096
"""How many keys a process keeps; of more, those used longest ago are forgotten first."""

_AT_HAND: Final = "person_keys"


class _Wrapped(NamedTuple):
    person: UUID
    key: bytes


_READ: Final = prepared(
    text("SELECT person_id, wrapped_key FROM person_keys_of(:persons)").bindparams(
        bindparam("persons", type_=ARRAY(Uuid()))
    ),
    _Wrapped,
)
_MADE: Final = prepared(
    text(
        "SELECT person_id, wrapped_key FROM person_keys_made(:persons, :wrapped, :master)"
    ).bindparams(
        bindparam("persons", type_=ARRAY(Uuid())),
        bindparam("wrapped", type_=ARRAY(LargeBinary())),
        bindparam("master", type_=Text()),
    ),
    _Wrapped,
)


class PersonKey(Base):
    """The key of a person, wrapped; a destroyed one leaves its row, so that none is made again.

    `person_id` has no foreign key: persons lie above the kernel, and a key that was destroyed
    stays known to be so when the person's row is gone.
    """

    __tablename__ = "person_keys"
    __table_args__ = (
        CheckConstraint("(wrapped_key IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"),
        Index(
            "ix_person_keys_master",
            "master_key_id",
            "person_id",
            postgresql_where=text("destroyed_at IS NULL"),
        ),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped_key: Mapped[bytes | None]
    master_key_id: Mapped[str]
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


Key = PersonCipher | Erased


class _Kept:
    """The keys that this process has read lately, of one keyring; safe among threads.

    Only what another transaction has committed is put here: a key made by a transaction that
    rolls back would otherwise seal what nobody can open.
    """

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        self._keys: TTLCache[UUID, Key] = TTLCache(KEPT_MOST, KEPT_SECONDS, timer)
        self._of: crypto.Keyring | None = None
        self._lock = Lock()

    def get(self, person: UUID) -> Key | None:
        return self.those_of((person,)).get(person)

    def those_of(self, persons: Iterable[UUID]) -> dict[UUID, Key]:
        """By person, of those whose key is kept."""
        with self._lock:
            self._follow()
            found = ((person, self._keys.get(person)) for person in persons)
            return {person: key for person, key in found if key is not None}

    def put(self, person: UUID, key: Key) -> None:
        with self._lock:
            self._follow()
            self._keys[person] = key

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()

    def _follow(self) -> None:
        """Forget the keys of another installation."""
        if self._of is not crypto.keyring():
            self._of = crypto.keyring()
            self._keys.clear()


_kept: Final = _Kept()


@dataclass(slots=True)
class _AtHand:
    """What a transaction has used; `shared`: whether what it reads now has been committed."""

    keys: dict[UUID, Key] = field(default_factory=dict)
    shared: bool = True


def forget() -> None:
    """Forget the keys that this process keeps; they are read again when they are needed."""
    _kept.clear()


def wrapped_key(person: ColumnElement[UUID] | Any) -> ColumnElement[bytes | None]:
    """The wrapped key of a person, to be selected beside the person's own columns; see `take`.

    A table of the district family must not stand in such a statement.
    """
    expression: ColumnElement[bytes | None] = func.person_key(person, type_=LargeBinary())
    return expression


def take(session: Session, person: UUID, wrapped: bytes | None) -> None:
    """Put a key at hand that came with another statement (`wrapped_key`); None is none yet."""
    if wrapped is not None:
        _put(session, person, wrapped)


def load(session: Session, persons: Iterable[UUID | None]) -> None:
    """Have the keys of these persons at hand, where they have one; at most one statement."""
    if missing := _missing(session, persons):
        for person, wrapped in _READ.all(session, persons=missing):
            _put(session, person, wrapped)


def hold(session: Session, persons: Iterable[UUID | None]) -> None:
    """Have the keys of these persons at hand, made where there are none; at most one statement.

    Of two transactions that make the first key of a person, the second waits for the first.
    """
    missing = _missing(session, persons)
    if not missing:
        return
    ring = crypto.keyring()
    fresh = {person: ring.wrap(crypto.new_person_key(), person=person) for person in missing}
    rows = _MADE.all(session, persons=missing, wrapped=list(fresh.values()), master=ring.active)
    if any(row.key == fresh[row.person] for row in rows):
        _at_hand(session).shared = False
    for person, wrapped in rows:
        _put(session, person, wrapped)


def for_sealing(session: Session, person: UUID) -> PersonCipher:
    """The key of a person, made where there is none; raises `Conflict("person_erased")`."""
    hold(session, [person])
    key = _at_hand(session).keys[person]
    if isinstance(key, Erased):
        raise Conflict("person_erased")
    return key


def for_opening(session: Session, person: UUID) -> Key:
    """The key of a person; raises `SealBroken` where there never was one."""
    key = _at_hand(session).keys.get(person)
    if key is None:
        load(session, [person])
        key = _at_hand(session).keys.get(person)
    if key is None:
        raise SealBroken(f"person {person} has no key")
    return key


def destroy(session: Session, person: UUID, *, at: datetime) -> None:
    """Make everything sealed under a person's key permanently unreadable, also where none was made.

    Values of the first format are not covered until `talent keys reseal` has been through. Other
    processes follow within `KEPT_SECONDS`. Needs the role `talent_keys`.
    """
    session.execute(
        text(
            "INSERT INTO person_keys (person_id, master_key_id, created_at, destroyed_at)"
            " VALUES (:person, '', :at, :at) ON CONFLICT (person_id)"
            " DO UPDATE SET wrapped_key = NULL, destroyed_at = excluded.destroyed_at"
            " WHERE person_keys.destroyed_at IS NULL"
        ),
        {"person": person, "at": at},
    )
    forget()
    at_hand = _at_hand(session)
    at_hand.keys[person], at_hand.shared = Erased.ERASED, False


def _missing(session: Session, persons: Iterable[UUID | None]) -> list[UUID]:
    """Those whose key is not at hand yet, in one order for all who make keys."""
    keys = _at_hand(session).keys
    wanted = {person for person in persons if person is not None and person not in keys}
    if wanted:
        keys |= _kept.those_of(wanted)
    return sorted(wanted - keys.keys())


def _put(session: Session, person: UUID, wrapped: bytes) -> None:
    """An empty `wrapped` says that the key was destroyed."""
    at_hand = _at_hand(session)
    key = _unwrapped(at_hand, person, bytes(wrapped)) if wrapped else Erased.ERASED
    at_hand.keys[person] = key
    if at_hand.shared:
        _kept.put(person, key)


def _unwrapped(at_hand: _AtHand, person: UUID, wrapped: bytes) -> PersonCipher:
    """Rewrapping changes what is stored, never the key: a known key is not unwrapped again."""
    known = at_hand.keys.get(person) or _kept.get(person)
    if isinstance(known, PersonCipher):
        return known
    return PersonCipher.of(person, crypto.keyring().unwrap(wrapped, person=person))


def _at_hand(session: Session) -> _AtHand:
    found: _AtHand = session.info.setdefault(_AT_HAND, _AtHand())
    return found


@event.listens_for(Session, "after_soft_rollback")
def _after_rollback(session: Session, _transaction: SessionTransaction) -> None:
    """A savepoint may have taken back a key: what was at hand is read again, for this session."""
    if _AT_HAND in session.info:
        session.info[_AT_HAND] = _AtHand(shared=False)


@event.listens_for(Session, "after_transaction_end")
def _after_transaction(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_AT_HAND, None)
