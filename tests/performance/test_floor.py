"""The floor of a request is what it sends, and pgbench finds each time what the request found."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import PASSWORD, url_of
from tests.packs import publish, whole_pack
from tests.performance.floor import measured
from tests.performance.operations import FILING, Everybody, a_day
from tests.performance.within import through

pytestmark = pytest.mark.slow

TABLES = "tickets", "items", "stages", "tasks", "events"
REQUESTS = 2


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def content(superuser):
    """What is in the tables."""

    def read():
        query = "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM {} t"
        return {table: superuser.execute(query.format(table)).fetchone() for table in TABLES}

    return read


def test_what_is_sent_again_finds_what_the_request_found(app, settings, database, content):
    publish(database, whole_pack())
    client = app.test_client()
    replayed = []

    def replay(found):
        before = content()
        clients = 2 if found.several else 1
        floor = measured(settings.database_url, found.script, clients=clients, seconds=1)
        assert floor.per_second > 1
        replayed.append(found.name)
        if found.name == FILING:
            assert content()["tickets"][0] > before["tickets"][0] + clients
        else:
            assert content() == before, found.name

    with psycopg.connect(settings.database_owner_url, autocommit=True) as owner:
        day = a_day(Everybody(client, PASSWORD), REQUESTS, clients=False)
        statements = through(day, client, owner, replay)
    assert statements.keys() == {*replayed} > {FILING, "ticket", "next", "claim", "decide"}
    assert all(number > 1 for number in statements.values())
