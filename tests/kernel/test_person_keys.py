"""Keys of persons: made once, kept for a while, destroyed for good; and whoever may reach them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors as postgres
from sqlalchemy import text

from service.facts.models import Fact
from service.kernel import clock, person_keys, rotation
from service.kernel.crypto import Erased, PersonCipher, SealBroken
from service.kernel.db import Scope
from service.kernel.errors import Conflict
from service.kernel.sealed import load_keys, opened, opened_json, opened_text, seal, seal_json
from tests.conftest import url_of
from tests.scopes import as_application
from tests.sealing import cipher_of
from tests.statements import counted


class Row:
    """As much of a fact as sealing needs."""

    def __init__(self, value):
        self.id, self.value = uuid4(), value


@pytest.fixture
def person():
    return uuid4()


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def keys_database(settings, database):
    """The database as the commands of the keys are connected."""
    database = rotation.connect_for_keys(settings)
    yield database
    database.dispose()


@pytest.fixture
def committed(database):
    """Seals a value of a person for good; gives its row."""

    def one(person, words="secret"):
        row = Row(None)
        with database.transaction(Scope.system()) as session:
            row.value = seal(session, Fact.value, words, row=row.id, of=person)
        return row

    return one


def number_of_keys(superuser, person):
    return superuser.execute(
        "SELECT count(*) FROM person_keys WHERE person_id = %s", (person,)
    ).fetchone()[0]


# --- one way to seal and one to open ---------------------------------------------------------


def test_what_is_sealed_opens_and_null_stays_null(session, person):
    row = Row(None)
    assert opened(session, Fact.value, row) is None
    row.value = seal_json(session, Fact.value, {"class": "A"}, row=row.id, of=person)
    assert opened_json(session, Fact.value, row, otherwise=None) == {"class": "A"}


def test_of_nobody_is_under_a_master_key(session):
    row = Row(None)
    row.value = seal(session, Fact.value, "words", row=row.id, of=None)
    assert row.value.startswith(b"\x01")
    assert opened_text(session, Fact.value, row) == "words"


def test_only_declared_columns_are_sealed(session, person):
    with pytest.raises(LookupError, match=r"facts\.kind"):
        seal(session, Fact.kind, "words", row=uuid4(), of=person)


def test_a_value_copied_to_another_row_does_not_open(session, person):
    row, other = Row(None), Row(None)
    other.value = seal(session, Fact.value, "words", row=row.id, of=person)
    with pytest.raises(SealBroken):
        opened(session, Fact.value, other)


def test_a_value_of_a_person_without_a_key_does_not_open(session, person):
    row = Row(None)
    row.value = PersonCipher.of(person, bytes(32)).seal(
        "x", table="facts", column="value", row=row.id
    )
    with pytest.raises(SealBroken, match=str(person)):
        opened(session, Fact.value, row)


# --- statements and the cache ----------------------------------------------------------------


def test_many_values_cost_one_statement_then_none(database, committed, sql_count):
    rows = [committed(uuid4()) for _ in range(5)]
    with database.transaction(Scope.system()) as session, sql_count() as sent:
        load_keys(session, (row.value for row in rows))
        assert sent.total == 1
        for row in rows:
            assert opened(session, Fact.value, row) == "secret"
        assert sent.total == 1
        with database.transaction(Scope.system()) as later:
            before = sent.total
            load_keys(later, (row.value for row in rows))
            assert opened(later, Fact.value, rows[0]) == "secret"
            assert sent.total == before


def test_a_key_that_comes_with_another_statement_costs_none(database, committed, person, sql_count):
    row = committed(person)
    with database.transaction(Scope.system()) as session, sql_count() as sent:
        wrapped = session.scalar(text("SELECT person_key(:person)"), {"person": person})
        person_keys.take(session, person, wrapped)
        person_keys.take(session, uuid4(), None)
        assert opened(session, Fact.value, row) == "secret"
        assert sent.total == 1


def test_the_cache_is_bounded_in_time_and_number(database, committed, person, monkeypatch):
    moment = [0.0]
    kept = person_keys._Kept(timer=lambda: moment[0])
    monkeypatch.setattr(person_keys, "_kept", kept)
    row = committed(person)

    def cost():
        with database.transaction(Scope.system()) as session, counted() as sent:
            before = sent.total
            opened(session, Fact.value, row)
            return sent.total - before

    assert [cost(), cost()] == [1, 0]
    moment[0] = person_keys.KEPT_SECONDS - 0.1
    assert cost() == 0
    moment[0] = person_keys.KEPT_SECONDS
    assert [cost(), cost()] == [1, 0]
    for _ in range(person_keys.KEPT_MOST + 1):
        kept.put(uuid4(), Erased.ERASED)
    assert cost() == 1


def test_a_key_of_a_transaction_that_rolled_back_is_nowhere(database, person, superuser):
    session = database.open(Scope.system())
    seal(session, Fact.value, "lost", row=uuid4(), of=person)
    person_keys.load(session, [person])
    session.close()
    assert number_of_keys(superuser, person) == 0
    row = Row(None)
    with database.transaction(Scope.system()) as session:
        row.value = seal(session, Fact.value, "kept", row=row.id, of=person)
    person_keys.forget()
    with database.transaction(Scope.system()) as session:
        assert opened(session, Fact.value, row) == "kept"


def test_a_key_that_a_savepoint_took_back_is_made_again(database, person):
    row = Row(None)
    with database.transaction(Scope.system()) as session:
        savepoint = session.begin_nested()
        seal(session, Fact.value, "lost", row=uuid4(), of=person)
        savepoint.rollback()
        row.value = seal(session, Fact.value, "kept", row=row.id, of=person)
    person_keys.forget()
    with database.transaction(Scope.system()) as session:
        assert opened(session, Fact.value, row) == "kept"


# --- the first key ---------------------------------------------------------------------------


def test_of_two_first_uses_at_once_both_have_the_same_key(database, person, superuser):
    """The second waits for the first, and takes its key; the first may as well fail."""
    for fails in (False, True):
        person_keys.forget()
        somebody = uuid4()
        rows = [Row(None), Row(None)]
        made, go_on = threading.Event(), threading.Event()

        def first(somebody=somebody, row=rows[0], fails=fails, made=made, go_on=go_on):
            with database.transaction(Scope.system()) as session:
                row.value = seal(session, Fact.value, "first", row=row.id, of=somebody)
                made.set()
                assert go_on.wait(10)
                if fails:
                    session.rollback()

        def second(somebody=somebody, row=rows[1]):
            with database.transaction(Scope.system()) as session:
                row.value = seal(session, Fact.value, "second", row=row.id, of=somebody)

        with ThreadPoolExecutor() as pool:
            one = pool.submit(first)
            assert made.wait(10)
            other = pool.submit(second)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
            go_on.set()
            one.result(10)
            other.result(10)
        assert number_of_keys(superuser, somebody) == 1
        person_keys.forget()
        with database.transaction(Scope.system()) as session:
            assert opened(session, Fact.value, rows[1]) == "second"
            if not fails:
                assert opened(session, Fact.value, rows[0]) == "first"


def test_keys_of_several_are_made_in_one_statement(database, superuser, sql_count):
    persons = [uuid4() for _ in range(4)]
    with database.transaction(Scope.system()) as session:
        person_keys.hold(session, persons[:1])
    with database.transaction(Scope.system()) as session, sql_count() as sent:
        before = sent.total
        person_keys.hold(session, [*persons, None])
        person_keys.hold(session, persons)
        assert sent.total - before == 1
    assert [number_of_keys(superuser, person) for person in persons] == [1] * 4


# --- a key that was destroyed ----------------------------------------------------------------


def test_what_was_sealed_under_a_destroyed_key_is_erased(
    database, keys_database, committed, person, superuser
):
    row, other = committed(person), committed(uuid4())
    with keys_database.transaction(Scope.system()) as session:
        person_keys.destroy(session, person, at=clock.now())
    with database.transaction(Scope.system()) as session:
        assert opened(session, Fact.value, row) is Erased.ERASED
        assert opened_text(session, Fact.value, row) is None
        assert opened_json(session, Fact.value, row, otherwise={}) == {}
        assert opened(session, Fact.value, other) == "secret"
        with pytest.raises(Conflict) as refused:
            seal(session, Fact.value, "again", row=uuid4(), of=person)
    assert refused.value.code == "person_erased"
    wrapped, when = superuser.execute(
        "SELECT wrapped_key, destroyed_at FROM person_keys WHERE person_id = %s", (person,)
    ).fetchone()
    assert wrapped is None
    assert when is not None


def test_who_never_had_a_key_gets_none_after_erasure(database, keys_database, person):
    with keys_database.transaction(Scope.system()) as session:
        person_keys.destroy(session, person, at=clock.now())
    with database.transaction(Scope.system()) as session, pytest.raises(Conflict):
        person_keys.for_sealing(session, person)


def test_another_process_follows_when_its_cache_has_run_out(
    database, committed, person, superuser, monkeypatch
):
    moment = [0.0]
    monkeypatch.setattr(person_keys, "_kept", person_keys._Kept(timer=lambda: moment[0]))
    row = committed(person)

    def now():
        with database.transaction(Scope.system()) as session:
            return opened(session, Fact.value, row)

    assert now() == "secret"
    superuser.execute(
        "UPDATE person_keys SET wrapped_key = NULL, destroyed_at = now() WHERE person_id = %s",
        (person,),
    )
    moment[0] = person_keys.KEPT_SECONDS - 0.1
    assert now() == "secret"
    moment[0] = person_keys.KEPT_SECONDS
    assert now() is Erased.ERASED


# --- who may -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM person_keys",
        "SELECT count(*) FROM person_keys",
        "INSERT INTO person_keys SELECT gen_random_uuid(), NULL, 'd1', now(), now()",
        "UPDATE person_keys SET wrapped_key = NULL",
        "DELETE FROM person_keys",
        "UPDATE ticket_sections SET content = ''",
    ],
)
def test_the_application_reaches_keys_by_function_alone(database_name, statement):
    scoped = as_application(database_name, district="demo")
    with scoped as connection, pytest.raises(postgres.InsufficientPrivilege):
        connection.execute(statement)


def test_a_function_answers_for_whom_it_is_asked(database_name, committed, person, superuser):
    committed(person)
    with as_application(database_name) as connection:
        rows = connection.execute(
            "SELECT * FROM person_keys_of(%s)", ([person, uuid4()],)
        ).fetchall()
    assert [row[0] for row in rows] == [person]
    assert isinstance(cipher_of(superuser, person), PersonCipher)


def test_a_key_that_is_there_is_not_replaced(database_name, committed, person, superuser):
    committed(person)
    before = superuser.execute(
        "SELECT * FROM person_keys WHERE person_id = %s", (person,)
    ).fetchall()
    with as_application(database_name) as connection:
        connection.execute(
            "SELECT * FROM person_keys_made(%s, %s, 'd9')", ([person], [b"forged"])
        ).fetchall()
        connection.commit()
    after = superuser.execute(
        "SELECT * FROM person_keys WHERE person_id = %s", (person,)
    ).fetchall()
    assert after == before


def test_the_commands_role_may_change_no_other_column(keys_database):
    for statement in (
        "UPDATE tickets SET status = 'closed'",
        "UPDATE persons SET holder = false",
        "DELETE FROM ticket_sections",
        "DELETE FROM person_keys",
        "SELECT * FROM accounts",
        "SELECT * FROM events",
    ):
        with keys_database.transaction(Scope.system("demo")) as session:
            with pytest.raises(Exception, match="permission denied"):
                session.execute(text(statement))
            session.rollback()
