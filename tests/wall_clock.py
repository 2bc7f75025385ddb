"""The clock on the wall of every test: it begins at a fixed moment, and moves on only when told.

Each module begins at ten o'clock in Shanghai on `DAY`, or on the day that `--on` names. Seconds go
by as they do outside, so that what happens later has a later time, but no test knows which day it
really is. Everything that a test can ask follows: `datetime.now` and `time.time` in this process,
the identifiers that begin with a time, and `now()` and `uuidv7()` of the test databases.
`time.monotonic`, by which libraries wait, is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import psycopg
import time_machine
import uuid_utils.compat

DAY: Final = date(2026, 11, 24)
"""An ordinary Tuesday, in a week and after a month without a holiday."""

SAMPLED: Final = {
    date(2026, 1, 4): "a Sunday that is worked, made up for the New Year's holiday",
    date(2026, 2, 13): "the last working day before the Spring Festival, but for a make-up day",
    date(2026, 9, 30): "the eve of the National Day week",
    date(2026, 10, 10): "a Saturday that is worked",
    date(2026, 11, 27): "forty days and thirty working days after it are one day",
    date(2026, 12, 31): "the last day of a year, and of what the calendar of that year says",
    date(2027, 2, 28): "a Sunday; 29 February is missing from the year",
    date(2027, 12, 31): "the last day of the last calendar that the demonstration publishes",
    date(2028, 2, 29): "a leap day, in a year without a calendar",
}
"""Days on which computing with days has gone wrong, or might; with the reason for each."""

SEARCH_PATH: Final = "public, test_clock, pg_catalog"
"""Where a test server looks for names: `now()` is found here before PostgreSQL's own."""

_MORNING: Final = time(2, tzinfo=UTC)
_REAL: Final = time_machine.escape_hatch
_MILLISECOND: Final = timedelta(milliseconds=1)
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


def morning(day: date) -> datetime:
    """Ten o'clock in Shanghai, in UTC."""
    return datetime.combine(day, _MORNING)


class WallClock:
    """The clock of this process. It is always so many milliseconds off the real one."""

    def __init__(self) -> None:
        self._shift = timedelta(0)
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None
        self._new_id: Callable[[], UUID] = uuid_utils.compat.uuid7

    @property
    def shift(self) -> timedelta:
        """How far it is ahead of the real one, in whole milliseconds."""
        return self._shift

    @property
    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return _real_now() + self._shift

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
            uuid_utils.compat.uuid7 = self._new_id
        self._travel, self._traveller, self._shift = None, None, timedelta(0)

    def _shift_by(self, shift: timedelta) -> None:
        self._shift = shift
        if self._traveller is None:
            self._travel = time_machine.travel(self.now, tick=True)
            self._traveller = self._travel.start()
            uuid_utils.compat.uuid7 = self._shifted_id
        else:
            self._traveller.move_to(self.now, tick=True)

    def _shifted_id(self) -> UUID:
        """As the library makes them, rising within the process, with the time of this clock."""
        return UUID(int=self._new_id().int + (self._shift // _MILLISECOND << 80))


def _real_now() -> datetime:
    if _REAL.is_travelling():
        return _REAL.datetime.datetime.now(UTC)
    return datetime.now(UTC)


def install(connection: psycopg.Connection) -> None:
    """Have a database, not yet migrated, follow the setting `test.shift`."""
    connection.execute(_FUNCTIONS)


def follow(connection: psycopg.Connection, database: str, clock: WallClock) -> None:
    """Have the sessions that begin from now on in `database` see the time of `clock`."""
    shift = f"{clock.shift // _MILLISECOND} milliseconds"
    connection.execute(f"ALTER DATABASE {database} SET test.shift = '{shift}'")


WALL_CLOCK: Final = WallClock()
