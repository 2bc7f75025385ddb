"""Working-day arithmetic against naive loops, over arbitrary calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from service.calendars.rules import WorkingCalendar, working_calendar

FIRST, LAST = date(2022, 1, 1), date(2028, 12, 31)
PUBLISHED = date(2025, 6, 30)
# Questions are asked well inside the range, so that their answers lie in it too.
ASKED = st.dates(date(2024, 1, 1), date(2025, 12, 31))
DEPARTING = st.dates(date(2023, 12, 1), date(2026, 6, 30))
SATURDAYS = st.integers(0, 130).map(lambda weeks: date(2023, 12, 2) + timedelta(weeks=weeks))
WEEKENDS = SATURDAYS | SATURDAYS.map(lambda day: day + timedelta(days=1))
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=730)).map(
    lambda since: datetime(2024, 1, 1, tzinfo=UTC) + since
)
COUNTS = st.integers(1, 120)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "UTC")
HOURS = (
    [("09:00", "12:00"), ("13:00", "18:00")],
    [("08:30", "11:30"), ("13:30", "17:15")],
    [("10:00", "11:01")],
    [("07:00", "09:00"), ("09:01", "09:20"), ("20:00", "23:59")],
)


@st.composite
def calendars(draw) -> WorkingCalendar:
    holidays = draw(st.sets(DEPARTING, max_size=40))
    for day in draw(st.lists(DEPARTING, max_size=3)):  # weeks on end
        holidays |= {day + timedelta(days=n) for n in range(9)}
    return working_calendar(
        version_id=UUID(int=0),
        zone=draw(st.sampled_from(ZONES)),
        hours=draw(st.sampled_from(HOURS)),
        first_day=FIRST,
        last_day=LAST,
        published_through=PUBLISHED,
        holidays=holidays,
        makeup_days=draw(st.sets(WEEKENDS, max_size=20)) - holidays,
    )


CALENDARS = calendars()


def naive_add(calendar: WorkingCalendar, day: date, n: int) -> date:
    while n:
        day += timedelta(days=1)
        n -= calendar.is_working(day)
    return day


def is_open(calendar: WorkingCalendar, moment: datetime) -> bool:
    """Whether the local minute that begins at `moment` is office time."""
    minute = moment.hour * 60 + moment.minute
    return calendar.is_working(moment.date()) and any(
        opens <= minute < closes for opens, closes in calendar.hours
    )


def naive_hours(calendar: WorkingCalendar, at: datetime, minutes: int) -> datetime:
    """Walk the wall clock minute by minute until so many office minutes are used up."""
    wall = at.astimezone(calendar.zone).replace(tzinfo=None)
    if wall.second or wall.microsecond:
        wall = wall.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minutes:
        minutes -= is_open(calendar, wall)
        wall += timedelta(minutes=1)
    return wall.replace(tzinfo=calendar.zone).astimezone(UTC)


@given(CALENDARS, ASKED, COUNTS)
def test_add_is_what_a_loop_finds(calendar, day, n):
    assert calendar.add(day, n) == naive_add(calendar, day, n)


@given(CALENDARS, ASKED, st.integers(0, 400))
def test_between_is_what_a_loop_counts(calendar, first, length):
    following = [first + timedelta(days=n) for n in range(1, length + 1)]
    last = first + timedelta(days=length)
    assert calendar.between(first, last) == sum(map(calendar.is_working, following))
    assert calendar.between(last, first) == -calendar.between(first, last)


@given(CALENDARS, ASKED, COUNTS)
def test_between_undoes_add(calendar, day, n):
    assert calendar.between(day, calendar.add(day, n)) == n


@given(CALENDARS, ASKED, ASKED)
def test_add_undoes_between_on_working_days(calendar, one, other):
    first, last = sorted((one, other))
    assume(calendar.is_working(last) and first < last)
    assert calendar.add(first, calendar.between(first, last)) == last


@given(CALENDARS, ASKED, ASKED, COUNTS)
def test_add_is_monotone(calendar, one, other, n):
    first, last = sorted((one, other))
    assert calendar.add(first, n) <= calendar.add(last, n)
    assert calendar.add(first, 0) <= calendar.add(first, n) < calendar.add(first, n + 1)


@given(CALENDARS, ASKED)
def test_add_of_nothing_gives_the_first_working_day_from_here(calendar, day):
    found = calendar.add(day, 0)
    assert calendar.is_working(found)
    assert found >= day
    assert calendar.between(day - timedelta(days=1), found) == 1


@given(CALENDARS, MOMENTS, COUNTS, ASKED, st.integers(0, 40))
def test_a_pause_of_k_working_days_moves_the_due_day_by_k(calendar, at, n, from_day, length):
    to_day = from_day + timedelta(days=length)
    pause = calendar.between(from_day, to_day)
    own, moved = (
        calendar.local_date(calendar.due_at(at, working_days=days).at) for days in (n, n + pause)
    )
    assert calendar.between(own, moved) == pause
    assert pause == 0 or calendar.add(own, pause) == moved


@given(CALENDARS, MOMENTS, st.integers(0, 120))
def test_due_days_are_the_close_of_a_working_day_not_before_the_event(calendar, at, n):
    due = calendar.due_at(at, working_days=n)
    day = calendar.local_date(due.at)
    wall = due.at.astimezone(calendar.zone)
    assert due.at >= at
    assert due.at.utcoffset() == timedelta(0)
    assert calendar.is_working(day)
    assert wall.hour * 60 + wall.minute == calendar.hours[-1].closes
    assert n == 0 or calendar.between(calendar.local_date(at), day) == n
    assert due.provisional == (day > PUBLISHED)


@given(CALENDARS, MOMENTS, st.integers(1, 6))
def test_due_hours_are_what_a_walk_finds(calendar, at, hours):
    due = calendar.due_after_hours(at, working_hours=hours)
    assert due.at == naive_hours(calendar, at, hours * 60)


@given(CALENDARS, MOMENTS, st.integers(1, 400), st.integers(1, 40))
def test_due_hours_add_up(calendar, at, hours, more):
    due = calendar.due_after_hours(at, working_hours=hours)
    assert due.at > at
    assert due.provisional == (calendar.local_date(due.at) > PUBLISHED)
    then = calendar.due_after_hours(due.at, working_hours=more)
    assert then == calendar.due_after_hours(at, working_hours=hours + more)


@given(CALENDARS, MOMENTS, st.integers(0, 90))
def test_warning_lies_between_start_and_due(calendar, at, n):
    due = calendar.due_at(at, working_days=n).at
    warn = calendar.warn_at(at, due, working_days=n)
    assert at <= warn <= due
    assert warn.utcoffset() == timedelta(0)


@given(CALENDARS, MOMENTS, st.integers(2, 90))
def test_longer_limits_warn_a_day_or_a_fifth_before(calendar, at, n):
    due = calendar.due_at(at, working_days=n).at
    warn = calendar.warn_at(at, due, working_days=n)
    left = calendar.between(calendar.local_date(warn), calendar.local_date(due))
    assert max(1, n // 5) <= left <= max(1, -(-n // 5))
