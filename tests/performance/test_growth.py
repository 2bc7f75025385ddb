"""Pages are counted for one transaction, the far page is the one that is asked for, and what was
measured leaves nothing behind."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import psycopg
import pytest

from tests.conftest import PASSWORD, url_of
from tests.packs import publish, whole_pack
from tests.performance import growth, growth_report
from tests.performance.growth import DEEP, PAGE, Counting
from tests.performance.operations import FILING, Everybody, a_day
from tests.performance.processes import Processes
from tests.performance.within import through

LIST, BEHIND = "/desk/tasks?", (DEEP - 1) * PAGE


@pytest.fixture
def counting(settings, database_name):
    counted = Counting(settings, url_of("superuser", database_name), Processes({}))
    yield counted
    counted.close()


@pytest.mark.slow
def test_pages_are_those_of_one_transaction(counting, database_name):
    with psycopg.connect(url_of("owner", database_name), autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE paged (filler text STORAGE plain) WITH (autovacuum_enabled = off)"
        )
        owner.execute("INSERT INTO paged SELECT repeat('x', 4000) FROM generate_series(1, 20)")
        owner.execute("GRANT SELECT ON paged TO talent_app")
        assert counting.pages("SELECT 1;") < 1
        assert 10 <= counting.pages("SELECT count(*) FROM paged;") < 11


@pytest.mark.slow
def test_a_filing_that_was_measured_leaves_nothing(app, settings, database, database_name):
    publish(database, whole_pack())
    everybody = Everybody(app.test_client(), PASSWORD)
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as admin:
        counted = Counting(settings, url_of("superuser", database_name), Processes({}))
        pages = []

        def replay(found):
            before = _tickets(admin)
            pages.append(counted.pages(growth.undone(found.script)))
            assert _tickets(admin) == before

        through(_filing_alone(everybody), everybody.client, admin, replay)
        counted.close()
    assert pages[0] > 100


def _filing_alone(everybody):
    step = next(a_day(everybody, 2, clients=False))
    assert step.name == FILING
    yield step


def _tickets(admin):
    return admin.execute("SELECT count(*), max(number) FROM tickets").fetchone()


def _walked(rows):
    """What is asked of a list of so many rows, and how many it says lie before the far page."""
    deep, seen = {}, 0
    steps = growth.deep_page("desk list", LIST, {}, deep)
    step = next(steps)
    asked = [step.requests[-1].path]
    while not step.name:
        limit = int(asked[-1].partition("limit=")[2].partition("&")[0])
        seen = min(seen + limit, rows)
        step = steps.send([{"next": None if seen == rows else f"after-{seen}"}])
        asked.append(step.requests[-1].path)
    far = steps.send([])
    return asked, far.requests[-1].path, deep["desk list"]


def test_the_far_page_is_as_far_as_it_should_be():
    asked, far, before = _walked(rows=BEHIND + 1000)
    assert before == BEHIND
    assert far == f"{LIST}limit={PAGE}&after=after-{BEHIND}"
    assert asked[-1] == f"{LIST}limit={PAGE}"


def test_of_a_short_list_the_far_page_is_the_last_that_is_full():
    _, far, before = _walked(rows=260)
    assert (far, before) == (f"{LIST}limit={PAGE}&after=after-100", 100)
    _, far, before = _walked(rows=99)
    assert (far, before) == (f"{LIST}limit={PAGE}", 0)


def _size(tickets, pages):
    return {
        "rows": {"tickets": tickets},
        "copies": tickets,
        "bytes": 1_000_000_000,
        "seconds": {"copies": 2.0},
        "costs": {
            name: {"pages": many, "cpu_ms": 0.5, "p50_ms": 1.0} for name, many in pages.items()
        },
        "deep": {"desk list": tickets // 10},
    }


REPORT = {
    "commit": "abc",
    "at": "2026-11-27T00:00:00",
    "cores": 2,
    "sizes": [_size(1_000, {"ticket": 20, "claim": 50}), _size(9_000, {"ticket": 26, "claim": 66})],
}


def test_a_ratio_that_is_too_high_stands_out():
    said = growth_report.markdown(REPORT)
    assert "| ticket | 20 | 26 | 1.30 | 0.50 | 0.50 | 1.00 | 1.00 | 1.00 | 1.00 |" in said
    assert "| claim | 50 | 66 | **1.32** |" in said
    assert "| 9,000 | 1.0 | 9,000 | 2 | 4500 |" in said


def test_the_plot_has_a_line_for_each_operation():
    drawn = ET.fromstring(growth_report.plot(REPORT))
    lines = drawn.findall("{*}polyline")
    named = {text.text for text in drawn.findall("{*}text")}
    assert len(lines) == 2
    assert {"ticket", "claim", "1,000", "9,000"} <= named
    assert all(len(line.get("points").split()) == 2 for line in lines)
