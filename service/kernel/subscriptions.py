"""Who is to be handed which kinds of events.

The table is made above the slices and handed to every process at its start (`use`): whoever writes
events enqueues by it, and the worker hands over by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from service.kernel.events import Event
from service.kernel.jobs import Queue
from service.kernel.vocabulary import kind_of

TRIES: Final = 18
"""How often a delivery is tried unless its subscription says otherwise: about a day."""

LONGEST_WAIT: Final = timedelta(hours=4)
_FIRST_WAIT: Final = timedelta(seconds=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A subscriber whose effect is rows of the database.

    Its handler runs in the transaction that marks the event as handled: the effect happens exactly
    once. It calls nothing outside. `name` is stored: it outlives a move or renaming of the handler
    and is never reused for something else.

    `together` does for several events what `handler` does for each of them, in statements whose
    number does not depend on how many there are. It takes no lock but those of the rows it writes.
    With it, the events of many tickets are handed over in one transaction (`kernel.batches`).
    """

    name: str
    kinds: frozenset[str]
    handler: Callable[[Session, Event], None]
    together: Callable[[Session, Sequence[Event]], None] | None = None
    queue: Queue = Queue.DELIVERIES
    tries: int = TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """A subscriber whose effect is outside of the database.

    Its handler runs outside of any transaction, and what it has done is marked afterwards: it may
    be called again with an event it has had, by two workers at once too, and must not mind. `name`
    is as for `Inside`.
    """

    name: str
    kinds: frozenset[str]
    handler: Callable[[Event], None]
    queue: Queue = Queue.OUTBOUND
    tries: int = TRIES


Subscription = Inside | Outbound


@dataclass(frozen=True, slots=True)
class Table:
    """All subscriptions, in the order in which they were declared."""

    by_name: Mapping[str, Subscription]
    by_kind: Mapping[str, Sequence[Subscription]]


def wait_after(attempts: int) -> timedelta:
    """How long a delivery rests after its failed try number `attempts`, counted from 0.

    It doubles from four seconds to four hours.
    """
    return min(_FIRST_WAIT * (1 << min(attempts, 16)), LONGEST_WAIT)


def use(subscriptions: Iterable[Subscription]) -> Table:
    """Hand the process its table; done once, at start. Returns it.

    Raises `ValueError` for a name that is given twice and for a subscription without a try, and
    `UnregisteredKind` for a kind that no slice has registered.
    """
    global _table  # noqa: PLW0603 - a process has one table
    _table = _checked(list(subscriptions))
    return _table


def in_use() -> Table:
    """The table of this process; raises `RuntimeError` before `use`."""
    if _table is None:
        raise RuntimeError("no subscriptions: kernel.subscriptions.use() was not called at start")
    return _table


_table: Table | None = None


def _checked(subscriptions: Collection[Subscription]) -> Table:
    by_name: dict[str, Subscription] = {}
    by_kind: dict[str, list[Subscription]] = {}
    for subscription in subscriptions:
        name = subscription.name
        if name in by_name or subscription.tries < 1:
            raise ValueError(f"subscription {name}: named twice, or without a try")
        by_name[name] = subscription
        for kind in subscription.kinds:
            by_kind.setdefault(kind_of(kind).name, []).append(subscription)
    return Table(by_name, by_kind)
