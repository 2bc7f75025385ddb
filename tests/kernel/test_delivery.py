"""Events are delivered at least once and handled exactly once, and a delivery ends."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from procrastinate.jobs import Job
from sqlalchemy import select, text

from service import worker
from service.kernel import audit, clock, deliveries, events, jobs, subscriptions
from service.kernel.actor import system
from service.kernel.audit import AuditEntry
from service.kernel.db import Scope
from service.kernel.deliveries import DeadDelivery, HandledEvent
from service.kernel.events import Event
from service.kernel.jobs import Queue
from service.kernel.subscriptions import TRIES, Inside, Outbound, wait_after
from service.kernel.vocabulary import UnregisteredKind
from service.notifications.models import Notice
from service.subscribers import SUBSCRIPTIONS
from tests.conftest import url_of
from tests.kernel.kinds import OTHER, TESTED

DEMO = Scope.system("demo")


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def no_jobs(superuser):
    """Whatever others have left in the queue is gone."""
    superuser.execute("TRUNCATE procrastinate_jobs, dead_deliveries CASCADE")


def queued(superuser):
    """The deliveries; the timers of a worker that runs stand in the same table."""
    return superuser.execute(
        "SELECT args, status FROM procrastinate_jobs WHERE task_name = 'deliver' ORDER BY id"
    ).fetchall()


def tell(session, kind=TESTED, **more):
    return events.emit(session, kind.name, actor=system("demo"), at=clock.now(), **more)


def seen(database, model, *conditions):
    with database.transaction(DEMO) as session:
        return session.scalars(select(model).where(*conditions)).all()


@pytest.fixture
def subscribe():
    """A table of subscribers to the kind `tested` instead of the real one."""

    def put(*handlers, tries=TRIES):
        kinds = frozenset({TESTED.name})
        return subscriptions.use(
            Inside(name=handler.__name__, kinds=kinds, handler=handler, tries=tries)
            for handler in handlers
        )

    yield put
    subscriptions.use(SUBSCRIPTIONS)


@pytest.fixture
def send():
    """The same with one subscriber whose effect is outside."""

    def put(handler, **more):
        kinds = frozenset({TESTED.name})
        return subscriptions.use([Outbound(name="sent", kinds=kinds, handler=handler, **more)])

    yield put
    subscriptions.use(SUBSCRIPTIONS)


def deliver(database, *told, **more):
    deliveries.deliver(database, district="demo", events=[str(one) for one in told], **more)


def test_an_event_is_handled_once_however_often_it_is_delivered(database, subscribe):
    had = []

    def first(_session, event):
        had.append(("first", event.id))

    def second(_session, event):
        had.append(("second", event.id))

    subscribe(first, second)
    with database.transaction(DEMO) as session:
        one, two = tell(session), tell(session)
    deliver(database, two, one)
    deliver(database, one, two)
    assert had == [("first", one), ("first", two), ("second", one), ("second", two)]


def test_an_event_of_another_kind_or_district_is_nobodys(database, subscribe):
    had = []

    def keen(_session, event):
        had.append(event.id)

    subscribe(keen)
    with database.transaction(DEMO) as session:
        other = tell(session, OTHER)
        ours = tell(session)
    deliver(database, other, uuid4(), subscriber="keen")
    deliveries.deliver(database, district="elsewhere", events=[str(ours)], subscriber="keen")
    assert had == []


def test_a_handler_that_fails_leaves_nothing_and_gets_the_event_again(database, subscribe):
    subject, failures = uuid4(), [ZeroDivisionError()]
    had = []

    def earlier(_session, _event):
        had.append("earlier")

    def failing(session, event):
        audit.record(session, "half", actor=system("demo"), at=clock.now(), subject=subject)
        tell(session, OTHER)
        if failures:
            raise failures.pop()

    subscribe(earlier, failing)
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    with pytest.raises(ZeroDivisionError):
        deliver(database, event_id)
    assert seen(database, AuditEntry, AuditEntry.subject == subject) == []
    assert len(seen(database, HandledEvent, HandledEvent.event_id == event_id)) == 1
    deliver(database, event_id)
    assert len(seen(database, AuditEntry, AuditEntry.subject == subject)) == 1
    assert len(seen(database, HandledEvent, HandledEvent.event_id == event_id)) == 2
    assert had == ["earlier"]


def test_two_workers_with_the_same_event_handle_it_once(database, subscribe):
    subject = uuid4()
    begin = threading.Barrier(4)

    def slow(session, _event):
        audit.record(session, "slow", actor=system("demo"), at=clock.now(), subject=subject)
        session.execute(text("SELECT pg_sleep(0.05)"))

    subscribe(slow)
    with database.transaction(DEMO) as session:
        event_id = tell(session)

    def work(_):
        begin.wait()
        deliver(database, event_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(seen(database, AuditEntry, AuditEntry.subject == subject)) == 1


def test_an_event_whose_handler_is_lost_to_a_crash_is_done_by_the_next_worker(database, subscribe):
    """What a killed worker leaves is an open transaction that the server rolls back."""
    had = []

    def keen(_session, event):
        had.append(event.id)

    subscribe(keen)
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    crashed = database.open(DEMO)
    event = crashed.scalars(select(Event).where(Event.id == event_id)).one()
    assert deliveries.first_time(crashed, event, subscriber="keen", at=clock.now())
    crashed.close()
    deliver(database, event_id, subscriber="keen")
    deliver(database, event_id, subscriber="keen")
    assert had == [event_id]


def test_the_real_subscribers_tell_the_applicant_once(database, superuser, no_jobs, world):
    ticket = world.ticket()
    ((arguments, _),) = queued(superuser)
    for _ in range(3):
        deliveries.deliver(database, **arguments)
    (notice,) = seen(database, Notice, Notice.ticket_id == ticket["id"])
    assert notice.kind == "ticket_filed"


# --- outside of a transaction ---------------------------------------------------------------


def in_a_transaction(superuser) -> int:
    """How many connections of the application are in a transaction right now."""
    return superuser.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'talent' AND state LIKE 'idle in transaction%'"
    ).fetchone()[0]


def test_what_is_sent_out_is_sent_outside_of_any_transaction(database, superuser, send):
    had = []
    send(lambda event: had.append((event.id, in_a_transaction(superuser))))
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    deliver(database, event_id, subscriber="sent")
    deliver(database, event_id, subscriber="sent")
    assert had == [(event_id, 0)]


def test_what_could_not_be_sent_out_is_sent_again(database, send):
    failures, had = [ZeroDivisionError()], []

    def handler(event):
        if failures:
            raise failures.pop()
        had.append(event.id)

    send(handler)
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    with pytest.raises(ZeroDivisionError):
        deliver(database, event_id, subscriber="sent")
    deliver(database, event_id, subscriber="sent")
    assert had == [event_id]


# --- tries that end -------------------------------------------------------------------------


def dead(database):
    return [
        (one.subscriber, one.event_id, one.ticket_id, one.tries, one.cause)
        for one in seen(database, DeadDelivery)
    ]


def test_the_waits_grow_and_take_about_a_day():
    waits = [wait_after(attempts) for attempts in range(TRIES - 1)]
    assert waits[:3] == [timedelta(seconds=4), timedelta(seconds=8), timedelta(seconds=16)]
    assert waits == sorted(waits)
    assert timedelta(hours=18) < sum(waits, timedelta()) < timedelta(hours=30)


def test_a_delivery_dies_with_its_last_try_and_not_before(database, subscribe, no_jobs):
    def failing(_session, _event):
        raise ZeroDivisionError("never to be stored")

    subscribe(failing, tries=3)
    ticket = uuid4()
    with database.transaction(DEMO) as session:
        event_id = tell(session, ticket_id=ticket)
    for attempts in range(2):
        with pytest.raises(ZeroDivisionError):
            deliver(database, event_id, subscriber="failing", attempts=attempts)
    assert dead(database) == []
    for _ in range(2):
        deliver(database, event_id, subscriber="failing", attempts=2)
    assert dead(database) == [("failing", event_id, ticket, 3, "ZeroDivisionError")]


def test_only_what_failed_dies(database, subscribe, no_jobs):
    had, broken = [], set()

    def failing(_session, event):
        if event.id in broken:
            raise ZeroDivisionError
        had.append(event.id)

    subscribe(failing, tries=1)
    with database.transaction(DEMO) as session:
        one, two, three = (tell(session) for _ in range(3))
    broken.add(two)
    deliver(database, one, two, three, subscriber="failing")
    assert had == [one, three]
    assert [row[1] for row in dead(database)] == [two]


def test_a_delivery_that_kills_every_worker_dies_too(database, subscribe, no_jobs):
    """Then the job comes back with all its tries spent, and nothing says why."""
    had = []

    def deadly(_session, event):
        had.append(event.id)

    subscribe(deadly, tries=2)
    with database.transaction(DEMO) as session:
        one, two = tell(session), tell(session)
    deliver(database, one, subscriber="deadly")
    deliver(database, one, two, subscriber="deadly", attempts=2)
    assert had == [one]
    assert dead(database) == [("deadly", two, None, 2, "TriesEnded")]


def test_a_job_of_a_subscriber_that_is_not_there_waits_for_it_and_then_dies(
    database, subscribe, no_jobs
):
    subscribe()
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    with pytest.raises(deliveries.UnknownSubscriber):
        deliver(database, event_id, subscriber="of another release")
    deliver(database, event_id, subscriber="of another release", attempts=TRIES - 1)
    assert dead(database) == [("of another release", event_id, None, TRIES, "UnknownSubscriber")]


def test_dead_deliveries_are_sent_again_in_order(database, superuser, subscribe, no_jobs):
    works = []
    had = []

    def failing(_session, event):
        if not works:
            raise ZeroDivisionError
        had.append(event.id)

    subscribe(failing, tries=1)
    ticket = uuid4()
    with database.transaction(DEMO) as session:
        one, two = (tell(session, ticket_id=ticket) for _ in range(2))
    deliver(database, one, two, subscriber="failing")
    works.append(True)
    superuser.execute("TRUNCATE procrastinate_jobs CASCADE")
    with database.transaction(DEMO) as session:
        assert deliveries.send_again(session, district="demo", subscriber="another") == 0
        assert deliveries.send_again(session, district="demo", delivery_id=uuid4()) == 0
        assert len(deliveries.dead_deliveries(session, district="demo")) == 2
        assert deliveries.send_again(session, district="demo", subscriber="failing") == 2
    ((arguments, status),) = queued(superuser)
    assert (arguments["subscriber"], status) == ("failing", "todo")
    deliveries.deliver(database, **arguments)
    assert had == [one, two]
    assert dead(database) == []


def test_dead_deliveries_of_another_district_are_not_seen(database, subscribe, no_jobs):
    def failing(_session, _event):
        raise ZeroDivisionError

    subscribe(failing, tries=1)
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    deliver(database, event_id, subscriber="failing")
    with database.transaction(Scope.system("elsewhere")) as session:
        assert deliveries.dead_deliveries(session, district="demo") == []
        assert deliveries.send_again(session, district="demo") == 0


# --- the runner -----------------------------------------------------------------------------


def run_worker(settings, database):
    """Work until the queue is empty."""
    with worker.build(settings, database).open() as app:
        app.run_worker(wait=False, install_signal_handlers=False, delete_jobs="always")


def no_waiting(superuser):
    """What waits to be tried again is due now."""
    superuser.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")


def test_the_runner_delivers_and_forgets_the_job(settings, database, superuser, no_jobs, world):
    talent = world.talent()
    ticket = world.ticket(talent)
    run_worker(settings, database)
    assert queued(superuser) == []
    told = talent.get("/v1/notices").json
    assert [notice["ticket"] for notice in told["items"]] == [ticket["id"]]
    assert told["unread"] == {"value": 1, "exact": True}


def test_the_runner_tries_again_what_failed(settings, database, superuser, no_jobs, subscribe):
    failures, had = [ZeroDivisionError()], []

    def failing(_session, event):
        if failures:
            raise failures.pop()
        had.append(event.id)

    subscribe(failing)
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    run_worker(settings, database)
    ((_, status),) = queued(superuser)
    assert status == "todo"
    assert had == []
    again = superuser.execute("SELECT attempts FROM procrastinate_jobs").fetchone()
    assert again == (1,)
    no_waiting(superuser)
    run_worker(settings, database)
    assert had == [event_id]
    assert queued(superuser) == []


def test_a_failing_subscriber_holds_up_nobody(settings, database, superuser, no_jobs, subscribe):
    """Neither its siblings, nor itself with what happens to the same ticket later."""
    had = []
    poison = set()

    def failing(_session, event):
        if event.id in poison:
            raise ZeroDivisionError
        had.append(("failing", event.id))

    def sibling(_session, event):
        had.append(("sibling", event.id))

    subscribe(failing, sibling, tries=3)
    ticket = uuid4()
    with database.transaction(DEMO) as session:
        first = tell(session, ticket_id=ticket)
    poison.add(first)
    run_worker(settings, database)
    assert had == [("sibling", first)]
    with database.transaction(DEMO) as session:
        second = tell(session, ticket_id=ticket)
    run_worker(settings, database)
    assert had == [("sibling", first), ("failing", second), ("sibling", second)]
    ((arguments, _),) = queued(superuser)
    assert arguments["events"] == [str(first)]
    for _ in range(2):
        no_waiting(superuser)
        run_worker(settings, database)
    assert queued(superuser) == []
    assert dead(database) == [("failing", first, ticket, 3, "ZeroDivisionError")]
    poison.clear()
    with database.transaction(DEMO) as session:
        assert deliveries.send_again(session, district="demo") == 1
    run_worker(settings, database)
    assert had[3:] == [("failing", first)]
    assert (queued(superuser), dead(database)) == ([], [])


def test_a_subscriber_has_what_happened_to_a_ticket_in_order(
    settings, database, superuser, no_jobs, subscribe
):
    had = []

    def slow(session, event):
        session.execute(text("SELECT pg_sleep(0.01)"))
        had.append(event.id)

    subscribe(slow)
    ticket, told = uuid4(), []
    for _ in range(6):
        with database.transaction(DEMO) as session:
            told.append(tell(session, ticket_id=ticket))
    with ThreadPoolExecutor(2) as pool:
        while queued(superuser):
            list(pool.map(lambda _: run_worker(settings, database), range(2)))
    assert had == told


def test_jobs_of_the_release_before_are_delivered(
    settings, database, superuser, no_jobs, subscribe
):
    """They name no subscriber, and stand in another queue."""
    had = []

    def keen(_session, event):
        had.append(event.id)

    subscribe(keen)
    with database.transaction(DEMO) as session:
        event_id = tell(session)
        superuser.execute("TRUNCATE procrastinate_jobs CASCADE")
    superuser.execute("TRUNCATE procrastinate_jobs CASCADE")
    old = Job(
        task_name=jobs.DELIVER,
        queue="default",
        lock="a ticket",
        queueing_lock=None,
        task_kwargs={"district": "demo", "events": [str(event_id)]},
    )
    with database.transaction(DEMO) as session:
        jobs.enqueue(session, [old])
    run_worker(settings, database)
    assert had == [event_id]
    assert queued(superuser) == []


def test_every_queue_is_served_and_none_with_the_timers():
    served = [queue for lane in worker.LANES for queue in lane.queues]
    assert set(Queue) <= set(served)
    assert len(served) == len(set(served))
    assert (Queue.TIMERS,) in [lane.queues for lane in worker.LANES]


def test_nothing_is_announced(database, superuser, no_jobs, subscribe):
    """Transactions that announce something commit one after another, in the whole server."""

    def keen(_session, _event):
        pass

    subscribe(keen)
    channel = "procrastinate_any_queue_v1"
    superuser.execute(f"LISTEN {channel}")
    with database.transaction(DEMO) as session:
        tell(session)
    assert len(queued(superuser)) == 1
    superuser.execute(f"NOTIFY {channel}, 'of this test'")
    (told,) = superuser.notifies(timeout=10, stop_after=1)
    superuser.execute(f"UNLISTEN {channel}")
    assert told.payload == "of this test"


def test_a_worker_without_work_finds_what_comes(
    settings, database, no_jobs, subscribe, monkeypatch
):
    """It looks by itself, and finds what was enqueued after it had found nothing."""
    had = threading.Event()

    def keen(_session, _event):
        had.set()

    subscribe(keen)
    lane = next(one for one in worker.LANES if Queue.DELIVERIES in one.queues)
    monkeypatch.setattr(worker, "LOOKING_SECONDS", 0.01)

    async def work() -> tuple[bool, bool]:
        async with worker.build(settings, database).open_async() as app:
            serving = asyncio.create_task(worker.serve(app, lane))
            before = await asyncio.to_thread(had.wait, 0.5)
            with database.transaction(DEMO) as session:
                tell(session)
            after = await asyncio.to_thread(had.wait, 10)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            return before, after

    assert asyncio.run(work()) == (False, True)


def test_timers_do_not_wait_for_deliveries(
    settings, database, superuser, no_jobs, subscribe, monkeypatch
):
    """Every place of the deliveries' lane is taken, and more of them wait before the timers."""
    go_on, held, ran = threading.Event(), threading.Semaphore(0), threading.Event()

    def stuck(_session, _event):
        held.release()
        go_on.wait(20)

    subscribe(stuck)
    monkeypatch.setattr(worker, "run_timers", lambda _database: ran.set())
    with database.transaction(DEMO) as session:
        for _ in range(8):
            tell(session, ticket_id=uuid4())
    timers = [lane for lane in worker.LANES if Queue.TIMERS in lane.queues]
    others = [lane for lane in worker.LANES if lane not in timers]
    (places,) = [lane.concurrency for lane in others if Queue.DELIVERIES in lane.queues]

    async def work() -> tuple[bool, bool, int]:
        async with worker.build(settings, database).open_async() as app:
            lanes = [asyncio.create_task(worker.serve(app, lane)) for lane in others]
            taken = [await asyncio.to_thread(held.acquire, timeout=10) for _ in range(places)]
            lanes += [asyncio.create_task(worker.serve(app, lane)) for lane in timers]
            in_time = await asyncio.to_thread(ran.wait, 10)
            waiting = len(queued(superuser))
            go_on.set()
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            return all(taken), in_time, waiting

    assert asyncio.run(work()) == (True, True, 8)


