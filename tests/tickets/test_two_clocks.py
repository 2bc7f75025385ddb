"""Moments that two machines write: no answer comes before its question."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import CheckConstraint

from service import worker
from service.applicants.actions.correct import correct_item
from service.applicants.actions.withdraw import withdraw_item
from service.kernel import clock
from service.kernel.db import Base
from service.routing.flow import Verdict
from service.worker import clock_offset, clocks_agree, run_timer
from tests.tickets import invariants
from tests.tickets.acting import DISTRICT, TIMERS
from tests.tickets.racing import ASKED, SHARED

BEHIND = timedelta(minutes=9)
COMPARED = {
    "authorities.revoked_at >= given_at",  # tests/enterprises/test_authorities.py
    "bundle_versions.retired_at >= published_at",  # tests/catalogue/test_publish.py
    "clock_segments.ended_at >= began_at",  # here
    "corrections.answered_at >= asked_at",  # here
    "family_links.ended_at >= created_at",  # here
    "materials.erased_at >= uploaded_at",  # tests/materials/test_own_materials.py
    "offering_versions.retired_at >= published_at",  # tests/catalogue/test_publish.py
    "sessions.expires_at > created_at",  # both by one machine
}


def test_every_check_that_compares_two_moments_has_its_test():
    """Whoever adds such a check says here where it is tried with two clocks."""
    moments = re.compile(r"\b\w+_at\s*[<>]=?\s*\w+_at\b")
    checks = {
        f"{table.name}.{found}"
        for table in Base.metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
        for found in moments.findall(str(check.sqltext))
    }
    assert checks == COMPARED


@pytest.fixture
def returned(walk, world):
    talent = world.talent()
    case = walk("settlement", talent=talent)
    todo = case.one("acceptance")
    clerk = case.somebody(f"{todo.task.role}.{todo.task.department}")
    version = clerk.claim(todo.task.id, at=case.at).version
    clerk.decide(todo.task.id, version, Verdict.RETURN, points=ASKED, at=case.at)
    return talent, case


def test_an_answer_is_not_before_its_question(returned, acting, rows):
    """The clock went back between a return and its answer, or another machine has another."""
    talent, case = returned
    (item,) = case.story.items
    sections = {SHARED: case.body["sections"][SHARED]}
    about = {"item_id": item.id, "version": item.version, "at": case.at - BEHIND}
    acting(talent)(correct_item, sections=sections, **about)
    (correction,) = case.story.corrections
    assert correction.answered_at == correction.asked_at == case.at
    segment = "SELECT began_at, ended_at FROM clock_segments WHERE item_id = %s"
    assert rows(segment, item.id) == [(case.at, case.at)]


def test_what_is_withdrawn_is_not_dropped_before_it_was_asked(returned, acting, rows):
    talent, case = returned
    (item,) = case.story.items
    about = {"item_id": item.id, "version": item.version, "at": case.at - BEHIND}
    acting(talent)(withdraw_item, **about)
    segment = "SELECT began_at, ended_at FROM clock_segments WHERE item_id = %s"
    assert rows(segment, item.id) == [(case.at, case.at)]


def test_a_family_link_does_not_end_before_it_was_made(world, superuser):
    talent = world.talent()
    member = world.child(talent)
    (made,) = superuser.execute(
        "UPDATE family_links SET created_at = created_at + interval '9 minutes'"
        " WHERE member_id = %s RETURNING created_at",
        (member,),
    ).fetchone()
    assert talent._send("delete", f"/v1/me/family/{member}", {}).status_code == 204
    ended = superuser.execute("SELECT ended_at FROM family_links WHERE member_id = %s", (member,))
    assert ended.fetchone() == (made,)


# --- the clock of the worker


@pytest.mark.parametrize("off", [timedelta(days=10), timedelta(seconds=-6), timedelta(seconds=6)])
def test_a_worker_whose_clock_is_off_runs_no_timer(settings, database, monkeypatch, off, caplog):
    """Ten days ahead it would accept in silence what is not due; it says so instead."""
    ran = []
    monkeypatch.setattr(worker, "run_timers", lambda _database: ran.append(True))
    app = worker.build(settings, database)
    run = app.tasks["run_timers"]
    run(timestamp=0)
    assert ran == [True]
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + off)
    run(timestamp=0)
    assert ran == [True]
    (said,) = [record.msg for record in caplog.records if record.name == "worker"]
    assert (said["event"], said["level"]) == ("clock_off", "error")
    assert said["seconds"] == pytest.approx(off.total_seconds(), abs=1)


@pytest.mark.parametrize("off", [timedelta(0), timedelta(seconds=3), timedelta(seconds=-3)])
def test_a_clock_that_is_off_by_little_is_right_enough(database, monkeypatch, off):
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + off)
    assert clocks_agree(database, tolerance=5.0)
    assert not clocks_agree(database, tolerance=1.0) or not off
    assert abs(clock_offset(database) - off.total_seconds()) < 1


def test_what_a_round_does_late_is_dated_so(walk, database):
    """Each ticket has its own moment: none that lies before what has happened to it meanwhile."""
    cases = [walk("settlement") for _ in range(3)]
    begins = max(case.one("acceptance").task.due_at for case in cases) + timedelta(seconds=1)
    moments = iter(begins + timedelta(seconds=number) for number in range(10**6))
    run_timer(database, TIMERS["alarms"], DISTRICT, now=lambda: next(moments))
    accepted = [
        event.at
        for case in cases
        for event in case.story.events
        if event.kind == "item_deemed_accepted"
    ]
    assert len(accepted) == len(cases)
    assert all(one < other for one, other in pairwise(sorted(accepted)))
    assert invariants.check(database, [case.ticket for case in cases]) == len(cases)
