"""Delivering events to their subscribers: after the commit, at least once, until tries end.

A transaction enqueues one job for each subscriber of what it emitted, and none where nobody
subscribes. `handled_events` holds which subscriber has had which event; what could not be delivered
is a row of `dead_deliveries` until somebody has it sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session

from service.kernel import clock, jobs, logs, subscriptions
from service.kernel.db import Base, Database, DistrictScoped, Scope, delete_rows, insert_new_rows
from service.kernel.events import Event, write_emitted
from service.kernel.ids import new_id
from service.kernel.jobs import Queue
from service.kernel.subscriptions import Inside, Outbound, Subscription

KEPT: Final = timedelta(days=30)
"""Far longer than a delivery is tried again, and than a sweep looks back."""

SENT_AT_ONCE: Final = 500
_LOG: Final = logs.logger("deliveries")


class HandledEvent(DistrictScoped, Base):
    """A subscriber has had an event, and what it asks for is done.

    The row of an `Inside` subscriber commits with the effect, that of an `Outbound` one after it.
    """

    __tablename__ = "handled_events"
    __table_args__ = (
        UniqueConstraint("district_id", "event_id", "handler"),
        Index("ix_handled_events_at", "district_id", "at"),
    )

    event_id: Mapped[UUID]
    handler: Mapped[str]
    at: Mapped[datetime]


class DeadDelivery(DistrictScoped, Base):
    """An event that a subscriber was not handed although it was tried as often as allowed.

    `cause` is the class name of the last error and nothing of its words. The row is deleted when
    the delivery is sent again. Neither event nor ticket has a foreign key: the kernel's tables
    refer to nothing above them, and nothing refers to events.
    """

    __tablename__ = "dead_deliveries"
    __table_args__ = (
        UniqueConstraint("district_id", "subscriber", "event_id"),
        CheckConstraint("tries > 0", name="tries"),
    )

    subscriber: Mapped[str]
    event_id: Mapped[UUID]
    ticket_id: Mapped[UUID | None]
    tries: Mapped[int]
    cause: Mapped[str]
    at: Mapped[datetime]


class UnknownSubscriber(LookupError):
    """A job names a subscriber that this release does not have."""


class TriesEnded(Exception):
    """The last try left no cause: its worker was killed, or lost the database."""


@dataclass(frozen=True, slots=True)
class _Failure:
    subscription: Subscription
    event: Event
    error: Exception


# --- enqueueing -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that a subscriber is to be handed."""

    subscriber: str
    event_id: UUID
    ticket_id: UUID | None


def write_pending(session: Session) -> None:
    """Write what was emitted and enqueue its deliveries; runs before every commit.

    One statement for the events, and one for all jobs where anybody subscribes.
    """
    rows = write_emitted(session)
    if not rows:
        return
    by_kind = subscriptions.in_use().by_kind
    wanted = [
        Delivery(subscription.name, row["id"], row["ticket_id"])
        for row in rows
        for subscription in by_kind.get(row["kind"], ())
    ]
    enqueue(session, district=rows[0]["district_id"], wanted=wanted)


def enqueue(session: Session, *, district: str, wanted: Iterable[Delivery]) -> None:
    """Enqueue one job for each subscriber and ticket, in one statement; none for nothing."""
    grouped: dict[tuple[str, UUID | None], list[str]] = {}
    for delivery in wanted:
        key = delivery.subscriber, delivery.ticket_id
        grouped.setdefault(key, []).append(str(delivery.event_id))
    by_name = subscriptions.in_use().by_name
    jobs.enqueue(
        session,
        [
            jobs.delivery(
                district=district,
                subscriber=name,
                queue=by_name[name].queue if name in by_name else Queue.DELIVERIES,
                events=events,
                ticket=None if ticket is None else str(ticket),
            )
            for (name, ticket), events in grouped.items()
        ],
    )


# --- handing over ---------------------------------------------------------------------------