def test_a_timer_that_fails_leaves_no_job(settings, database, superuser, no_jobs, monkeypatch):
    ran = threading.Event()

    def fail(_database):
        ran.set()
        raise ZeroDivisionError

    monkeypatch.setattr(worker, "run_timers", fail)
    timers = next(lane for lane in worker.LANES if Queue.TIMERS in lane.queues)

    async def work() -> None:
        async with worker.build(settings, database).open_async() as app:
            await app.configure_task("run_timers").defer_async(timestamp=0)
            lane = asyncio.create_task(worker.serve(app, timers))
            assert await asyncio.to_thread(ran.wait, 10)
            lane.cancel()
            await asyncio.gather(lane, return_exceptions=True)

    asyncio.run(work())
    failed = "SELECT count(*) FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing')"
    assert superuser.execute(failed).fetchone() == (0,)
    left = "SELECT count(*) FROM procrastinate_jobs WHERE args = '{\"timestamp\": 0}'"
    assert superuser.execute(left).fetchone() == (0,)


def test_the_timers_run_in_every_district(database):
    worker.run_timers(database)
    worker.run_timers(database)


def test_what_a_dead_worker_had_begun_is_taken_up_again(settings, database, superuser, no_jobs):
    """Its delivery goes back to the queue; its timer, whose next run waits there, is dropped."""
    insert = (
        "INSERT INTO procrastinate_jobs"
        " (queue_name, task_name, status, lock, queueing_lock, attempts, args)"
        " VALUES ('default', %s, %s, %s, %s, %s, '{}') RETURNING id"
    )
    superuser.execute(insert, ("run_timers", "doing", "run_timers", "run_timers", 0))
    superuser.execute(insert, ("run_timers", "todo", "run_timers", "run_timers", 0))
    superuser.execute(insert, ("deliver", "doing", "one", None, 0))
    (again,) = superuser.execute(insert, ("deliver", "doing", "another", None, 3)).fetchone()

    async def retry() -> None:
        async with worker.build(settings, database).open_async() as app:
            await worker.retry_stalled(app)

    asyncio.run(retry())
    left = "SELECT task_name, status::text, lock FROM procrastinate_jobs ORDER BY id"
    assert superuser.execute(left).fetchall() == [
        ("run_timers", "todo", "run_timers"),
        ("deliver", "todo", "one"),
        ("deliver", "todo", f"retry:{again}"),
    ], "what has failed before is waited for by nothing"


# --- the table ------------------------------------------------------------------------------


@pytest.mark.parametrize("tries", [(1, 2), (0,)])
def test_a_table_with_a_name_twice_or_without_a_try_is_refused(tries):
    kinds = frozenset({TESTED.name})
    same = [Inside(name="same", kinds=kinds, handler=print, tries=most) for most in tries]
    before = subscriptions.in_use()
    with pytest.raises(ValueError, match="same"):
        subscriptions.use(same)
    assert subscriptions.in_use() is before


def test_nobody_subscribes_to_a_kind_that_is_not_registered():
    with pytest.raises(UnregisteredKind):
        subscriptions.use([Inside(name="one", kinds=frozenset({"nothing"}), handler=print)])


def test_the_names_are_those_that_are_stored():
    """Never to be changed: `handled_events` and jobs refer to them."""
    assert [one.name for one in SUBSCRIPTIONS] == [
        "applicant_notices",
        "claims_given_back",
        "erased_contents",
    ]
