"""The registry of sealed columns holds for rows that were lived: each under its owner's key."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from psycopg import sql
from sqlalchemy import select

from service.kernel import crypto, rotation
from service.kernel.db import Scope
from service.kernel.rotation import owners_of
from service.kernel.sealed import open_value, sealed_columns
from tests.tickets.acting import DISTRICT

pytestmark = pytest.mark.slow

COLUMNS = {f"{one.table.name}.{one.name}": one for one in sealed_columns()}
FILLED = COLUMNS.keys() - {"facts.revocation_reason"}
"""What two lives fill; nobody revokes a fact in them."""


@pytest.fixture(scope="module")
def keys_database(lives, settings):
    database = rotation.connect_for_keys(settings)
    yield database
    database.dispose()


def rows_of(session, column):
    """The rows of a table that have something in a sealed column."""
    owner = {column.table.c[name] for name in ("id", column.owner.column, column.name)}
    value = column.table.c[column.name]
    return session.execute(select(*owner).where(value.is_not(None))).all()


@pytest.mark.parametrize("name", sorted(FILLED - {"drafts.content"}))
def test_what_was_lived_lies_under_the_key_of_its_owner(name, keys_database, superuser, lives):
    """Every value opens in its place, names its owner, and tells nothing as it lies there."""
    column = COLUMNS[name]
    if column.short_lived:
        return _answers_are_their_askers(superuser)
    with keys_database.transaction(Scope.system(DISTRICT)) as session:
        rows = rows_of(session, column)
        assert rows, name
        owners = owners_of(session, column.table, column.owner, rows)
        canaries = [life.plant.canaries for life in lives.values()]
        for row in rows:
            value = getattr(row, column.name)
            assert crypto.person_of(value) == owners[row.id] is not None
            place = {"table": column.table.name, "column": column.name, "row": row.id}
            assert isinstance(open_value(session, value, **place), str)
            assert not any(one.found_in_bytes("\\x" + value.hex()) for one in canaries)
    return None


def _answers_are_their_askers(superuser):
    """Answers are kept under the key of the talent who asked; nobody else's under a person's."""
    rows = superuser.execute(
        "SELECT answer, account.person_id FROM idempotency_keys JOIN accounts account"
        " ON account.id = account_id"
    ).fetchall()
    assert any(person for _, person in rows)
    assert all(crypto.person_of(answer) == person for answer, person in rows)


def test_the_canaries_lie_in_the_registry(keys_database, lives):
    """Opened, its columns hold every canary that anybody is told of but the contents of files."""
    for life in lives.values():
        heard = set().union(*(one.found for one in life.ear.heard))
        told = {one for one in heard if not one.endswith(": content")}
        held = set()
        with keys_database.transaction(Scope.system(DISTRICT)) as session:
            for column in COLUMNS.values():
                if column.short_lived:
                    continue
                for row in rows_of(session, column):
                    place = {"table": column.table.name, "column": column.name, "row": row.id}
                    text = open_value(session, getattr(row, column.name), **place)
                    held |= life.plant.canaries.found_in(_plain(text))
        assert told <= held


def _plain(text):
    """JSON without escapes, as canaries are looked for."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def test_who_filed_is_kept_with_every_ticket_and_subject(superuser, lives):
    for life in lives.values():
        ticket = UUID(life.id)
        (filed,) = superuser.execute(
            "SELECT filed_applicant IS NOT NULL FROM tickets WHERE id = %s", (ticket,)
        ).fetchone()
        assert filed
        items = superuser.execute(
            "SELECT subject_id IS NULL, filed_subject IS NULL FROM items WHERE ticket_id = %s",
            (ticket,),
        ).fetchall()
        assert all(subject == kept for subject, kept in items)


def test_every_table_of_people_is_sealed_under_a_key_that_is_wrapped(superuser, lives):
    (persons, keys) = superuser.execute(
        "SELECT (SELECT count(*) FROM persons WHERE name IS NOT NULL),"
        " (SELECT count(*) FROM person_keys WHERE wrapped_key IS NOT NULL)"
    ).fetchone()
    assert 0 < persons <= keys
    statement = sql.SQL("SELECT count(*) FROM {} WHERE substring({} from 1 for 1) = '\\x01'")
    for one in COLUMNS.values():
        if not one.short_lived:
            asked = statement.format(sql.Identifier(one.table.name), sql.Identifier(one.name))
            assert superuser.execute(asked).fetchone() == (0,), one
