"""The registry of sealed columns: complete, owned, and granted to the role that seals anew."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import LargeBinary

import service.app  # noqa: F401 - with it every model is known
from service.kernel.db import Base
from service.kernel.sealed import sealed_columns
from tests.conftest import url_of

COLUMNS = {f"{one.table.name}.{one.name}": one for one in sealed_columns()}
NOT_PERSONAL = {
    "idempotency_keys.digest",  # SHA-256 of a request
    "tickets.filing_digest",  # SHA-256 of a filing
    "materials.sha256",  # of a content
    "refresh_tokens.digest",  # SHA-256 of a token
    "credentials.subject",  # blind index
    "persons.id_number_index",  # blind index
    "family_links.member_index",  # blind index
    "items.subject_key",  # blind index
    "person_keys.wrapped_key",  # a key, under a master key
}


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


def test_every_column_of_bytes_is_sealed_or_known_not_to_be():
    binary = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert binary - COLUMNS.keys() == NOT_PERSONAL
    assert COLUMNS.keys() <= binary


def test_the_registry_is_what_it_should_be():
    assert COLUMNS.keys() == {
        "persons.id_number", "persons.id_country", "persons.name", "persons.phone",
        "persons.birth_date",
        "tickets.filed_applicant", "items.filed_subject",
        "ticket_sections.content", "drafts.content",
        "corrections.points", "tasks.opinion", "tasks.reason", "tasks.result",
        "facts.value", "facts.revocation_reason", "materials.name",
        "idempotency_keys.answer",
    }  # fmt: skip


def test_every_owner_is_a_column_that_exists():
    for name, column in COLUMNS.items():
        owner = column.owner
        assert owner.column in column.table.c, name
        assert "id" in column.table.c, name
        if owner.table is not None:
            assert owner.person in Base.metadata.tables[owner.table].c, name


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_a_sealed_column_is_there_and_keeps_bytes(name, superuser):
    table, column = name.split(".")
    kind = superuser.execute(
        "SELECT data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND column_name = %s",
        (table, column),
    ).fetchall()
    assert kind == [("bytea",)]


def test_the_commands_role_may_change_what_is_registered_and_nothing_else(superuser):
    granted = {
        f"{table}.{column}"
        for table, column in superuser.execute(
            "SELECT table_name, column_name FROM information_schema.column_privileges"
            " WHERE grantee = 'talent_keys' AND privilege_type = 'UPDATE'"
        ).fetchall()
    }
    keys = {f"person_keys.{one}" for one in ("wrapped_key", "master_key_id", "destroyed_at")}
    lasting = {name for name, one in COLUMNS.items() if not one.short_lived}
    assert granted == lasting | keys
