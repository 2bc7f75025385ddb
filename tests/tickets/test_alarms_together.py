"""Several tickets in one transaction come to what each comes to by itself, and fail alone."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from service import worker
from service.kernel.db import Scope
from service.kernel.jobs import Queue
from service.tickets import timers
from service.tickets.models.filed import Ticket
from service.tickets.timers import fire_alarms, fire_alarms_together
from service.worker import run_timer
from tests.tickets import invariants
from tests.tickets.acting import DISTRICT, OVERDUE, TIMERS
from tests.tickets.stories import stories
from tests.tickets.walking import A_SECOND, MONDAY

pytestmark = pytest.mark.dated

SILENT = ("settlement", "housing_rent")
WAITING = ("recognition", "settlement", "medical", "purchase_discount")
LATER = MONDAY + timedelta(days=30)


@pytest.fixture
def quiet(database, walk):
    """Whatever the tests before have left undone is done."""
    at = OVERDUE + timedelta(days=365)
    while run_timer(database, TIMERS["alarms"], DISTRICT, now=lambda: at):
        pass


@pytest.fixture
def silent(quiet, walk):
    """So many tickets whose acceptances are overdue later, in the order of their ids."""

    def file(number, *offerings):
        return sorted(walk(*(offerings or SILENT)).ticket for _ in range(number))

    return file


@pytest.fixture
def together(timer):
    """All alarms of some tickets at a moment, in one transaction."""

    def fire(tickets, at=LATER):
        return timer(fire_alarms_together, ticket_ids=tickets, now=lambda: at)

    return fire


def told(database, ticket):
    """What has become of a ticket, without the ids and numbers that are its own."""
    (story,) = stories(database, [ticket])
    offerings = {item.id: item.offering_code for item in story.items}
    own = {"id", "number", "filing_key", "xid", "data"}

    def plain(row):
        values = {
            column.name: getattr(row, column.name)
            for column in row.__table__.columns
            if not column.name.endswith("_id") and column.name not in own
        }
        told = {name: value for name, value in values.items() if not isinstance(value, bytes)}
        return {"of": offerings.get(getattr(row, "item_id", None)), **told}

    def sorted_rows(rows):
        return sorted((plain(row) for row in rows), key=repr)

    events = [
        (event.kind, event.seq, event.at, offerings.get(event.item_id), event.public)
        for event in story.events
    ]
    parts = (story.items, story.edges, story.stages, story.tasks, story.due_changes)
    return plain(story.ticket), events, [sorted_rows(rows) for rows in parts]


@pytest.mark.parametrize("offerings", [SILENT, WAITING])
def test_several_tickets_come_to_what_each_comes_to_by_itself(
    database, silent, timer, together, offerings
):
    """Round after round: silence, then what waited long enough, notices, and what follows."""
    one, two, alone = silent(3, *offerings)
    at, moved = LATER, []
    for _ in range(4):
        moved.append(together([one, two], at))
        assert timer(fire_alarms, ticket_id=alone, at=at) * 2 == moved[-1]
        first, second, by_itself = (told(database, ticket) for ticket in (one, two, alone))
        for part, other, single in zip(first, second, by_itself, strict=True):
            assert part == other == single
        at += timedelta(days=90)
    assert moved[0] >= 4
    assert invariants.check(database, [one, two, alone]) == 3


def test_they_cost_as_many_statements_however_many_there_are(silent, together, sql_count):
    together(silent(2))  # a process that has compiled the definitions
    costs = []
    for number in (2, 12):
        tickets = silent(number)
        with sql_count() as sent:
            assert together(tickets) == 2 * number
        costs.append(sent.total)
    # The scope; tickets, tasks, items, calendar, stages, edges; then written: items, tasks and
    # tickets changed, stages and tasks entered, stages left, due changes; events and their jobs.
    assert costs == [16, 16]


def test_each_is_dated_by_its_own_moment(database, silent, timer):
    tickets = silent(4)
    moments = iter(LATER + number * A_SECOND for number in count())
    timer(fire_alarms_together, ticket_ids=tickets, now=lambda: next(moments))
    closed = [
        {task.closed_at for task in story.tasks if task.deemed}
        for story in sorted(stories(database, tickets), key=lambda story: story.ticket.id)
    ]
    assert [len(one) for one in closed] == [1] * 4
    assert closed == sorted(closed, key=min)
    assert len(set.union(*closed)) == 4


def test_what_somebody_works_on_is_left_out_and_the_others_are_not(database, silent, together):
    tickets = silent(3)
    held = select(Ticket).where(Ticket.id == tickets[1]).with_for_update(key_share=True)
    with database.transaction(Scope.system(DISTRICT)) as session:
        session.execute(held)
        assert together(tickets) == 4
        assert together([tickets[1]]) == 0
    assert together(tickets) == 2


class Killed(BaseException):
    """What no handler of errors sees: the process is gone."""


@pytest.fixture
def spoilt(monkeypatch):
    """Firing fails with one ticket, in the middle of whatever is fired together."""

    def spoil(ticket, error=ZeroDivisionError):
        fire = timers._fire

        def failing(act, tasks):
            moved = fire(act, tasks)
            if act.ticket.id == ticket:
                raise error
            return moved

        monkeypatch.setattr(timers, "_fire", failing)

    return spoil


def test_one_that_fails_takes_no_other_with_it(database, silent, spoilt, monkeypatch, caplog):
    tickets = silent(5)
    before = told(database, tickets[2])
    with monkeypatch.context() as patch:
        spoilt(tickets[2])
        assert run_timer(database, TIMERS["alarms"], DISTRICT, now=lambda: LATER) == 8
        patch.undo()
    assert told(database, tickets[2]) == before
    said = [record.msg for record in caplog.records if record.name == "worker"]
    assert [(one["event"], one.get("tickets"), one.get("ticket")) for one in said] == [
        ("timer_batch_failed", 5, None),
        ("work_failed", None, str(tickets[2])),
    ]
    monkeypatch.undo()
    assert run_timer(database, TIMERS["alarms"], DISTRICT, now=lambda: LATER) == 2
    assert invariants.check(database, tickets) == 5


def test_a_worker_that_is_killed_in_a_batch_leaves_nothing_half_done(
    database, silent, spoilt, monkeypatch
):
    tickets = silent(3)
    before = [told(database, one) for one in tickets]
    spoilt(tickets[1], Killed)
    with pytest.raises(Killed):
        run_timer(database, TIMERS["alarms"], DISTRICT, now=lambda: LATER)
    assert [told(database, one) for one in tickets] == before
    monkeypatch.undo()
    assert run_timer(database, TIMERS["alarms"], DISTRICT, now=lambda: LATER) == 6
    assert invariants.check(database, tickets) == 3


def test_two_workers_at_once_do_nothing_twice(database, silent, wide, threads, monkeypatch):
    """Each begins with the same candidates; batches so small that they meet again and again."""
    monkeypatch.setattr(timers, "TOGETHER", 3)
    tickets = silent(40)
    start = threading.Barrier(4)

    def work():
        start.wait(60)
        return run_timer(wide, TIMERS["alarms"], DISTRICT, now=lambda: LATER)

    moved = [one.result() for one in [threads.submit(work) for _ in range(4)]]
    assert sum(moved) == 80
    assert sum(one > 0 for one in moved) > 1
    for story in stories(database, tickets):
        kinds = [event.kind for event in story.events]
        assert kinds.count("item_deemed_accepted") == len(story.items) == 2
    assert invariants.check(database, tickets) == 40


# --- the runner


def test_several_workers_join_in_and_each_with_one_thread(settings, database, monkeypatch):
    """Of one process one thread fires alarms, whichever of its jobs has begun first."""
    inside, most = [], []

    def fire(*_arguments, **_more):
        inside.append(True)
        most.append(len(inside))
        threading.Event().wait(0.05)
        inside.pop()
        return 0

    monkeypatch.setattr(worker, "run_timer", fire)
    both = [
        threading.Thread(target=work, args=(database,))
        for work in (worker.run_timers, worker.fire_alarms, worker.fire_alarms)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    alarms = len(most) - 1  # the claims that are given back are nobody else's to wait for
    assert alarms == 3
    app = worker.build(settings, database)
    helping = [task for task in app.tasks.values() if task.queue == Queue.ALARMS]
    assert len(helping) == worker.MOST_JOINING
    assert len({task.queueing_lock for task in helping}) == worker.MOST_JOINING
    (lane,) = [lane for lane in worker.LANES if Queue.ALARMS in lane.queues]
    assert lane.concurrency == 1


def test_a_worker_has_a_connection_for_each_of_its_places(settings, monkeypatch):
    opened = []

    class Opened(Exception):
        pass

    def open_(settings):
        opened.append(settings.database_pool)
        raise Opened

    monkeypatch.setattr(worker, "open_database", open_)
    for pool in (1, 50):
        with pytest.raises(Opened):
            worker.run(replace(settings, database_pool=pool))
    assert opened == [worker.CONNECTIONS, 50]


def test_a_worker_gives_way_to_who_is_waited_for(settings, monkeypatch):
    """Once: a worker that was started with less is not given more."""
    given = []

    async def nothing(_app):
        pass

    monkeypatch.setattr(worker, "_work", nothing)
    monkeypatch.setattr(worker.os, "setpriority", lambda *priority: given.append(priority[-1]))
    for before in (0, 19):
        monkeypatch.setattr(worker.os, "getpriority", lambda *_, before=before: before)
        worker.run(settings)
    assert given == [worker.NICENESS, 19]