def deliver(
    database: Database,
    *,
    district: str,
    events: Sequence[str],
    subscriber: str | None = None,
    attempts: int = 0,
) -> None:
    """Hand events, in the order of their ids, to one subscriber, or to all who subscribe to them.

    What it has had it is not handed again, and an event that fails does not hold up the others.
    After `attempts` failed tries this is the next; when it was the last, what still fails becomes
    a dead delivery. Raises the first error where there are tries left.
    """
    with database.transaction(Scope.system(district)) as session:
        found = events_of(session, district, events)
    failures = [
        failure
        for subscription in _wanted(subscriber, found)
        for failure in _failures(database, subscription, found, attempts)
    ]
    tried = attempts + 1
    dead = [failure for failure in failures if tried >= failure.subscription.tries]
    if dead:
        _bury(database, district, dead, tries=tried)
    for failure in failures:
        if tried < failure.subscription.tries:
            raise failure.error


def first_time(session: Session, event: Event, *, subscriber: str, at: datetime) -> bool:
    """Mark the event as handled by this subscriber; false where it was already.

    Two workers with the same event wait for each other here: the second sees what the first
    committed, or does it itself where the first failed.
    """
    taken = session.execute(
        insert(HandledEvent)
        .values(
            district_id=event.district_id,
            id=new_id(),
            event_id=event.id,
            handler=subscriber,
            at=at,
        )
        .on_conflict_do_nothing(index_elements=["district_id", "event_id", "handler"])
        .returning(HandledEvent.id)
    )
    return taken.one_or_none() is not None


def first_times(
    session: Session, events: Sequence[Event], *, subscriber: str, at: datetime
) -> list[Event]:
    """`first_time` for several events, in the order of their ids; one statement.

    That order keeps two workers with the same events from a deadlock.
    """
    marks = {new_id(): event for event in sorted(events, key=lambda event: event.id)}
    rows = [
        {
            "district_id": event.district_id,
            "id": mark,
            "event_id": event.id,
            "handler": subscriber,
            "at": at,
        }
        for mark, event in marks.items()
    ]
    new = insert_new_rows(session, HandledEvent, rows)
    return [event for mark, event in marks.items() if mark in new]


def events_of(session: Session, district: str, ids: Sequence[str]) -> Sequence[Event]:
    """The events that a job names, in the order of their ids; one statement."""
    return session.scalars(
        select(Event)
        .where(Event.district_id == district, Event.id.in_([UUID(event) for event in ids]))
        .order_by(Event.id)
    ).all()


def handled(
    session: Session, *, district: str, subscriber: str, ids: Collection[UUID]
) -> set[UUID]:
    """Those of some events that a subscriber has had; one statement."""
    query = select(HandledEvent.event_id).where(
        HandledEvent.district_id == district,
        HandledEvent.event_id.in_(ids),
        HandledEvent.handler == subscriber,
    )
    return set(session.scalars(query))


def _wanted(subscriber: str | None, found: Sequence[Event]) -> Iterable[Subscription]:
    """Jobs of releases before names were stored say nothing: they are for all subscribers."""
    by_name = subscriptions.in_use().by_name
    if subscriber is None:
        return by_name.values()
    if subscriber in by_name:
        return [by_name[subscriber]]
    kinds = frozenset(event.kind for event in found)
    return [Inside(name=subscriber, kinds=kinds, handler=_refuse)]


def _refuse(_session: Session, _event: Event) -> None:
    """A worker older than the job, or younger: wait for the right one, then give up."""
    raise UnknownSubscriber


def _failures(
    database: Database, subscription: Subscription, found: Sequence[Event], attempts: int
) -> Iterable[_Failure]:
    wanted = [event for event in found if event.kind in subscription.kinds]
    if not wanted:
        return
    if attempts >= subscription.tries:
        # Only a worker that was killed in its last try leaves such a job.
        yield from _left(database, subscription, wanted)
        return
    for event in wanted:
        try:
            _hand_over(database, subscription, event)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must not wait for it
            yield _Failure(subscription, event, error)


