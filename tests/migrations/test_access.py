"""What the migrations let whom do stands in a file, and databases are compared with it."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import NullPool, create_engine

from service.kernel import access, migrations
from tests.conftest import url_of
from tests.migrations.databases import empty_database


def connected(url):
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)


def compared(name, role="owner"):
    engine = connected(url_of(role, name))
    with engine.connect() as connection:
        return access.missing(connection), access.beyond(connection)


def test_the_file_is_what_the_migrations_come_to():
    with empty_database() as name:
        migrations.upgrade(url_of("owner", name))
        engine = connected(url_of("owner", name))
        with engine.connect() as connection:
            present = access.present(connection)
    if os.environ.get("RECORD"):
        access.FILE.write_text("\n".join(sorted(present)) + "\n", encoding="utf-8")
        access.needed.cache_clear()
    assert access.needed() == present
    assert len(present) > 200


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("REVOKE SELECT ON tickets FROM talent_app", "table tickets: SELECT to talent_app"),
        ("REVOKE USAGE ON SCHEMA public FROM talent_keys", "schema public: USAGE to talent_keys"),
        ("ALTER TABLE tickets DISABLE ROW LEVEL SECURITY", "table tickets: row-level security"),
    ],
)
def test_a_right_that_is_lost_is_named(database_name, change, named):
    assert compared(database_name) == ([], [])
    with connected(url_of("owner", database_name)).connect() as connection:
        connection.exec_driver_sql(change)
        assert access.missing(connection) == [named]
        connection.rollback()


def test_a_policy_that_is_lost_is_named(database_name):
    with connected(url_of("owner", database_name)).connect() as connection:
        policy, table = connection.exec_driver_sql(
            "SELECT policyname, tablename FROM pg_policies WHERE tablename = 'drafts' LIMIT 1"
        ).one()
        connection.exec_driver_sql(f"DROP POLICY {policy} ON {table}")
        (lost,) = access.missing(connection)
        assert lost.startswith(f"table {table}: policy {policy} ")
        connection.rollback()


def test_a_right_that_nobody_was_meant_to_have_is_named(database_name):
    with connected(url_of("owner", database_name)).connect() as connection:
        connection.exec_driver_sql("GRANT SELECT ON drafts TO PUBLIC")
        assert access.beyond(connection) == ["table drafts: SELECT to PUBLIC"]
        connection.rollback()
