"""The process's store of built calendars."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from service.calendars.queries import Built
from tests.calendars.notices import calendar

ONE, TWO, THREE = (calendar(version_id=UUID(int=n)) for n in (1, 2, 3))


def test_what_was_not_asked_for_the_longest_goes_first():
    built = Built(limit=2)
    built.keep("demo", ONE)
    built.keep("demo", TWO)
    assert built.find("demo", ONE.version_id) is ONE
    built.keep("demo", THREE)
    assert built.find("demo", ONE.version_id) is ONE
    assert built.find("demo", TWO.version_id) is None
    assert built.find("demo", THREE.version_id) is THREE


def test_districts_do_not_share_calendars():
    built = Built(limit=2)
    built.keep("demo", ONE)
    assert built.find("other", ONE.version_id) is None


def test_keeping_again_takes_no_more_room():
    built = Built(limit=2)
    for kept in (ONE, TWO, TWO, TWO):
        built.keep("demo", kept)
    assert built.find("demo", ONE.version_id) is ONE


def test_many_threads_may_use_it_at_once():
    built = Built(limit=2)

    def use(number: int) -> bool:
        kept = (ONE, TWO, THREE)[number % 3]
        built.keep("demo", kept)
        return built.find("demo", kept.version_id) in {kept, None}

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(5000)))