def _left(
    database: Database, subscription: Subscription, wanted: Sequence[Event]
) -> Iterable[_Failure]:
    district, ids = wanted[0].district_id, [event.id for event in wanted]
    with database.transaction(Scope.system(district)) as session:
        had = handled(session, district=district, subscriber=subscription.name, ids=ids)
    for event in wanted:
        if event.id not in had:
            yield _Failure(subscription, event, TriesEnded())


def _hand_over(database: Database, subscription: Subscription, event: Event) -> None:
    scope, name = Scope.system(event.district_id), subscription.name
    match subscription:
        case Inside():
            with database.transaction(scope) as session:
                if first_time(session, event, subscriber=name, at=clock.now()):
                    subscription.handler(session, event)
        case Outbound():
            with database.transaction(scope) as session:
                had = handled(session, district=event.district_id, subscriber=name, ids=[event.id])
            if not had:
                subscription.handler(event)
                with database.transaction(scope) as session:
                    first_time(session, event, subscriber=name, at=clock.now())


# --- dead deliveries ------------------------------------------------------------------------


def dead_deliveries(
    session: Session, *, district: str, subscriber: str | None = None
) -> Sequence[DeadDelivery]:
    """What could not be delivered in a district, the oldest first; of one subscriber if named."""
    query = select(DeadDelivery).where(_dead(district, subscriber, None)).order_by(DeadDelivery.id)
    return session.scalars(query).all()


def send_again(
    session: Session,
    *,
    district: str,
    subscriber: str | None = None,
    delivery_id: UUID | None = None,
) -> int:
    """Enqueue dead deliveries of a district with all their tries; returns how many.

    All of them, those of one subscriber, or one; at most `SENT_AT_ONCE` in one call.
    """
    chosen = (
        select(DeadDelivery.id)
        .where(_dead(district, subscriber, delivery_id))
        .order_by(DeadDelivery.id)
        .limit(SENT_AT_ONCE)
    )
    deleted = session.execute(
        delete(DeadDelivery)
        .where(DeadDelivery.district_id == district, DeadDelivery.id.in_(chosen))
        .returning(DeadDelivery.subscriber, DeadDelivery.event_id, DeadDelivery.ticket_id)
    ).all()
    enqueue(
        session,
        district=district,
        wanted=[Delivery(*row) for row in sorted(deleted, key=lambda row: row.event_id)],
    )
    return len(deleted)


def _dead(district: str, subscriber: str | None, delivery_id: UUID | None) -> Any:
    found = DeadDelivery.district_id == district
    if subscriber is not None:
        found &= DeadDelivery.subscriber == subscriber
    if delivery_id is not None:
        found &= DeadDelivery.id == delivery_id
    return found


def _bury(database: Database, district: str, dead: Sequence[_Failure], *, tries: int) -> None:
    rows = [
        {
            "district_id": district,
            "id": new_id(),
            "subscriber": failure.subscription.name,
            "event_id": failure.event.id,
            "ticket_id": failure.event.ticket_id,
            "tries": min(tries, failure.subscription.tries),
            "cause": type(failure.error).__name__,
            "at": clock.now(),
        }
        for failure in dead
    ]
    with database.transaction(Scope.system(district)) as session:
        insert_new_rows(session, DeadDelivery, rows)
    for row in rows:
        about = {name: row[name] for name in ("subscriber", "tries", "cause")}
        _LOG.error("delivery_dead", district=district, event_id=str(row["event_id"]), **about)


# --- housekeeping ---------------------------------------------------------------------------


def forget_old_deliveries(session: Session, *, district: str, at: datetime, most: int) -> int:
    """Delete what a district has had for longer than `KEPT`, at most `most`; returns how many."""
    old = (HandledEvent.district_id == district) & (HandledEvent.at < at - KEPT)
    return delete_rows(session, HandledEvent, old, most=most)
