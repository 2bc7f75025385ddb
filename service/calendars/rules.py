"""Working-day arithmetic. Local dates exist only here; everybody else holds aware UTC moments.

Two prefix tables make every question O(1): for each date, how many working days lie up to it,
and the list of working days in order. Office hours are counted on the same axis: a moment is
"so many office minutes since the calendar's first opening".
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

DEFAULT_CODE: Final = "default"
DEFAULT_HOURS: Final = (("09:00", "12:00"), ("13:00", "18:00"))
SATURDAY: Final = 5
CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class DayKind(StrEnum):
    """How a date departs from Monday-to-Friday."""

    HOLIDAY = "holiday"
    MAKEUP = "makeup"


class OutOfRange(ValueError):
    """A date, or the answer to a question about one, lies outside the calendar."""


class BadCalendar(ValueError):
    """A definition contradicts itself. `path` names the wrong part (`hours`, `holidays` …)."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path


class Span(NamedTuple):
    """Office hours without a break, in minutes after local midnight: 09:00-12:00 is (540, 720)."""

    opens: int
    closes: int


class Due(NamedTuple):
    """When something is due, in aware UTC; `provisional` where days up to it are unpublished."""

    at: datetime
    provisional: bool


@dataclass(frozen=True, eq=False, slots=True)
class WorkingCalendar:
    """One published version of a calendar; immutable, safe to share between threads.

    Every method is total for dates in `first_day`..`last_day` and raises `OutOfRange` when the
    question or its answer leaves them. Moments must be aware (`ValueError` otherwise). Make one
    with `working_calendar`.
    """

    version_id: UUID
    zone: ZoneInfo
    hours: tuple[Span, ...]
    first_day: date
    last_day: date
    published_through: date
    # by date: how many working days lie in first_day..date; by number: the date, as an ordinal
    _counts: array[int] = field(repr=False)
    _days: array[int] = field(repr=False)

    def is_working(self, day: date) -> bool:
        """Whether offices are open on this date."""
        count = self._count(day)
        return count > 0 and self._days[count - 1] == day.toordinal()

    def add(self, day: date, n: int) -> date:
        """The n-th working day after `day`, which itself does not count; n >= 0.

        n = 0 is `day` itself where it is a working day, otherwise the next one.
        """
        if n < 0:
            raise ValueError("working days are counted forward")
        if n == 0 and self.is_working(day):
            return day
        return self._working_day(self._count(day) + max(n, 1) - 1)

    def between(self, first: date, last: date) -> int:
        """How many working days d with first < d <= last; the same day is 0.

        Reversed, it is the negative of the forward answer, so that "days left" turns into "days
        late" by itself. `between(a, add(a, n)) == n` for n >= 1, whatever day a is.
        """
        return self._count(last) - self._count(first)

    def local_date(self, at: datetime) -> date:
        """The date on which `at` falls in the calendar's time zone."""
        day = self._local(at).date()
        self._count(day)
        return day

    def begins(self, day: date) -> datetime:
        """The first moment of this date; outside the range, of the nearest date within."""
        return self._moment(min(max(day, self.first_day), self.last_day), 0)

    def due_on(self, day: date) -> Due:
        """The close of business of this date."""
        self._count(day)
        return Due(self._moment(day, self.hours[-1].closes), day > self.published_through)

    def due_at(self, at: datetime, *, working_days: int) -> Due:
        """The close of business of the n-th working day after `at`; n >= 0.

        The day of the event does not count. n = 0 means the day itself, or the next working day
        where the day is none or its business has closed: nothing is due before it began.
        """
        day = self.add(self.local_date(at), working_days)
        due = self.due_on(day)
        return due if due.at >= at else self.due_on(self.add(day, 1))

    def due_after_hours(self, at: datetime, *, working_hours: int) -> Due:
        """The moment at which n office hours after `at` are used up; n >= 1, breaks do not count.

        Precise to the minute; a started minute is not charged. Hours that end with the day end at
        its close of business, not at the next opening. Wall-clock time is counted.
        """
        if working_hours < 1:
            raise ValueError("a limit in hours is at least one hour")
        day, minute = self._place(self._elapsed(at) + working_hours * 60)
        return Due(self._moment(day, minute), day > self.published_through)

    def warn_at(
        self, started: datetime, due: datetime, working_days: int = 0, working_hours: int = 0
    ) -> datetime:
        """The yellow moment before `due` for a limit of so many working days or working hours.

        It comes at 80 % of the allotment or one working day before the due time, whichever is
        earlier; for limits of one day or less, at 80 %. All of it is counted in office minutes
        back from `due`, where a day is the office minutes of a day: yellow comes when a fifth of
        the allotment remains. So a pause, which moves the due time, moves the warning with it.
        Without a limit (due the same day) the allotment is what lies between `started` and `due`.
        Never before `started`.
        """
        begun, end = self._elapsed(started), self._elapsed(due)
        allotment = working_days * self._day_minutes + working_hours * 60 or end - begun
        remaining = -(-allotment // 5)
        if allotment > self._day_minutes:
            remaining = max(remaining, self._day_minutes)
        day, minute = self._place(max(end - remaining, begun, 1))
        return max(started, self._moment(day, minute))

    @property
    def _day_minutes(self) -> int:
        return sum(span.closes - span.opens for span in self.hours)

    def _count(self, day: date) -> int:
        """Working days in first_day..day."""
        if not self.first_day <= day <= self.last_day:
            raise OutOfRange(f"{day} is outside {self.first_day}..{self.last_day}")
        return self._counts[day.toordinal() - self.first_day.toordinal()]

    def _working_day(self, number: int) -> date:
        """The working day with this number, from 0."""
        if number >= len(self._days):
            raise OutOfRange(f"the answer is after {self.last_day}")
        return date.fromordinal(self._days[number])

    def _elapsed(self, at: datetime) -> int:
        """Office minutes from the calendar's first opening to `at`, rounded up to a minute."""
        local = self._local(at)
        day = local.date()
        if not self.is_working(day):
            return self._count(day) * self._day_minutes
        minute = local.hour * 60 + local.minute + bool(local.second or local.microsecond)
        today = sum(min(max(minute - opens, 0), closes - opens) for opens, closes in self.hours)
        return (self._count(day) - 1) * self._day_minutes + today

    def _place(self, elapsed: int) -> tuple[date, int]:
        """Where the `elapsed`-th office minute (from 1) ends: the date, and minutes of that day."""
        number, before = divmod(elapsed - 1, self._day_minutes)
        begins = self.hours[0].opens + before
        for morning, afternoon in pairwise(self.hours):
            if begins >= morning.closes:
                begins += afternoon.opens - morning.closes
        return self._working_day(number), begins + 1

    def _local(self, at: datetime) -> datetime:
        if at.utcoffset() is None:
            raise ValueError("a moment must be aware")
        try:
            return at.astimezone(self.zone)
        except OverflowError:
            raise OutOfRange(f"{at} is outside {self.first_day}..{self.last_day}") from None

    def _moment(self, day: date, minute: int) -> datetime:
        clock = time(*divmod(minute, 60))
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)


