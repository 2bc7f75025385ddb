"""Newer master keys and newer formats: nothing is lost, whatever is broken off."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from service.cli import main
from service.facts.models import Fact
from service.kernel import clock, crypto, person_keys, rotation
from service.kernel.crypto import Erased, Keyring, SealBroken
from service.kernel.db import Scope
from service.kernel.keys import load_keys
from service.kernel.sealed import opened, opened_json, seal
from service.tickets.models.filed import TicketSection
from tests.conftest import url_of
from tests.sealing import opened as opened_directly


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def keys_database(settings, database):
    database = rotation.connect_for_keys(settings)
    yield database
    database.dispose()


@pytest.fixture
def first(settings):
    return load_keys(settings.keys_file)


@pytest.fixture
def second(first):
    """The key file with a second master key, which is active."""
    return replace(first, data={**first.data, "d2": os.urandom(32)}, active_data="d2")


@pytest.fixture(autouse=True)
def _one_keyring_for_all(first):
    yield
    crypto.use(Keyring(first))


def rotated(database, **options):
    return sum(rotation.rotate(database, **options))


def person_rows(superuser):
    return dict(
        superuser.execute(
            "SELECT person_id, wrapped_key FROM person_keys WHERE destroyed_at IS NULL"
        ).fetchall()
    )


def new_persons(database, number):
    """So many persons with a key; gives them."""
    persons = [uuid4() for _ in range(number)]
    with database.transaction(Scope.system()) as session:
        person_keys.hold(session, persons)
    return persons


# --- rotating -------------------------------------------------------------------------------


def test_rotating_wraps_every_key_anew_and_changes_no_value(
    world, database, keys_database, superuser, first, second
):
    talent = world.talent()
    ticket = world.ticket(talent)
    shown = talent.get(f"/v1/tickets/{ticket['id']}").json
    values = superuser.execute("SELECT id, content FROM ticket_sections ORDER BY id").fetchall()
    before = person_rows(superuser)
    crypto.use(Keyring(second))
    assert rotated(keys_database) == len(before)
    assert rotation.wrapped_by(keys_database) == {"d2": len(before)}
    after = person_rows(superuser)
    assert after.keys() == before.keys()
    assert all(after[one] != before[one] for one in after)
    assert (
        values
        == superuser.execute("SELECT id, content FROM ticket_sections ORDER BY id").fetchall()
    )
    assert talent.get(f"/v1/tickets/{ticket['id']}").json == shown
    without = replace(second, data={"d2": second.data["d2"]})
    crypto.use(Keyring(without))
    with database.transaction(Scope.system()) as session:
        person_keys.load(session, after)
    crypto.use(Keyring(second))
    assert rotated(keys_database) == 0
    crypto.use(Keyring(first))
    with database.transaction(Scope.system()) as session, pytest.raises(SealBroken):
        person_keys.load(session, after)
    crypto.use(Keyring(replace(second, active_data="d1")))
    assert rotated(keys_database) == len(after)


def test_rotating_can_be_broken_off_and_gone_on_with(database, keys_database, superuser, second):
    new_persons(database, 7)
    number = len(person_rows(superuser))
    crypto.use(Keyring(second))
    batches = rotation.rotate(keys_database, batch=3)
    assert next(batches) == 3
    batches.close()
    assert rotation.wrapped_by(keys_database)["d2"] == 3
    assert rotated(keys_database, batch=3) == number - 3
    assert rotation.wrapped_by(keys_database) == {"d2": number}
    crypto.use(Keyring(replace(second, active_data="d1")))
    rotated(keys_database)


def test_rotating_without_the_old_master_key_changes_nothing(
    database, keys_database, superuser, second
):
    new_persons(database, 1)
    before = person_rows(superuser)
    crypto.use(Keyring(replace(second, data={"d2": second.data["d2"]})))
    with pytest.raises(SealBroken):
        rotated(keys_database)
    assert person_rows(superuser) == before


def test_a_key_that_somebody_holds_is_passed_over(database, keys_database, superuser, second):
    (person,) = new_persons(database, 1)
    crypto.use(Keyring(second))
    with psycopg.connect(superuser.info.dsn, password=superuser.info.password) as other:
        other.execute("SELECT FROM person_keys WHERE person_id = %s FOR UPDATE", (person,))
        rotated(keys_database)
        assert rotation.wrapped_by(keys_database)["d1"] == 1
    assert rotated(keys_database) == 1
    crypto.use(Keyring(replace(second, active_data="d1")))
    rotated(keys_database)


# --- sealing anew ---------------------------------------------------------------------------


def under_the_master(superuser, table, columns, where="true"):
    """Put values back to how they lay before persons had keys."""
    found = superuser.execute(
        f"SELECT id, {', '.join(columns)} FROM {table} WHERE {where}"
    ).fetchall()
    for row_id, *values in found:
        for column, value in zip(columns, values, strict=True):
            if value is None:
                continue
            place = {"table": table, "column": column, "row": row_id}
            old = crypto.seal(opened_directly(superuser, value, **place), **place)
            superuser.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", (old, row_id))


OLD = {
    "persons": ("id_number", "name", "phone", "birth_date"),
    "ticket_sections": ("content",),
    "drafts": ("content",),
    "tasks": ("opinion", "result"),
    "facts": ("value",),
}


@pytest.fixture
def lived(world, superuser):
    """A talent with a draft and a ticket that has ended; all values lie in the old format."""
    talent = world.talent()
    ticket = world.ticket(talent, "settlement")
    world.through(ticket["items"][0])
    body = world.filing("housing_rent") | {"file": False}
    kept = talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": uuid4().hex})
    assert kept.status_code == 201
    for table, columns in OLD.items():
        under_the_master(superuser, table, columns)
    return talent, ticket["id"], kept.json["id"]


def all_of(talent, ticket, draft):
    paths = (f"/tickets/{ticket}", f"/tickets/{draft}", "/me", "/me/facts")
    return [talent.get(f"/v1{path}").json for path in paths]


def test_values_of_the_old_format_open_and_are_sealed_anew(lived, keys_database, superuser):
    shown = all_of(*lived)
    assert shown[0]["items"][0]["result"]
    done = {one.table: one for one in rotation.reseal(keys_database, batch=2)}
    assert all(done[table].values > 0 for table in OLD)
    assert all(one.left == 0 for one in done.values())
    for table, columns in OLD.items():
        for column in columns:
            left = superuser.execute(
                f"SELECT count(*) FROM {table} WHERE substring({column} from 1 for 1) = '\\x01'"
            ).fetchone()
            assert left == (0,), (table, column)
    assert all_of(*lived) == shown
    assert [one.values for one in rotation.reseal(keys_database)] == [0] * len(done)


def test_sealing_anew_can_be_broken_off_and_gone_on_with(lived, keys_database, superuser):
    shown = all_of(*lived)
    tables = rotation.reseal(keys_database, batch=1)
    first = next(tables)
    tables.close()
    assert first.values > 0
    assert sum(one.values for one in rotation.reseal(keys_database)) > 0
    assert all_of(*lived) == shown
    assert sum(one.values for one in rotation.reseal(keys_database)) == 0


def test_a_row_in_use_is_left_for_the_next_run(lived, keys_database, superuser):
    with psycopg.connect(superuser.info.dsn, password=superuser.info.password) as other:
        (row,) = other.execute("SELECT id FROM drafts LIMIT 1 FOR UPDATE").fetchone()
        done = {one.table: one for one in rotation.reseal(keys_database)}
        assert done["drafts"].left == 1
    (value,) = superuser.execute("SELECT content FROM drafts WHERE id = %s", (row,)).fetchone()
    assert crypto.person_of(value) is None
    done = {one.table: one for one in rotation.reseal(keys_database)}
    assert (done["drafts"].values, done["drafts"].left) == (1, 0)


def test_old_values_of_a_destroyed_person_become_unreadable(
    lived, database, keys_database, superuser
):
    _, ticket, _ = lived
    (person,) = superuser.execute(
        "SELECT person_id FROM tickets WHERE id = %s", (ticket,)
    ).fetchone()
    with keys_database.transaction(Scope.system()) as session:
        person_keys.destroy(session, person, at=clock.now())
    list(rotation.reseal(keys_database))
    with database.transaction(Scope.system("demo")) as session:
        sections = session.scalars(
            select(TicketSection).where(TicketSection.ticket_id == ticket)
        ).all()
        assert sections
        for section in sections:
            assert opened(session, TicketSection.content, section) is Erased.ERASED


def test_what_is_of_nobody_goes_to_the_active_master_key(
    world, database, keys_database, superuser, second
):
    """As the values of an applicant that is no person will: their owner is null."""
    world.ticket(world.talent(), "settlement")
    (row,) = superuser.execute("SELECT id FROM items LIMIT 1").fetchone()
    place = {"table": "items", "column": "filed_subject", "row": row}
    superuser.execute(
        "UPDATE items SET filed_subject = %s, subject_id = NULL WHERE id = %s",
        (crypto.seal("{}", **place), row),
    )
    done = {one.table: one for one in rotation.reseal(keys_database)}
    assert (done["items"].values, done["items"].left) == (0, 0)
    crypto.use(Keyring(second))
    done = {one.table: one for one in rotation.reseal(keys_database)}
    assert (done["items"].values, done["items"].left) == (1, 0)
    (value,) = superuser.execute("SELECT filed_subject FROM items WHERE id = %s", (row,)).fetchone()
    assert crypto.master_of(value) == "d2"
    assert crypto.unseal(value, **place) == "{}"
    superuser.execute("UPDATE items SET filed_subject = NULL WHERE id = %s", (row,))


# --- the commands ---------------------------------------------------------------------------


@pytest.fixture
def talent_keys(settings, database_name, monkeypatch):
    """Runs `talent keys …` against this database."""

    def run(*arguments, keys=settings.keys_file):
        monkeypatch.setenv("DATABASE_URL", url_of("app", database_name))
        monkeypatch.setenv("DATABASE_OWNER_URL", url_of("owner", database_name))
        monkeypatch.setenv("TALENT_KEYS_FILE", str(keys))
        return CliRunner().invoke(main, ["keys", *arguments])

    return run


def test_the_commands_tell_what_they_did(
    world, database, superuser, talent_keys, settings, tmp_path
):
    ticket = world.ticket(world.talent())["id"]
    under_the_master(superuser, "ticket_sections", ("content",), f"ticket_id = '{ticket}'")
    number = len(person_rows(superuser))
    content = json.loads(settings.keys_file.read_text())
    content["data"]["keys"]["d2"] = b64encode(os.urandom(32)).decode()
    content["data"]["active"] = "d2"
    both = tmp_path / "both.json"
    both.write_text(json.dumps(content))

    told = talent_keys("rotate", keys=both)
    assert (told.exit_code, told.output) == (
        0,
        f"{number} keys wrapped anew\n{number} keys are under d2\n",
    )
    told = talent_keys("reseal", keys=both)
    assert told.exit_code == 0
    assert "ticket_sections: 0 values" not in told.output
    assert "persons: 0 values sealed anew, 0 rows left\n" in told.output
    told = talent_keys("rotate")
    assert told.exit_code == 1
    assert "is its master key in the key file?" in told.output
    content["data"]["active"] = "d1"
    both.write_text(json.dumps(content))
    assert talent_keys("rotate", keys=both).exit_code == 0


def test_a_new_key_file_by_command(talent_keys, tmp_path):
    file = tmp_path / "new.json"
    assert talent_keys("new", str(file)).exit_code == 0
    assert load_keys(file).active_data == "d1"
    told = talent_keys("new", str(file))
    assert told.exit_code == 1
    assert "is there already" in told.output


def test_a_seal_made_while_a_key_is_rewrapped_still_opens(database, keys_database, second):
    """Rewrapping changes what wraps the key, never the key."""
    (person,) = new_persons(database, 1)

    class Row:
        id, value = uuid4(), None

    crypto.use(Keyring(second))
    with database.transaction(Scope.system()) as session:
        person_keys.hold(session, [person])
        rotated(keys_database)
        Row.value = seal(session, Fact.value, '{"a": 1}', row=Row.id, of=person)
    person_keys.forget()
    with database.transaction(Scope.system()) as session:
        assert opened_json(session, Fact.value, Row, otherwise=None) == {"a": 1}
    crypto.use(Keyring(replace(second, active_data="d1")))
    rotated(keys_database)
