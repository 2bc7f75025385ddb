"""Subscribers get names of their own: what they have had stays known under the new ones."""

from __future__ import annotations

import psycopg
import pytest
from alembic.script import ScriptDirectory

from service.kernel import deliveries, migrations
from service.kernel.db import Scope
from service.kernel.ids import new_id
from service.kernel.settings import ROOT
from service.subscribers import SUBSCRIPTIONS
from tests.conftest import url_of

BEFORE = next(
    revision.down_revision
    for revision in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()
    if revision.path.endswith("_deliveries.py")
)
OLD = {
    "applicant_notices": "service.notifications.handlers.tell_applicant",
    "erased_contents": "service.materials.handlers.delete_content",
}


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


def handlers(superuser):
    query = "SELECT event_id, handler FROM handled_events ORDER BY event_id"
    return dict(superuser.execute(query).fetchall())


def test_what_was_handled_before_is_not_handled_again(database, database_name, superuser, world):
    assert set(OLD) <= {one.name for one in SUBSCRIPTIONS}
    owner = url_of("owner", database_name)
    talent = world.talent()
    world.ticket(talent)
    events = [str(row[0]) for row in superuser.execute("SELECT id FROM events")]
    database.engine.dispose()
    migrations.downgrade(owner, BEFORE)
    told = superuser.execute(
        "SELECT district_id, id FROM events WHERE kind = 'ticket_filed' ORDER BY id DESC LIMIT 1"
    ).fetchone()
    other = new_id()
    insert = (
        "INSERT INTO handled_events (district_id, id, event_id, handler, at)"
        " VALUES ('demo', %s, %s, %s, now())"
    )
    superuser.execute(insert, (new_id(), told[1], OLD["applicant_notices"]))
    superuser.execute(insert, (new_id(), other, OLD["erased_contents"]))
    migrations.upgrade(owner)
    assert handlers(superuser) == {told[1]: "applicant_notices", other: "erased_contents"}
    deliveries.deliver(database, district="demo", events=events)
    assert talent.get("/v1/notices").json["items"] == [], "the release before has told it"
    database.engine.dispose()
    migrations.downgrade(owner, BEFORE)
    assert handlers(superuser)[told[1]] == OLD["applicant_notices"]
    migrations.upgrade(owner)
    assert handlers(superuser)[told[1]] == "applicant_notices"


def test_timers_that_wait_go_to_their_queue_and_failed_ones_go(database, database_name, superuser):
    owner = url_of("owner", database_name)
    database.engine.dispose()
    migrations.downgrade(owner, BEFORE)
    superuser.execute("TRUNCATE procrastinate_jobs CASCADE")
    superuser.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args) VALUES"
        " ('default', 'run_timers', 'todo', '{}'), ('default', 'deliver', 'todo', '{}'),"
        " ('default', 'keep_house', 'failed', '{}')"
    )
    migrations.upgrade(owner)
    left = "SELECT task_name, queue_name FROM procrastinate_jobs ORDER BY id"
    assert superuser.execute(left).fetchall() == [
        ("run_timers", "timers"),
        ("deliver", "default"),
    ], "deliveries stay where both releases look for them"
    database.engine.dispose()
    migrations.downgrade(owner, BEFORE)
    assert superuser.execute(left).fetchall() == [("run_timers", "default"), ("deliver", "default")]
    migrations.upgrade(owner)


def test_events_of_before_are_of_the_first_version(database, database_name, superuser, world):
    owner = url_of("owner", database_name)
    world.ticket()
    database.engine.dispose()
    migrations.downgrade(owner, BEFORE)
    migrations.upgrade(owner)
    assert superuser.execute("SELECT DISTINCT version FROM events").fetchall() == [(1,)]
    with database.transaction(Scope.system("demo")) as session:
        assert deliveries.dead_deliveries(session, district="demo") == []
