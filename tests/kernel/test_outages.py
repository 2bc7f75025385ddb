"""The log says why the database is not to be had, and repeats nothing of its address."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlsplit

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import exc, text

from service.app import create_app
from service.kernel.db import Scope, connect
from service.kernel.db.outages import kind_of
from tests.conftest import url_of
from tests.loglines import listening


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


def logged(settings):
    """The entry of a request that finds no database."""
    database = connect(settings)
    app = create_app(settings, database)
    app.test_client_class = FlaskClient
    with listening() as lines:
        answer = app.test_client().get("/v1/offerings")
        written = lines()
    database.dispose()
    assert answer.status_code == 503, answer.json
    (entry,) = [line for line in written if "database_unavailable" in line]
    return entry


def elsewhere(settings, **changed):
    parts = urlsplit(settings.database_url)
    login = {"user": parts.username, "password": parts.password, "port": parts.port}
    login |= {"host": "127.0.0.1", "database": parts.path.strip("/")} | changed
    url = "postgresql://{user}:{password}@{host}:{port}/{database}".format(**login)
    return replace(settings, database_url=url)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"port": 9}, "refused"),
        ({"host": "hidden.invalid"}, "no_host"),
        ({"password": "hidden"}, "auth_failed"),
        ({"user": "hidden"}, "auth_failed"),
        ({"database": "hidden"}, "no_database"),
    ],
)
def test_why_a_connection_is_not_to_be_had(settings, changed, kind):
    entry = logged(elsewhere(settings, **changed))
    assert json.loads(entry)["kind"] == kind
    parts = urlsplit(settings.database_url)
    for hidden in ("hidden", "127.0.0.1", parts.username + '"', parts.password):
        assert hidden not in entry


def test_no_room_for_another_connection(settings, superuser, database_name):
    superuser.execute(f"ALTER DATABASE {database_name} CONNECTION LIMIT 0")
    try:
        assert json.loads(logged(settings))["kind"] == "too_many_connections"
    finally:
        superuser.execute(f"ALTER DATABASE {database_name} CONNECTION LIMIT -1")


def test_a_pool_that_is_used_up(settings):
    narrow = connect(replace(settings, database_pool=1, database_pool_timeout=0.1))
    try:
        with narrow.transaction(Scope.system()), pytest.raises(exc.TimeoutError) as caught:
            narrow.open(Scope.system())
    finally:
        narrow.dispose()
    assert kind_of(caught.value) == "pool_used_up"


def executed(session, statements):
    for statement in statements.split(";"):
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SET LOCAL statement_timeout = 50; SELECT pg_sleep(5)", "timeout"),
        ("SET TRANSACTION READ ONLY; DELETE FROM notices", "read_only"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "shutting_down"),
    ],
)
def test_why_a_statement_was_not_answered(database, statement, kind):
    session = database.sessions()
    with pytest.raises(exc.DBAPIError) as caught:
        executed(session, f"BEGIN; {statement}")
    session.close()
    assert kind_of(caught.value) == kind
