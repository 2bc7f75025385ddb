"""Calendars in the database: versions, the seed, and how few statements a read takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from service.calendars import actions, queries
from service.calendars.actions import publish_calendar, seed_calendar
from service.calendars.models import Calendar, CalendarDay
from service.calendars.queries import calendar_for
from service.calendars.rules import DEFAULT_HOURS, DayKind
from service.calendars.vocabulary import CalendarPublished
from service.kernel.actor import system
from service.kernel.db import District, Scope
from service.kernel.errors import Invalid
from tests.calendars.notices import CHINA

AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
OFFICE = system("demo")
ZONE = "Asia/Shanghai"
CODE = "office"  # not the code of the calendar that the demonstration may have


def publish(session, **changes):
    parts = {
        "code": CODE,
        "zone": ZONE,
        "hours": DEFAULT_HOURS,
        "holidays": {date(2026, 10, 1), date(2026, 10, 2)},
        "makeup_days": {date(2026, 10, 10)},
        "published_through": date(2026, 12, 31),
        "at": AT,
    }
    return publish_calendar(session, OFFICE, **parts | changes)


def count(session, model) -> int:
    return session.scalar(select(func.count()).select_from(model))


def test_a_published_calendar_can_be_asked(session):
    row = publish(session)
    calendar = calendar_for(session, "demo", code=CODE)
    assert (row.version, row.published_at) == (1, AT)
    assert (calendar.version_id, calendar.zone.key) == (row.id, ZONE)
    assert (calendar.first_day, calendar.last_day) == (date(2008, 1, 1), date(2046, 12, 31))
    assert calendar.add(date(2026, 9, 30), 1) == date(2026, 10, 5)
    assert calendar.is_working(date(2026, 10, 10))
    assert calendar.due_at(AT, working_days=1).at == datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


def test_publishing_the_same_again_changes_nothing(session):
    publish(session)
    rows = count(session, Calendar), count(session, CalendarDay)
    later = AT + timedelta(days=1)
    assert publish(session, hours=[["09:00", "12:00"], ["13:00", "18:00"]], at=later) is None
    assert (count(session, Calendar), count(session, CalendarDay)) == rows


def test_a_publication_is_told_once(session, monkeypatch):
    told = []
    monkeypatch.setattr(actions, "emit", lambda _session, kind, **what: told.append((kind, what)))
    row = publish(session)
    publish(session)
    published = CalendarPublished(calendar=row.id, code=CODE, version=1)
    assert told == [("calendar.published", {"actor": OFFICE, "at": AT, "data": published})]


@pytest.mark.parametrize(
    "changes",
    [
        {"hours": [("08:30", "17:00")]},
        {"holidays": {date(2026, 10, 1)}},
        {"makeup_days": set()},
        {"holidays": {date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 10)}, "makeup_days": ()},
        {"published_through": date(2027, 12, 31)},
    ],
)
def test_a_change_is_a_new_version_and_the_old_one_stays(session, changes):
    first = publish(session)
    second = publish(session, **changes)
    assert (first.version, second.version) == (1, 2)
    assert calendar_for(session, "demo", code=CODE).version_id == second.id
    assert queries.days_of(session, first) == {
        date(2026, 10, 1): DayKind.HOLIDAY,
        date(2026, 10, 2): DayKind.HOLIDAY,
        date(2026, 10, 10): DayKind.MAKEUP,
    }


def test_calendars_of_several_codes_stand_side_by_side(session):
    first, other = publish(session), publish(session, code="court", hours=[("10:00", "16:00")])
    assert (first.version, other.version) == (1, 1)
    assert calendar_for(session, "demo", code=CODE).version_id == first.id
    assert calendar_for(session, "demo", code="court").version_id == other.id


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("zone", {"zone": "Asia/Nowhere"}),
        ("zone", {"zone": "Asia/Urumqi"}),  # a zone, and not the district's
        ("hours", {"hours": []}),
        ("holidays", {"holidays": {date(2007, 12, 31)}}),
        ("makeup_days", {"makeup_days": {date(2026, 10, 12)}}),
        ("published_through", {"published_through": date(2007, 12, 31)}),
    ],
)
def test_a_contradictory_calendar_is_refused_and_nothing_written(session, path, changes):
    before = count(session, Calendar)
    with pytest.raises(Invalid) as refused:
        publish(session, **changes)
    assert [error.path for error in refused.value.errors] == [path]
    assert count(session, Calendar) == before


def test_the_database_refuses_a_version_twice(session):
    row = publish(session)
    parts = ("district_id", "code", "zone", "hours", "first_day", "last_day", "published_through")
    session.add(
        Calendar(version=1, published_at=AT, **{part: getattr(row, part) for part in parts})
    )
    with pytest.raises(IntegrityError, match="uq_calendars"):
        session.flush()


def test_the_database_refuses_a_day_twice(session):
    row = publish(session)
    day = {"district_id": "demo", "calendar_id": row.id, "day": date(2026, 10, 1)}
    session.add(CalendarDay(kind=DayKind.MAKEUP, **day))
    with pytest.raises(IntegrityError, match="uq_calendar_days"):
        session.flush()


def test_a_missing_calendar_is_named(session):
    with pytest.raises(LookupError, match="nowhere"):
        calendar_for(session, "demo", code="nowhere")


def test_two_statements_to_build_and_one_from_then_on(session, sql_count):
    publish(session)
    with sql_count() as first:
        built = calendar_for(session, "demo", code=CODE)
    with sql_count() as second:
        assert calendar_for(session, "demo", code=CODE) is built
    assert (first.total, second.total) == (2, 1)


def test_publishers_at_the_same_time_wait_for_each_other(database):
    def publish_alone(number: int) -> int:
        with database.transaction(Scope.system("demo")) as session:
            holiday = date(2026, 1, 1) + timedelta(days=number)
            return publish(session, code="crowded", holidays={holiday}).version

    with ThreadPoolExecutor(8) as threads:
        versions = list(threads.map(publish_alone, range(16)))
    assert sorted(versions) == list(range(1, 17))


def test_the_seed_agrees_with_the_notices(session):
    row = seed_calendar(session, OFFICE, code=CODE, at=AT)
    assert row.published_through >= date(2026, 12, 31)
    calendar = calendar_for(session, "demo", code=CODE)
    for number in range(2 * 365):
        day = date(2025, 1, 1) + timedelta(days=number)
        assert calendar.is_working(day) == CHINA.is_working(day), day


def test_the_seed_reaches_ten_years_either_way_and_is_provisional_where_unpublished(session):
    row = seed_calendar(session, OFFICE, code=CODE, at=AT)
    calendar = calendar_for(session, "demo", code=CODE)
    assert calendar.first_day <= date(2016, 1, 1)
    assert calendar.last_day >= date(2036, 12, 31)
    after = datetime(row.published_through.year + 1, 1, 4, 3, 0, tzinfo=UTC)
    assert calendar.due_at(after, working_days=1).provisional
    assert not calendar.is_working(date(row.published_through.year + 1, 10, 1))


def test_seeding_again_changes_nothing(session):
    assert seed_calendar(session, OFFICE, code=CODE, at=AT).version == 1
    assert seed_calendar(session, OFFICE, code=CODE, at=AT + timedelta(days=400)) is None


def test_the_seed_takes_the_zone_and_the_hours_of_the_district(session):
    """A district that moves to another zone has one date again with its next calendar."""
    first = seed_calendar(session, OFFICE, code=CODE, at=AT)
    district = session.get_one(District, "demo")
    district.settings = {**district.settings, "zone": "Asia/Urumqi"}
    session.flush()
    hours = [["10:00", "14:00"], ["15:30", "19:30"]]
    second = seed_calendar(session, OFFICE, code=CODE, at=AT, hours=hours)
    assert (second.version, second.zone, second.hours) == (2, "Asia/Urumqi", hours)
    assert queries.days_of(session, second) == queries.days_of(session, first)
    assert seed_calendar(session, OFFICE, code=CODE, at=AT, hours=hours) is None
    with pytest.raises(Invalid):
        publish(session)


def test_the_seed_carries_on_what_the_district_has_published(session):
    own = publish(
        session,
        holidays={date(2025, 9, 1), date(2026, 9, 1)},
        makeup_days=set(),
        published_through=date(2025, 12, 31),
    )
    seeded = seed_calendar(session, OFFICE, code=CODE, at=AT)
    days = queries.days_of(session, seeded)
    assert seeded.version == own.version + 1
    assert [day for day in days if day.year <= 2025] == [date(2025, 9, 1)]
    assert date(2026, 9, 1) not in days  # a guess, which the notice has replaced
    assert days[date(2026, 10, 10)] is DayKind.MAKEUP


def test_the_seed_takes_nothing_back_from_a_district_that_is_ahead_of_it(session):
    own = publish(session, published_through=date(2040, 12, 31), holidays={date(2040, 3, 1)})
    seed_calendar(session, OFFICE, code=CODE, at=AT)
    newest = queries.newest_version(session, "demo", code=CODE)
    assert newest.published_through == date(2040, 12, 31)
    kept = queries.days_of(session, own).items()
    assert kept <= queries.days_of(session, newest).items()
