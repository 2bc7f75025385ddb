"""`talent deliveries`: what is dead is listed, and sent again."""

from __future__ import annotations

import psycopg
import pytest
from click.testing import CliRunner

from service.cli import main
from service.kernel import clock, deliveries, events
from service.kernel.actor import system
from service.kernel.db import Scope
from service.kernel.ids import new_id
from service.kernel.subscriptions import TRIES
from tests.conftest import url_of
from tests.kernel.kinds import TESTED


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def dead(database, superuser):
    """Two dead deliveries, of subscribers that are not there; gives their ids by subscriber."""
    superuser.execute("TRUNCATE procrastinate_jobs, dead_deliveries CASCADE")
    for name in ("first", "second"):
        with database.transaction(Scope.system("demo")) as session:
            event = events.emit(session, TESTED.name, actor=system("demo"), at=clock.now())
        deliveries.deliver(
            database, district="demo", subscriber=name, events=[str(event)], attempts=TRIES
        )
    return dict(superuser.execute("SELECT subscriber, id::text FROM dead_deliveries").fetchall())


@pytest.fixture
def run(settings):
    def talent(*words):
        return CliRunner().invoke(main, ["deliveries", *words], catch_exceptions=False)

    return talent


def queued(superuser):
    query = "SELECT args ->> 'subscriber' FROM procrastinate_jobs ORDER BY id"
    return [row[0] for row in superuser.execute(query)]


def test_a_database_that_is_away_is_told_without_a_traceback(run, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://talent_app:x@127.0.0.1:1/none")
    told = run("list")
    assert told.exit_code == 1
    assert told.output.startswith("Error: the database: connection failed")
    assert "Traceback" not in told.output
    assert "talent_app:x" not in told.output


def test_a_place_that_cannot_be_written_is_one_line():
    """A file is no folder."""
    told = CliRunner().invoke(main, ["keys", "new", f"{__file__}/keys.json"])
    assert (told.exit_code, told.output.count("\n")) == (1, 1), told.output
    assert f"{__file__}/keys.json" in told.output


def test_the_list_names_each_with_its_cause(run, dead):
    lines = run("list").output.splitlines()
    assert lines[-1] == "2 dead"
    for line, (name, delivery) in zip(lines, sorted(dead.items()), strict=False):
        assert line.startswith(f"{delivery}  demo  {name}  event ")
        assert f"ticket -  {TRIES} tries  TriesEnded" in line
    assert run("list", "--subscriber", "second").output.splitlines()[-1] == "1 dead"


def test_one_is_sent_again_by_its_id(run, dead, superuser):
    told = run("retry", dead["second"])
    assert (told.exit_code, told.output) == (0, "1 sent again\n")
    assert queued(superuser) == ["second"]
    assert run("list").output.splitlines()[-1] == "1 dead"
    again = run("retry", dead["second"])
    assert again.exit_code == 1
    assert "there is no dead delivery" in again.output


def test_those_of_a_subscriber_then_all(run, dead, superuser):
    assert run("retry", "--subscriber", "first").output == "1 sent again\n"
    assert queued(superuser) == ["first"]
    assert run("retry").output == "1 sent again\n"
    assert queued(superuser) == ["first", "second"]
    assert run("retry").output == "0 sent again\n"
    assert run("list").output == "0 dead\n"


def test_more_than_one_batch_is_sent_again(run, dead, superuser, monkeypatch):
    monkeypatch.setattr(deliveries, "SENT_AT_ONCE", 1)
    assert run("retry").output == "2 sent again\n"
    assert queued(superuser) == ["first", "second"]


def test_an_id_that_is_none_is_refused(run, dead):
    assert run("retry", "first").exit_code == 2
    assert run("retry", str(new_id())).exit_code == 1
