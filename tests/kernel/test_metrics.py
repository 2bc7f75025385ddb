"""What is counted, and who may see it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.kernel import clock, deliveries, events, metrics, subscriptions
from service.kernel.actor import system
from service.kernel.db import Scope
from service.kernel.subscriptions import Inside
from service.subscribers import SUBSCRIPTIONS
from tests.conftest import url_of
from tests.kernel.kinds import TESTED

TOKEN = "a-token-of-some-length"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def watcher(settings, database):
    """A client of an installation that has a token for its metrics."""
    return create_app(replace(settings, metrics_token=TOKEN), database).test_client()


def read(text):
    """Every sample by its name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def look(watcher):
    def at_them():
        answer = watcher.get("/metrics", headers=SHOWN)
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/plain")
        return read(answer.get_data(as_text=True))

    return at_them


def test_by_default_there_is_nothing(client, settings):
    assert settings.metrics_token == ""
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}, SHOWN):
        assert client.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "shown",
    [None, "", "Bearer", "Bearer ", TOKEN, f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer é"],
)
def test_only_who_shows_the_token_sees_them(watcher, shown):
    headers = {} if shown is None else {"Authorization": shown}
    answer = watcher.get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert "talent_" not in answer.get_data(as_text=True)


def test_a_signed_in_person_does_not_see_them(watcher, world):
    answer = watcher.get("/metrics", headers=world.talent().headers)
    assert answer.status_code == 401


def test_requests_are_counted_by_route_and_never_by_path(watcher, look):
    labels = (("method", "GET"), ("route", "/v1/tickets/<uuid:ticket_id>"), ("status", "4xx"))
    counted = ("talent_request_seconds_count", *labels)
    before = look().get(counted, 0)
    for _ in range(3):
        watcher.get(f"/v1/tickets/{uuid4()}")
    watcher.open("/v1/nothing/of/the/kind", method="BREW")
    after = look()
    assert after[counted] == before + 3
    assert after[("talent_request_seconds_sum", *labels)] > 0
    strange = (("method", "other"), ("route", "none"), ("status", "4xx"))
    assert after[("talent_request_seconds_count", *strange)] >= 1
    assert not [key for key in after if "nothing/of" in str(key)]


def test_statements_and_connections_are_counted(database, look):
    before = look()
    with database.transaction(Scope.system("demo")):
        during = look()
    after = look()
    statements = ("talent_sql_statements_total",)
    assert before[statements] < during[statements] < after[statements]
    in_use = ("talent_db_pool_in_use",)
    assert during[in_use] == after[in_use] + 1
    assert after[("talent_db_pool_size",)] >= database.engine.pool.size()


def test_a_pool_is_watched_once(database, look):
    metrics.watch(database)
    before = look()[("talent_sql_statements_total",)]
    with database.transaction(Scope.system("demo")):
        pass
    costs = look()[("talent_sql_statements_total",)] - before
    metrics.watch(database)
    before = look()[("talent_sql_statements_total",)]
    with database.transaction(Scope.system("demo")):
        pass
    assert look()[("talent_sql_statements_total",)] - before == costs


@pytest.fixture
def failing(superuser):
    """A subscriber to `tested` that fails, once."""

    def fail(_session, _event):
        raise ZeroDivisionError

    kinds = frozenset({TESTED.name})
    subscriptions.use([Inside(name="failing", kinds=kinds, handler=fail, tries=1)])
    superuser.execute("TRUNCATE procrastinate_jobs CASCADE")
    yield
    subscriptions.use(SUBSCRIPTIONS)


def tell(database):
    with database.transaction(Scope.system("demo")) as session:
        return events.emit(session, TESTED.name, actor=system("demo"), at=clock.now())


def test_dead_deliveries_are_seen_by_subscriber_until_they_are_sent_again(database, look, failing):
    dead = ("talent_dead_deliveries", ("subscriber", "failing"))
    assert look()[dead] == 0
    event = tell(database)
    deliveries.deliver(database, district="demo", subscriber="failing", events=[str(event)])
    assert look()[dead] == 1
    with database.transaction(Scope.system("demo")) as session:
        deliveries.send_again(session, district="demo")
    assert look()[dead] == 0


def test_the_lag_is_that_of_the_oldest_delivery(database, superuser, look, failing):
    lag = ("talent_outbox_lag_seconds", ("queue", "deliveries"))
    assert look()[lag] == 0
    tell(database)
    superuser.execute("UPDATE procrastinate_events SET at = at - interval '90 seconds'")
    tell(database)
    assert 90 <= look()[lag] < 120
    superuser.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour'")
    assert look()[lag] >= 90, "what waits to be tried again is not delivered"
    superuser.execute("TRUNCATE procrastinate_jobs CASCADE")
    assert look()[lag] == 0


def test_the_timers_lag_grows_where_no_worker_enqueues_them(superuser, look):
    lag = ("talent_timer_lag_seconds",)
    superuser.execute("TRUNCATE procrastinate_periodic_defers")
    assert lag not in look(), "no worker has ever run"
    due = int((clock.now() - timedelta(minutes=7)).timestamp())
    superuser.execute(
        "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp) VALUES (%s, %s)",
        ("run_timers", due),
    )
    assert 420 <= look()[lag] < 450


def test_a_worker_whose_clock_is_ahead_is_seen(superuser, look):
    """By what it enqueued last: an older row, of before its clock was corrected, does not count."""
    ahead, insert = (
        ("talent_worker_clock_ahead_seconds",),
        "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp) VALUES (%s, %s)",
    )
    superuser.execute("TRUNCATE procrastinate_periodic_defers")
    due = int((clock.now() + timedelta(days=10)).timestamp())
    superuser.execute(insert, ("run_timers", due))
    assert 864_000 - 60 <= look()[ahead] <= 864_000
    superuser.execute(insert, ("run_timers", int(clock.now().timestamp()) - 5))
    assert look()[ahead] == 0


def test_a_database_that_is_away_is_said(settings, look):
    from service.runtime import open_database

    away = open_database(replace(settings, database_url="postgresql://a:b@127.0.0.1:1/none"))
    seen = read(metrics.exposition(away, at=clock.now()).decode())
    assert seen[("talent_database_up",)] == 0
    assert ("talent_sql_statements_total",) in seen
    assert look()[("talent_database_up",)] == 1


COUNT = (
    "from service.kernel import metrics;"
    "metrics.observe_request('GET', '/livez', 200, 0.1);"
    "metrics.observe_request('GET', '/only/{name}', 200, 0.1);"
    "print(__import__('os').getpid())"
)
LIVEZ = (("method", "GET"), ("route", "/livez"), ("status", "2xx"))


def test_several_processes_are_counted_together(tmp_path, monkeypatch):
    """As gunicorn's workers do it; those that have ended leave one file for all of them."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    def work(name):
        command = [sys.executable, "-c", COUNT.replace("{name}", name)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(done.stdout)

    def counted():
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return read(generate_latest(registry).decode())

    first, second = work("first"), work("second")
    both = counted()
    assert both["talent_request_seconds_count", *LIVEZ] == 2
    for pid in (first, second, first):
        metrics.forget_process(pid)
        assert {k: v for k, v in counted().items() if "pool" not in k[0]} == {
            k: v for k, v in both.items() if "pool" not in k[0]
        }
    work("third")
    assert counted()["talent_request_seconds_count", *LIVEZ] == 3
    left = sorted(file.name for file in tmp_path.glob("histogram_*"))
    assert len(left) == 2
    assert left[0] == "histogram_0.db"
    assert len(list(tmp_path.glob("gauge_*"))) == 1, "of the one that nobody has buried"
