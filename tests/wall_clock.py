"""The clock on the wall of every test: it begins at a fixed moment, and moves on only when told.

Each module begins at ten o'clock in Shanghai on `DAY`, or on the day that `--on` names, which
`tests.days` does for each of the `SAMPLED`. Seconds go
by as they do outside, so that what happens later has a later time, but no test knows which day it
really is. Everything that a test can ask follows: `datetime.now` and `time.time` in this process,
the identifiers that begin with a time, and `now()` and `uuidv7()` of the test databases.
`time.monotonic`, by which libraries wait, is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from secrets import randbits
from threading import Lock
from time import time_ns
from typing import Final
from uuid import UUID

import psycopg
import time_machine
import uuid_utils.compat

DAY: Final = date(2026, 11, 24)
"""An ordinary Tuesday, in a week and after a month without a holiday."""

SAMPLED: Final = {
    date(2026, 9, 20): "a Sunday that is worked, made up for the National Day holiday",
    date(2026, 9, 30): "the eve of that holiday",
    date(2026, 10, 10): "a Saturday that is worked",
    date(2026, 11, 27): "forty days before it and thirty working days on are the same day",
    date(2026, 12, 31): "the last day of a year, and of the published calendar",
    date(2027, 2, 5): "a Friday off, the eve of the Spring Festival",
    date(2027, 12, 31): "the last day of a year whose make-up days are not known yet",
    date(2028, 2, 28): "the day before a leap day",
    date(2028, 2, 29): "a leap day",
}
"""Days on which computing with days has gone wrong, or might; with the reason for each."""

SEARCH_PATH: Final = "public, test_clock, pg_catalog"
"""Where a test server looks for names: `now()` is found here before PostgreSQL's own."""

_MORNING: Final = time(2, tzinfo=UTC)
_REAL: Final = time_machine.escape_hatch
_MILLISECOND: Final = timedelta(milliseconds=1)
_VARIANT_AT: Final = 62
_RANDOM_BITS: Final = 74
_STEP_BITS: Final = 40
_FUNCTIONS: Final = """
CREATE SCHEMA test_clock;
GRANT USAGE ON SCHEMA test_clock TO PUBLIC;
CREATE FUNCTION test_clock.shift() RETURNS interval LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(pg_catalog.current_setting('test.shift', true), ''), '0')::interval
$$;
CREATE FUNCTION test_clock.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.now() + test_clock.shift()
$$;
CREATE FUNCTION test_clock.uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT pg_catalog.uuidv7(test_clock.shift())
$$;
"""
_OWN_PARTITIONS: Final = """
ALTER FUNCTION ensure_partitions(timestamptz) SET search_path = test_clock, pg_catalog, public;
DO $$
DECLARE
    part regclass;
    filled boolean;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent IN ('events'::regclass, 'audit_log'::regclass)
        AND inhrelid::regclass::text !~ '_default$'
        AND right(inhrelid::regclass::text, 7) NOT BETWEEN to_char(now(), 'YYYY_MM')
            AND to_char(now() + interval '3 months', 'YYYY_MM')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', part) INTO filled;
        IF NOT filled THEN
            EXECUTE format('DROP TABLE %s', part);
        END IF;
    END LOOP;
    PERFORM ensure_partitions(now() + interval '3 months');
END
$$;
"""


def morning(day: date) -> datetime:
    """Ten o'clock in Shanghai, in UTC."""
    return datetime.combine(day, _MORNING)


class WallClock:
    """The clock of this process. It is always so many milliseconds off the real one."""

    def __init__(self) -> None:
        self._shift = timedelta(0)
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None
        self._library_id: Callable[[], UUID] = uuid_utils.compat.uuid7
        self._making, self._last_id = Lock(), 0

    @property
    def shift(self) -> timedelta:
        """How far it is ahead of the real one, in whole milliseconds."""
        return self._shift

    @property
    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.now(UTC)

    def set(self, at: datetime) -> None:
        """It is `at` now, and goes on from there."""
        self._shift_by((at - _real_now()) // _MILLISECOND * _MILLISECOND)

    def move(self, **by: float) -> None:
        """It is so much later: `move(days=1)`."""
        self._shift_by(self._shift + timedelta(**by))

    @contextmanager
    def later(self, **by: float) -> Iterator[datetime]:
        """Within the block it is so much later; yields the moment at which it begins."""
        before = self._shift
        self.move(**by)
        try:
            yield self.now
        finally:
            self._shift_by(before)

    @contextmanager
    def kept(self) -> Iterator[WallClock]:
        """Whatever the block does to the clock ends with it."""
        before = self._shift
        try:
            yield self
        finally:
            if self._shift != before:
                self._shift_by(before)

    def stop(self) -> None:
        """Show the real time again."""
        if self._travel is not None:
            self._travel.stop()
            uuid_utils.compat.uuid7 = self._library_id
        self._travel, self._traveller, self._shift = None, None, timedelta(0)

    def _shift_by(self, shift: timedelta) -> None:
        self._shift = shift
        now = _real_now() + shift
        if self._traveller is None:
            self._travel = time_machine.travel(now, tick=True)
            self._traveller = self._travel.start()
            uuid_utils.compat.uuid7 = self._id
        else:
            self._traveller.move_to(now, tick=True)

    def _id(self) -> UUID:
        """As the library makes them, rising within the process, with the time of this clock."""
        with self._making:
            moment = time_ns() // 1_000_000
            if moment == self._last_id >> _RANDOM_BITS:
                self._last_id += randbits(_STEP_BITS) + 1
            else:
                self._last_id = moment << _RANDOM_BITS | randbits(_RANDOM_BITS - 1)
            return _version_7(self._last_id)


def _version_7(value: int) -> UUID:
    """The 48 bits of a time and 74 others, parted by the version and the variant (RFC 9562)."""
    above, below = divmod(value, 1 << _VARIANT_AT)
    head = (above >> 12 << 16) | 0x7000 | (above & 0xFFF)
    return UUID(int=head << 64 | 0b10 << _VARIANT_AT | below)


def _real_now() -> datetime:
    if _REAL.is_travelling():
        return _REAL.datetime.datetime.now(UTC)
    return datetime.now(UTC)


def install(connection: psycopg.Connection) -> None:
    """Have a database, not yet migrated, follow the setting `test.shift`."""
    connection.execute(_FUNCTIONS)


def fit_partitions(connection: psycopg.Connection) -> None:
    """Have the partitions that a database migrated at the moment of its own clock would have."""
    connection.execute(_OWN_PARTITIONS)


def follow(connection: psycopg.Connection, database: str, clock: WallClock) -> None:
    """Have the sessions that begin from now on in `database` see the time of `clock`."""
    shift = f"{clock.shift // _MILLISECOND} milliseconds"
    connection.execute(f"ALTER DATABASE {database} SET test.shift = '{shift}'")


WALL_CLOCK: Final = WallClock()
