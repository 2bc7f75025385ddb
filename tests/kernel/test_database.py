"""Transactions, and what happens when the database is away, slow or not ready."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import event, exc, func, select, text

from service.app import create_app
from service.kernel import clock
from service.kernel.actor import Actor, ActorKind
from service.kernel.db import (
    Database,
    District,
    Scope,
    ScopeKind,
    connect,
    insert_last,
    insert_rows,
    scope_of,
)
from service.kernel.db.engine import DOOR_SECONDS
from service.kernel.deliveries import HandledEvent
from service.kernel.events import Event
from service.kernel.settings import SettingsError
from tests.conftest import url_of
from tests.kernel.frozen import relayed


def test_a_transaction_commits_when_the_block_ends_and_not_when_it_raises(database):
    def attempt(name, *, fail):
        with database.transaction(Scope.system(name)) as session:
            insert_rows(session, District, [{"id": name, "name": {}, "settings": {}}])
            if fail:
                raise ZeroDivisionError

    attempt("kept", fail=False)
    with pytest.raises(ZeroDivisionError):
        attempt("lost", fail=True)
    with database.transaction(Scope.system()) as session:
        found = session.scalars(select(District.id)).all()
    assert "kept" in found
    assert "lost" not in found


def test_the_scope_ends_with_its_transaction(settings):
    """Also on the same connection, which the pool hands out again."""
    narrow = connect(replace(settings, database_pool=1))
    told = text("SELECT current_setting('app.district', true)")
    try:
        with narrow.transaction(Scope.system("demo")) as session:
            assert session.scalar(told) == "demo"
        with narrow.transaction(Scope.system()) as session:
            assert session.scalar(told) == ""
        with narrow.engine.connect() as connection:
            assert connection.scalar(told) in {"", None}
    finally:
        narrow.dispose()


SETTINGS = ("kind", "district", "person", "account", "household", "enterprise")


def settings_of(session) -> dict[str, str]:
    chosen = ", ".join(f"current_setting('app.{name}', true)" for name in SETTINGS)
    return dict(zip(SETTINGS, session.execute(text(f"SELECT {chosen}")).one(), strict=True))


def test_a_scope_is_set_in_one_round_trip(database, sql_count):
    """By SET LOCAL: what a distributed engine passes on to its nodes."""
    person, account, child = uuid4(), uuid4(), uuid4()
    scope = Scope(ScopeKind.PERSON, "demo", person, account, frozenset({person, child}))
    with sql_count() as sent, database.transaction(scope) as session:
        told = settings_of(session)
    assert sent.total == 2
    assert sent.texts[0].count("SET LOCAL ") == len(SETTINGS)
    assert set(told.pop("household").split(",")) == {str(person), str(child)}
    assert told == {
        "kind": "person",
        "district": "demo",
        "person": str(person),
        "account": str(account),
        "enterprise": "",
    }


@pytest.mark.parametrize(
    "district", ["o'clock", "'; SET LOCAL app.kind = 'system", "a\\'b", "$$", "区", "%s", ""]
)
def test_a_district_is_a_value_whatever_it_is_called(database, district):
    """It may come from a query string."""
    with database.transaction(Scope.guest(district)) as session:
        told = settings_of(session)
    assert (told["kind"], told["district"]) == ("guest", district)


def test_the_same_scope_again_and_again(settings):
    """On one connection, where a statement sent often enough is prepared: several cannot be."""
    narrow = connect(replace(settings, database_pool=1))
    try:
        for _ in range(12):
            with narrow.transaction(Scope.system("demo")) as session:
                assert settings_of(session)["district"] == "demo"
    finally:
        narrow.dispose()


def test_a_scope_states_its_kind():
    with pytest.raises(TypeError):
        Scope(district="demo")


@pytest.mark.parametrize("kind", list(ActorKind))
def test_every_actor_has_a_scope_of_their_kind(kind):
    actor = Actor(kind, "demo", account_id=uuid4(), person_id=None)
    scope = scope_of(actor)
    assert (scope.district, scope.account) == ("demo", actor.account_id)
    assert scope.kind == {ActorKind.TALENT: "person"}.get(kind, kind.value)


def test_a_replica_that_is_to_write_is_a_503(settings):
    replica = connect(settings)
    event.listen(
        replica.engine,
        "connect",
        lambda connection, _: (
            connection.execute("SET default_transaction_read_only = on"),
            connection.commit(),
        ),
    )
    client = unchecked(create_app(settings, replica))
    try:
        assert client.get("/v1/offerings").status_code == 200
        answer = client.post("/v1/auth/wechat", json={"code": "demo:replica"})
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    finally:
        replica.dispose()


def test_connections_work_as_the_application_role_within_limits(settings, database):
    with database.transaction(Scope.system()) as session:
        assert session.scalar(text("SELECT current_user")) == settings.database_role
        for name, value in (
            ("statement_timeout", settings.database_statement_timeout),
            ("lock_timeout", settings.database_lock_timeout),
            ("idle_in_transaction_session_timeout", settings.database_idle_timeout),
            ("tcp_keepalives_idle", 30),
            ("tcp_user_timeout", 20_000),
        ):
            told = session.scalar(
                text("SELECT setting::int FROM pg_settings WHERE name = :name"), {"name": name}
            )
            assert told == value


def test_a_connection_without_prepared_statements(settings):
    behind_pgbouncer = connect(replace(settings, database_prepare=False))
    try:
        with behind_pgbouncer.transaction(Scope.system()) as session:
            for _ in range(8):
                session.execute(text("SELECT 1"))
            prepared = session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
        assert prepared == 0
    finally:
        behind_pgbouncer.dispose()


@pytest.mark.parametrize("rows", [0, 1, 2, 50])
def test_rows_are_written_in_one_statement(database, sql_count, rows):
    from service.kernel import clock

    row = {
        "district_id": "demo",
        "kind": f"many {rows}",
        "actor_kind": "system",
        "public": False,
        "data": {},
        "at": clock.now(),
    }
    with database.transaction(Scope.system("demo")) as session:
        with sql_count() as count:
            insert_rows(session, Event, [row] * rows)
        assert count.total == min(rows, 1)
        found = session.scalars(select(Event.id).where(Event.kind == f"many {rows}")).all()
    assert len(set(found)) == rows


# --- a database that does not answer --------------------------------------------------------


def unchecked(app):
    from flask.testing import FlaskClient

    app.test_client_class = FlaskClient
    return app.test_client()


def test_a_database_that_is_away_is_a_503_and_the_process_lives(settings):
    gone = replace(settings, database_url="postgresql://a:b@127.0.0.1:9/gone")
    client = unchecked(create_app(gone))
    assert client.get("/livez").status_code == 200
    for path in ("/readyz", "/v1/offerings"):
        answer = client.get(path)
        assert answer.status_code == 503, path
        assert answer.json["code"] == "unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
        assert "127.0.0.1" not in answer.get_data(as_text=True)


def test_a_pool_that_is_used_up_is_a_503_in_bounded_time(settings):
    narrow = connect(replace(settings, database_pool=1, database_pool_timeout=0.2))
    client = unchecked(create_app(settings, narrow))
    try:
        with narrow.transaction(Scope.system()) as session:
            session.execute(text("SELECT 1"))
            assert client.get("/v1/offerings").status_code == 503
        assert client.get("/v1/offerings").status_code == 200
    finally:
        narrow.dispose()


def test_a_statement_that_takes_too_long_is_stopped(settings, database_name):
    hasty = connect(replace(settings, database_statement_timeout=100))
    try:
        with pytest.raises(exc.OperationalError), hasty.transaction(Scope.system()) as session:
            session.execute(text("SELECT pg_sleep(5)"))
    finally:
        hasty.dispose()


def ask(database, session):
    session.execute(text("SELECT 1"))


def write_together(database, session):
    row = {"district_id": "demo", "handler": "one", "at": clock.now()}
    for _ in range(2):
        insert_last(session, HandledEvent, [row | {"event_id": uuid4()}])
    database.commit(session)


@pytest.mark.parametrize("act", [ask, write_together])
def test_a_server_that_hangs_is_waited_for_no_longer_than_a_statement_may_take(settings, act):
    with relayed(settings, database_statement_timeout=200) as (relay, through):
        database = connect(through)
        try:
            session = database.open(Scope.system("demo"))
            relay.frozen.set()
            begun = time.monotonic()
            with pytest.raises(exc.OperationalError):
                act(database, session)
            session.close()
            assert 2 < time.monotonic() - begun < 5
            relay.frozen.clear()
            with database.transaction(Scope.system()) as session:
                assert session.scalar(text("SELECT 1")) == 1
        finally:
            database.dispose()


def test_a_server_that_does_not_take_connections_is_given_up_soon(settings):
    with relayed(settings) as (relay, through):
        relay.frozen.set()
        begun = time.monotonic()
        with pytest.raises(exc.OperationalError):
            connect(through).engine.connect()
        assert time.monotonic() - begun < 6


def test_a_server_that_took_no_connection_is_tried_by_one_at_a_time(settings):
    with relayed(settings) as (relay, through):
        database = connect(through)
        relay.frozen.set()
        with pytest.raises(exc.OperationalError):
            database.engine.connect()
        begun = time.monotonic()
        for _ in range(20):
            with pytest.raises(exc.OperationalError):
                database.engine.connect()
        assert time.monotonic() - begun < 1
        relay.frozen.clear()
        time.sleep(DOOR_SECONDS)
        database.engine.connect().close()
        database.dispose()


def test_while_the_database_hangs_the_service_says_so_within_two_seconds(settings):
    with relayed(settings, database_statement_timeout=2000) as (relay, through):
        database = connect(through)
        client = unchecked(create_app(through, database))
        try:
            assert client.get("/readyz").status_code == 200
            relay.frozen.set()
            for _ in range(3):  # those who ask while somebody looks do not wait anew
                begun = time.monotonic()
                answer = client.get("/readyz")
                assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
                assert time.monotonic() - begun < 2
                assert client.get("/livez").status_code == 200
            relay.frozen.clear()
            until = time.monotonic() + 10
            while client.get("/readyz").status_code != 200:
                assert time.monotonic() < until
        finally:
            database.dispose()


def test_a_transaction_that_nobody_ends_is_ended(settings, database):
    """So whoever is cut off in the middle lets go of what it held."""
    cut_off = connect(replace(settings, database_idle_timeout=300))
    lock = text("SELECT pg_try_advisory_xact_lock(4711)")
    held = cut_off.open(Scope.system())
    try:
        assert held.scalar(lock)
        with database.transaction(Scope.system()) as session:
            assert not session.scalar(lock)
        time.sleep(1)
        with database.transaction(Scope.system()) as session:
            assert session.scalar(lock)
        with pytest.raises(exc.DBAPIError):
            held.execute(text("SELECT 1"))
    finally:
        held.close()
        cut_off.dispose()


def test_a_connection_that_was_cut_is_replaced(app, database, database_name):
    """One request may fail with a 503; the next one is answered."""
    client = unchecked(app)
    try:
        assert client.get("/v1/offerings").status_code == 200
        with psycopg.connect(url_of("superuser", database_name), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        statuses = [client.get("/v1/offerings").status_code for _ in range(10)]
        assert set(statuses) <= {200, 503}
        assert statuses[-1] == 200
    finally:
        from tests.contract import CheckedClient

        app.test_client_class = CheckedClient


def test_a_server_that_restarted_costs_one_answer_and_not_one_for_each_connection(
    settings, database_name
):
    """The others of the pool are as dead as the one that was tried, whichever is tried first."""
    pool = connect(replace(settings, database_pool=4))
    try:
        held = [pool.open(Scope.guest("demo")) for _ in range(4)]
        backends = [session.scalar(select(func.pg_backend_pid())) for session in held]
        for session in held:
            session.close()
        with psycopg.connect(url_of("superuser", database_name), autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) pid", (backends,))
        with pytest.raises(exc.DBAPIError) as lost:
            pool.open(Scope.guest("demo"))
        assert lost.value.connection_invalidated
        held = [pool.open(Scope.guest("demo")) for _ in range(4)]
        assert [session.scalar(select(1)) for session in held] == [1, 1, 1, 1]
        for session in held:
            session.close()
    finally:
        pool.dispose()


# --- readiness ------------------------------------------------------------------------------


@pytest.fixture
def owner(database_name):
    with psycopg.connect(url_of("owner", database_name), autocommit=True) as owner:
        yield owner


@contextmanager
def standing_at(owner, revision):
    (present,) = owner.execute("SELECT version_num FROM alembic_version").fetchone()
    owner.execute("UPDATE alembic_version SET version_num = %s", (revision,))
    try:
        yield
    finally:
        owner.execute("UPDATE alembic_version SET version_num = %s", (present,))


def not_ready(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/livez").get_data(as_text=True) == "ok\n"
    return answer.json["code"]


def test_a_service_is_not_ready_on_an_older_schema(client, owner):
    assert client.get("/readyz").get_data(as_text=True) == "ready\n"
    with standing_at(owner, "0019"):
        assert not_ready(client) == "not_migrated"
    owner.execute("ALTER TABLE alembic_version RENAME TO put_by")
    try:
        assert not_ready(client) == "not_migrated"
    finally:
        owner.execute("ALTER TABLE put_by RENAME TO alembic_version")
    assert client.get("/readyz").status_code == 200


def test_a_release_stays_ready_on_the_schema_of_a_newer_one(client, owner):
    """During an upgrade it goes on answering; which rights the newer needs it does not know."""
    owner.execute("REVOKE SELECT ON notices FROM talent_app")
    try:
        with standing_at(owner, "9999"):
            assert client.get("/readyz").status_code == 200
    finally:
        owner.execute("GRANT SELECT ON notices TO talent_app")


@pytest.mark.parametrize(
    ("lost", "given_back"),
    [
        ("REVOKE SELECT ON notices FROM talent_app", "GRANT SELECT ON notices TO talent_app"),
        (
            "REVOKE SELECT ON alembic_version FROM talent_app",
            "GRANT SELECT ON alembic_version TO talent_app",
        ),
        (
            "ALTER TABLE notices DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE notices ENABLE ROW LEVEL SECURITY",
        ),
        (
            "REVOKE USAGE ON SCHEMA public FROM talent_app, PUBLIC",
            "GRANT USAGE ON SCHEMA public TO talent_app, PUBLIC",
        ),
    ],
)
def test_a_service_that_lacks_rights_is_not_ready_and_says_why(client, owner, lost, given_back):
    owner.execute(lost)
    try:
        assert not_ready(client) == "database_incomplete"
    finally:
        owner.execute(given_back)
    assert client.get("/readyz").status_code == 200


def test_a_service_whose_role_is_gone_is_not_ready(settings):
    nobody = connect(replace(settings, database_role="nobody_here"))
    try:
        assert not_ready(unchecked(create_app(settings, nobody))) == "database_incomplete"
    finally:
        nobody.dispose()


def test_what_must_stand_with_a_commit_is_written_before_it(settings):
    own = connect(settings)
    order = []
    own.before_commit.append(lambda session: order.append(session.scalar(text("SELECT 1"))))
    try:
        with own.transaction(Scope.system()):
            order.append("acted")
        assert order == ["acted", 1]
        assert isinstance(own, Database)
    finally:
        own.dispose()


@pytest.mark.parametrize("role", ["nosuch", "talent_owner"])
def test_a_wrong_role_is_named_at_start(settings, role):
    wrong = connect(replace(settings, database_role=role))
    try:
        with pytest.raises(SettingsError, match=f"DATABASE_ROLE: .*{role}"):
            wrong.verify()
    finally:
        wrong.dispose()


def test_what_else_the_server_refuses_at_start_is_named(settings):
    refused = connect(replace(settings, database_statement_timeout=2**31))
    try:
        with pytest.raises(SettingsError, match="statement_timeout"):
            refused.verify()
    finally:
        refused.dispose()


def test_a_database_that_is_away_is_no_fault_of_the_settings(settings, database):
    database.verify()
    away = connect(replace(settings, database_url="postgresql://talent_app:x@127.0.0.1:1/none"))
    away.verify()
    away.dispose()
