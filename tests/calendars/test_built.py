"""A process builds each version of a calendar once, and keeps a bounded number of them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import NoResultFound

from service.calendars.models import Calendar
from service.calendars.queries import built, calendar_of
from tests.calendars.notices import CHINA


class Rows:
    """A session of one district that finds these versions, none of which has holidays."""

    def __init__(self, district, *versions):
        self.district, self.versions = district, versions
        self.read = Counter()

    def get_one(self, _model, key):
        district, version_id = key
        if district != self.district or version_id not in self.versions:
            raise NoResultFound
        self.read[version_id] += 1
        return Calendar(
            district_id=district,
            id=version_id,
            zone=str(CHINA.zone),
            hours=[["09:00", "17:00"]],
            first_day=CHINA.first_day,
            last_day=CHINA.last_day,
            published_through=CHINA.published_through,
        )

    def execute(self, _statement):
        return self

    def all(self):
        return []


def test_a_version_is_read_and_built_once():
    version = uuid4()
    rows = Rows("demo", version)
    first = calendar_of(rows, "demo", version)
    assert first.version_id == version
    assert calendar_of(rows, "demo", version) is first
    assert rows.read == {version: 1}


def test_districts_do_not_share_calendars():
    version = uuid4()
    calendar_of(Rows("demo", version), "demo", version)
    with pytest.raises(NoResultFound):
        calendar_of(Rows("other"), "other", version)


def test_what_was_not_asked_for_the_longest_goes_first():
    first, second, *more = (UUID(int=number) for number in range(int(built.maxsize) + 1))
    rows = Rows("demo", first, second, *more)
    for version in (first, second, *more[:-1], first, more[-1]):
        calendar_of(rows, "demo", version)
    assert len(built) == built.maxsize
    for version in (first, second):
        calendar_of(rows, "demo", version)
    assert (rows.read[first], rows.read[second]) == (1, 2)


def test_many_threads_may_use_it_at_once():
    versions = [uuid4() for _ in range(3 * int(built.maxsize))]
    rows = Rows("demo", *versions)

    def use(number: int) -> bool:
        version = versions[number % len(versions)]
        return calendar_of(rows, "demo", version).version_id == version

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(2000)))
    assert len(built) == built.maxsize