def working_calendar(
    *,
    version_id: UUID,
    zone: str,
    hours: Iterable[Sequence[str]],
    first_day: date,
    last_day: date,
    published_through: date,
    holidays: Collection[date],
    makeup_days: Collection[date],
) -> WorkingCalendar:
    """Build a calendar: Monday to Friday, without the holidays, with the make-up workdays.

    `hours` are spans of local time such as `("09:00", "12:00")`, in order; the last one's end is
    the close of business. What lies after `published_through` is provisional. Raises
    `BadCalendar`.
    """
    if not first_day <= published_through <= last_day:
        raise BadCalendar("published_through", f"not in {first_day}..{last_day}")
    _check_days(first_day, last_day, holidays=holidays, makeup_days=makeup_days)
    counts, days = _prefix_tables(first_day, last_day, frozenset(holidays), frozenset(makeup_days))
    return WorkingCalendar(
        version_id=version_id,
        zone=_time_zone(zone),
        hours=office_hours(hours),
        first_day=first_day,
        last_day=last_day,
        published_through=published_through,
        _counts=counts,
        _days=days,
    )


def office_hours(spans: Iterable[Sequence[str]]) -> tuple[Span, ...]:
    """Read spans such as `("09:00", "12:00")`; they must be in order and apart.

    Raises `BadCalendar`.
    """
    hours = tuple(Span(*map(_minute, span)) for span in map(_pair, spans))
    edges = [edge for span in hours for edge in span]
    if not edges or any(later <= earlier for earlier, later in pairwise(edges)):
        raise BadCalendar("hours", "spans must be in order and apart")
    return hours


def days_of_kind(days: Mapping[date, DayKind], kind: DayKind) -> frozenset[date]:
    """The dates that depart from Monday-to-Friday in this way."""
    return frozenset(day for day, its_kind in days.items() if its_kind is kind)


def _pair(span: Sequence[str]) -> Sequence[str]:
    if len(span) != len(Span._fields):
        raise BadCalendar("hours", "a span is an opening and a closing time")
    return span


def _minute(clock: str) -> int:
    """Minutes after midnight of `HH:MM`; 24:00 is no time of day."""
    match = CLOCK.fullmatch(clock)
    if match is None:
        raise BadCalendar("hours", f"{clock!r} is not HH:MM")
    return int(match[1]) * 60 + int(match[2])


def _time_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a directory of zones
        raise BadCalendar("zone", f"{name!r} is not a time zone") from None


def _check_days(
    first_day: date, last_day: date, *, holidays: Collection[date], makeup_days: Collection[date]
) -> None:
    for path, days in (("holidays", holidays), ("makeup_days", makeup_days)):
        for day in days:
            if not first_day <= day <= last_day:
                raise BadCalendar(path, f"{day} is outside {first_day}..{last_day}")
    for day in makeup_days:
        if day.weekday() < SATURDAY:
            raise BadCalendar("makeup_days", f"{day} is no weekend day")
        if day in holidays:
            raise BadCalendar("makeup_days", f"{day} is a holiday too")


def _prefix_tables(
    first_day: date, last_day: date, holidays: frozenset[date], makeup_days: frozenset[date]
) -> tuple[array[int], array[int]]:
    counts, days = array("i"), array("i")
    for ordinal in range(first_day.toordinal(), last_day.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if day in makeup_days or (day.weekday() < SATURDAY and day not in holidays):
            days.append(ordinal)
        counts.append(len(days))
    return counts, days
