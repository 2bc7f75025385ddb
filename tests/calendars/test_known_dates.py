"""Questions whose answers anybody can check against the notices, and refusals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from service.calendars.rules import (
    BadCalendar,
    DayKind,
    Due,
    OutOfRange,
    days_of_kind,
    office_hours,
)
from tests.calendars.notices import CHINA, calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def due_local(due: Due) -> str:
    assert due.at.tzinfo is UTC
    return f"{due.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2025-09-28", True),  # a make-up Sunday
        ("2025-10-01", False),
        ("2025-10-08", False),
        ("2025-10-09", True),
        ("2025-10-11", True),  # a make-up Saturday
        ("2025-10-12", False),
        ("2026-02-14", True),
        ("2026-02-16", False),
        ("2026-02-23", False),
        ("2026-02-24", True),
        ("2015-01-01", True),  # the first day: a Thursday of a year without data
        ("2036-12-31", True),
    ],
)
def test_which_days_are_worked(day, working):
    assert CHINA.is_working(date.fromisoformat(day)) is working


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        ("2025-09-26", 1, "2025-09-28"),  # Friday, then the make-up Sunday
        ("2025-09-30", 1, "2025-10-09"),  # over the Golden Week
        ("2025-09-30", 3, "2025-10-11"),  # the make-up Saturday is day 3
        ("2025-09-30", 4, "2025-10-13"),
        ("2025-10-04", 1, "2025-10-09"),  # from inside it
        ("2026-02-13", 2, "2026-02-24"),
        ("2025-10-09", 0, "2025-10-09"),  # nothing to wait for
        ("2025-10-04", 0, "2025-10-09"),  # the next day that is one
        ("2025-03-03", 20, "2025-03-31"),
    ],
)
def test_adding_working_days(day, n, expected):
    assert CHINA.add(date.fromisoformat(day), n) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2025-09-30", "2025-09-30", 0),
        ("2025-09-30", "2025-10-08", 0),
        ("2025-09-30", "2025-10-09", 1),
        ("2025-09-26", "2025-09-29", 2),
        ("2025-10-09", "2025-09-30", -1),
        ("2024-12-31", "2025-12-31", 248),  # the working days of 2025
        ("2025-12-31", "2026-12-31", 248),
    ],
)
def test_counting_working_days(first, last, expected):
    assert CHINA.between(date.fromisoformat(first), date.fromisoformat(last)) == expected


def test_due_at_six_in_shanghai_is_ten_in_utc():
    due = CHINA.due_at(datetime(2025, 3, 3, 2, 0, tzinfo=UTC), working_days=1)
    assert due == Due(datetime(2025, 3, 4, 10, 0, tzinfo=UTC), provisional=False)


@pytest.mark.parametrize(
    ("event", "n", "expected"),
    [
        ("2025-03-03 00:00", 1, "2025-03-04 18:00"),  # the day of the event does not count,
        ("2025-03-03 23:59", 1, "2025-03-04 18:00"),  # at whatever hour it was
        ("2025-09-30 09:00", 5, "2025-10-14 18:00"),
        ("2025-03-03 09:00", 0, "2025-03-03 18:00"),
        ("2025-03-03 18:00", 0, "2025-03-03 18:00"),
        ("2025-03-03 18:01", 0, "2025-03-04 18:00"),  # closed: the next day
        ("2025-10-01 19:00", 0, "2025-10-09 18:00"),
    ],
)
def test_due_days(event, n, expected):
    assert due_local(CHINA.due_at(local(event), working_days=n)) == expected


def test_the_local_date_decides_which_day_an_event_was():
    late_in_utc = datetime(2025, 3, 3, 16, 30, tzinfo=UTC)
    assert CHINA.local_date(late_in_utc) == date(2025, 3, 4)
    assert due_local(CHINA.due_at(late_in_utc, working_days=1)) == "2025-03-05 18:00"


@pytest.mark.parametrize(
    ("event", "hours", "expected"),
    [
        ("2025-03-03 09:00", 3, "2025-03-03 12:00"),  # ends with the morning, not after lunch
        ("2025-03-03 09:00", 4, "2025-03-03 14:00"),
        ("2025-03-03 12:30", 1, "2025-03-03 14:00"),
        ("2025-03-03 10:15", 8, "2025-03-04 10:15"),
        ("2025-03-03 10:15:20", 1, "2025-03-03 11:16"),  # a started minute is not charged
        ("2025-03-03 07:00", 8, "2025-03-03 18:00"),
        ("2025-03-03 20:00", 1, "2025-03-04 10:00"),
        ("2025-03-03 23:59:59", 1, "2025-03-04 10:00"),
        ("2025-09-30 17:00", 2, "2025-10-09 10:00"),
        ("2025-10-05 11:00", 8, "2025-10-09 18:00"),
        ("2025-10-10 17:30", 24, "2025-10-14 17:30"),
    ],
)
def test_due_hours(event, hours, expected):
    assert due_local(CHINA.due_after_hours(local(event), working_hours=hours)) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"working_days": 1}, "2025-03-04 16:24"),  # 80 % of the eight hours
        ({"working_days": 2}, "2025-03-04 18:00"),  # one working day before
        ({"working_days": 5}, "2025-03-07 18:00"),  # both rules agree
        ({"working_days": 10}, "2025-03-13 18:00"),  # 80 %: two days before
        ({"working_days": 20}, "2025-03-25 18:00"),
        ({"working_hours": 2}, "2025-03-03 10:36"),
        ({"working_hours": 8}, "2025-03-03 16:24"),
        ({"working_hours": 16}, "2025-03-03 18:00"),
    ],
)
def test_warning(limit, expected):
    started = local("2025-03-03 09:00")
    due = (
        CHINA.due_at(started, **limit)
        if "working_days" in limit
        else CHINA.due_after_hours(started, **limit)
    )
    assert due_local(Due(CHINA.warn_at(started, due.at, **limit), False)) == expected


def test_warning_before_a_due_time_of_the_same_day():
    warn = CHINA.warn_at(local("2025-03-03 13:00"), local("2025-03-03 18:00"))
    assert warn == local("2025-03-03 17:00")


def test_warning_is_never_before_the_start():
    started = local("2025-03-03 17:50")
    assert CHINA.warn_at(started, local("2025-03-03 18:00"), working_days=1) == started
    after_hours = local("2025-03-03 20:00")
    assert CHINA.warn_at(after_hours, local("2025-03-04 18:00"), working_days=5) == after_hours


def test_a_pause_moves_the_warning_with_the_due_time():
    started = local("2025-03-03 09:00")
    paused = CHINA.due_on(CHINA.add(date(2025, 3, 3), 10 + 4))
    warn = CHINA.warn_at(started, paused.at, working_days=10)
    assert warn == local("2025-03-19 18:00")


@pytest.mark.parametrize(
    ("n", "provisional"),
    [(22, False), (23, False), (24, True)],
)
def test_provisional_from_the_first_unpublished_day(n, provisional):
    # 2026-11-30 is a Monday; 23 working days later it is the last day of the year
    event = local("2026-11-30 09:00")
    assert CHINA.due_at(event, working_days=n).provisional is provisional
    assert CHINA.due_after_hours(event, working_hours=8 * (n + 1)).provisional is provisional


def test_everything_after_publication_is_provisional():
    assert CHINA.due_at(local("2027-05-01 09:00"), working_days=1).provisional
    assert CHINA.due_on(date(2027, 1, 1)).provisional
    assert not CHINA.due_on(date(2026, 12, 31)).provisional


@pytest.mark.parametrize(
    "ask",
    [
        lambda: CHINA.is_working(date(2014, 12, 31)),
        lambda: CHINA.is_working(date(2037, 1, 1)),
        lambda: CHINA.add(date(2036, 12, 31), 1),
        lambda: CHINA.add(date(2025, 1, 1), 10_000),
        lambda: CHINA.between(date(2014, 12, 31), date(2025, 1, 1)),
        lambda: CHINA.between(date(2025, 1, 1), date(2037, 1, 1)),
        lambda: CHINA.due_on(date(2037, 1, 1)),
        lambda: CHINA.local_date(local("2037-01-01 00:00")),
        lambda: CHINA.local_date(datetime.max.replace(tzinfo=UTC)),
        lambda: CHINA.due_at(local("2036-12-31 18:01"), working_days=0),
        lambda: CHINA.due_after_hours(local("2036-12-31 17:01"), working_hours=1),
        lambda: CHINA.warn_at(local("2014-12-31 09:00"), local("2025-01-01 09:00")),
    ],
)
def test_outside_its_range_a_calendar_says_so(ask):
    with pytest.raises(OutOfRange):
        ask()


NAIVE = local("2025-03-03 09:00").replace(tzinfo=None)


@pytest.mark.parametrize(
    ("why", "ask"),
    [
        ("forward", lambda: CHINA.add(date(2025, 1, 1), -1)),
        ("one hour", lambda: CHINA.due_after_hours(local("2025-03-03 09:00"), working_hours=0)),
        ("aware", lambda: CHINA.local_date(NAIVE)),
        ("aware", lambda: CHINA.due_at(NAIVE, working_days=1)),
    ],
)
def test_questions_without_sense_are_refused(why, ask):
    with pytest.raises(ValueError, match=why):
        ask()


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("published_through", {"published_through": date(2037, 1, 1)}),
        ("published_through", {"published_through": date(2014, 12, 31)}),
        ("published_through", {"first_day": date(2027, 1, 1)}),
        ("holidays", {"holidays": [date(2014, 12, 31)]}),
        ("makeup_days", {"makeup_days": [date(2037, 1, 3)]}),
        ("makeup_days", {"makeup_days": [date(2025, 3, 3)]}),  # a Monday is worked anyway
        ("makeup_days", {"holidays": [date(2025, 5, 31)], "makeup_days": [date(2025, 5, 31)]}),
        ("zone", {"zone": "Asia/Nowhere"}),
        ("zone", {"zone": "../etc/passwd"}),
        ("zone", {"zone": "Asia"}),
        ("hours", {"hours": []}),
        ("hours", {"hours": [("09:00",)]}),
        ("hours", {"hours": [("9:00", "18:00")]}),
        ("hours", {"hours": [("09:00", "24:00")]}),
        ("hours", {"hours": [("٠٩:00", "18:00")]}),
        ("hours", {"hours": [("18:00", "09:00")]}),
        ("hours", {"hours": [("09:00", "09:00")]}),
        ("hours", {"hours": [("09:00", "12:00"), ("12:00", "18:00")]}),
        ("hours", {"hours": [("13:00", "18:00"), ("09:00", "12:00")]}),
    ],
)
def test_contradictory_calendars_are_refused(path, changes):
    with pytest.raises(BadCalendar) as refused:
        calendar(**changes)
    assert refused.value.path == path


def test_days_are_sorted_out_by_their_kind():
    kinds = {date(2025, 10, 1): DayKind.HOLIDAY, date(2025, 10, 11): DayKind.MAKEUP}
    assert days_of_kind(kinds, DayKind.HOLIDAY) == {date(2025, 10, 1)}
    assert days_of_kind(kinds, DayKind.MAKEUP) == {date(2025, 10, 11)}


def test_hours_are_minutes_of_the_day():
    assert office_hours([["09:00", "12:00"], ["13:30", "17:59"]]) == ((540, 720), (810, 1079))


def test_close_of_business_is_the_end_of_the_last_span():
    early = calendar(hours=[("08:30", "11:30"), ("13:00", "17:30")])
    assert due_local(early.due_at(local("2025-03-03 09:00"), working_days=1)) == "2025-03-04 17:30"


def test_a_zone_with_summer_time_keeps_its_local_close_of_business():
    berlin = calendar(zone="Europe/Berlin", holidays=[], makeup_days=[])
    friday_in_winter = datetime(2025, 3, 28, 9, 0, tzinfo=UTC)  # clocks change on the 30th
    assert berlin.due_at(friday_in_winter, working_days=0).at.hour == 17
    assert berlin.due_at(friday_in_winter, working_days=1).at.hour == 16
    assert berlin.due_after_hours(friday_in_winter, working_hours=8).at == datetime(
        2025, 3, 31, 8, 0, tzinfo=UTC
    )


def test_a_range_that_begins_with_a_weekend():
    short = calendar(
        first_day=date(2025, 3, 1),
        last_day=date(2025, 3, 4),
        published_through=date(2025, 3, 4),
        holidays=[],
        makeup_days=[],
    )
    assert not short.is_working(date(2025, 3, 1))
    assert short.add(date(2025, 3, 1), 0) == date(2025, 3, 3)
    saturday, monday = local("2025-03-01 09:00"), local("2025-03-03 09:00")
    assert short.due_after_hours(saturday, working_hours=8).at == local("2025-03-03 18:00")
    assert short.warn_at(saturday, monday, working_days=5) == local("2025-03-03 09:01")


def test_the_edges_of_the_range_belong_to_it():
    first, last = date(2025, 3, 3), date(2025, 3, 9)  # Monday to Sunday
    week = {"first_day": first, "last_day": last, "holidays": [first], "makeup_days": [last]}
    unpublished = calendar(**week, published_through=first)
    published = calendar(**week, published_through=last)
    assert unpublished.due_on(last).provisional
    assert not published.due_on(last).provisional
    assert published.between(first, last) == 5
    assert published.add(first, 5) == last


def test_a_calendar_without_a_working_day_has_no_answer():
    saturday, sunday = date(2025, 3, 1), date(2025, 3, 2)
    weekend = calendar(
        first_day=saturday,
        last_day=sunday,
        published_through=sunday,
        holidays=[],
        makeup_days=[],
    )
    assert not weekend.is_working(sunday)
    assert weekend.between(saturday, sunday) == 0
    with pytest.raises(OutOfRange):
        weekend.add(saturday, 0)
