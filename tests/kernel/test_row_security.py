"""What the application role can see and do in the database, whatever the application forgets.

Every statement here is raw SQL without a WHERE, sent as the role that the service works as.
"""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.types.json import Jsonb
from sqlalchemy import JSON

from service.kernel.db import Base, Scope
from service.kernel.sealed import sealed_columns
from tests.conftest import url_of
from tests.kernel.peopled import SCOPED, live_in_two_districts
from tests.scopes import as_application

# Of the global family, yet with the district of the sign-in: seen by their own account alone.
BY_ACCOUNT = {"sessions"}
IN_DISTRICT = [name for name in SCOPED if name not in BY_ACCOUNT]
APPEND_ONLY = ["events", "audit_log", "ticket_sections", "offering_versions", "bundle_versions",
               "pack_releases", "due_changes", "relied_facts", "ticket_materials"]  # fmt: skip


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def filled(app, database, superuser):
    """Two districts with rows in every table."""
    return live_in_two_districts(app, database, superuser)


def districts_seen(connection, name):
    rows = connection.execute(
        sql.SQL("SELECT DISTINCT district_id FROM {}").format(sql.Identifier(name))
    )
    return {district for (district,) in rows}


@pytest.mark.parametrize("name", IN_DISTRICT)
def test_a_query_without_a_condition_sees_the_district_alone(
    filled, superuser, database_name, name
):
    assert districts_seen(superuser, name) == {"demo", "other"}, "the test has rows to hide"
    for district in ("demo", "other"):
        with as_application(database_name, district=district) as connection:
            assert districts_seen(connection, name) == {district}


@pytest.mark.parametrize("name", SCOPED)
def test_without_a_district_there_is_no_row(filled, database_name, name):
    nobody = ({}, {"district": "", "person": "", "account": ""}, {"district": "nowhere"})
    for scope in nobody:
        with as_application(database_name, **scope) as connection:
            assert districts_seen(connection, name) == set()


@pytest.mark.parametrize("name", [*SCOPED, "persons", "accounts", "districts"])
@pytest.mark.parametrize("kind", ["", "talent", "Staff", "root"])
def test_a_kind_that_no_policy_names_sees_nothing(filled, database_name, name, kind):
    """Nor does a transaction that states none, whatever its district."""
    everything = sql.SQL("SELECT FROM {}").format(sql.Identifier(name))
    with as_application(database_name, kind=kind, district="demo") as connection:
        assert connection.execute(everything).fetchall() == []


def test_the_district_is_forgotten_with_the_transaction(filled, database_name):
    """On a pooled connection the setting is an empty string afterwards, not unset."""
    with as_application(database_name, district="demo") as connection:
        assert districts_seen(connection, "tickets") == {"demo"}
        connection.commit()
        connection.execute("SET ROLE talent_app")
        assert connection.execute("SELECT current_setting('app.district', true)").fetchone() == (
            "",
        )
        assert districts_seen(connection, "tickets") == set()


@pytest.mark.parametrize("name", IN_DISTRICT)
def test_another_districts_row_cannot_be_written(filled, superuser, database_name, name):
    columns = [column.name for column in Base.metadata.tables[name].columns]
    row = superuser.execute(
        sql.SQL("SELECT {} FROM {} WHERE district_id = 'other' LIMIT 1").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(name)
        )
    ).fetchone()
    values = dict(zip(columns, row, strict=True)) | {"id": uuid4()}
    values = {
        key: Jsonb(value) if isinstance(Base.metadata.tables[name].c[key].type, JSON) else value
        for key, value in values.items()
        if key != "xid"
    }
    with (
        as_application(
            database_name, district="demo", person=values.get("person_id", "")
        ) as connection,
        pytest.raises(errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(name),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(sql.Placeholder() for _ in values),
            ),
            list(values.values()),
        )


@pytest.mark.parametrize("name", IN_DISTRICT)
def test_another_districts_row_cannot_be_changed_or_deleted(filled, database_name, name):
    """Refused outright, or touching nothing but the own district's rows."""
    for statement in (
        "UPDATE {} SET district_id = district_id RETURNING district_id",
        "UPDATE {} SET district_id = 'other' RETURNING district_id",
        "DELETE FROM {} RETURNING district_id",
    ):
        with as_application(database_name, district="demo") as connection:
            try:
                cursor = connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
            except (errors.InsufficientPrivilege, errors.ForeignKeyViolation):
                continue
            assert {row[0] for row in cursor} <= {"demo"}


@pytest.mark.parametrize("name", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_what_is_appended_stays(filled, database_name, name, statement):
    with (
        as_application(database_name, district="demo") as connection,
        pytest.raises(errors.InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def test_every_table_of_the_district_family_is_protected(superuser):
    protected = {
        row[0]
        for row in superuser.execute(
            "SELECT relname FROM pg_class"
            " WHERE relrowsecurity AND relnamespace = 'public'::regnamespace"
        )
    }
    assert set(SCOPED) <= protected
    assert {"persons", "family_links", "accounts", "credentials", "refresh_tokens"} <= protected
    unprotected = set(Base.metadata.tables) - protected
    assert unprotected <= {"districts", "calendars", "calendar_years", "calendar_days"}, unprotected


def test_no_policy_is_without_its_nullif(superuser):
    """Of those that hold the application; the role of the keys sees what it seals anew."""
    for table, command, using, check in superuser.execute(
        "SELECT tablename, cmd, coalesce(qual, ''), coalesce(with_check, '') FROM pg_policies"
        " WHERE roles <> '{talent_keys}'"
    ):
        for text in (using, check):
            assert text.count("current_setting(") == text.count("NULLIF(current_setting("), table
            assert text != "true", (table, command)


def test_the_role_of_the_keys_is_nobodys_but_the_owners(superuser):
    policies = superuser.execute(
        "SELECT tablename FROM pg_policies WHERE roles = '{talent_keys}' ORDER BY tablename"
    ).fetchall()
    sealed = {one.table.name for one in sealed_columns() if not one.short_lived}
    assert {row[0] for row in policies} == sealed | {"person_keys"}
    assert superuser.execute(
        "SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'talent_keys', 'MEMBER')"
        " AND NOT rolsuper AND rolname <> 'talent_keys'"
    ).fetchall() == [("talent_owner",)]
    assert superuser.execute(
        "SELECT rolcanlogin, rolbypassrls FROM pg_roles WHERE rolname = 'talent_keys'"
    ).fetchone() == (False, False)


def test_partitions_are_not_to_be_had_past_their_parent(filled, superuser, database_name):
    parts = [
        row[0]
        for row in superuser.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits JOIN"
            " pg_class ON oid = inhparent WHERE relkind = 'p'"
        )
    ]
    assert len(parts) >= 10
    for part in parts:
        with (
            as_application(database_name, district="demo") as connection,
            pytest.raises(errors.InsufficientPrivilege),
        ):
            connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(part)))


def test_the_application_role_is_nobody_special(superuser):
    role = superuser.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
        " FROM pg_roles WHERE rolname = 'talent_app'"
    ).fetchone()
    assert role == (False,) * 5
    owned = superuser.execute(
        "SELECT relname FROM pg_class WHERE relowner = 'talent_app'::regrole"
        " UNION ALL SELECT proname FROM pg_proc WHERE proowner = 'talent_app'::regrole"
    ).fetchall()
    assert owned == []
    for power in ("talent_owner", "postgres", "pg_read_all_data", "pg_write_all_data"):
        held = superuser.execute(
            "SELECT pg_has_role('talent_app', oid, 'MEMBER') FROM pg_roles WHERE rolname = %s",
            (power,),
        ).fetchone()
        assert held in {None, (False,)}, power


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (a int)",
        "ALTER TABLE tickets DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tickets_by_kind ON tickets",
        "CREATE POLICY all_of_it ON tickets USING (true)",
        "SET ROLE talent_owner",
        "SET row_security = off; SELECT FROM tickets",
        "UPDATE alembic_version SET version_num = 'x'",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY tickets TO PROGRAM 'cat'",
    ],
)
def test_the_application_role_cannot_change_the_rules(filled, database_name, statement):
    with psycopg.connect(url_of("app", database_name)) as connection:
        connection.execute("SET ROLE talent_app")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)
        connection.rollback()


def test_a_talent_does_not_see_other_people(filled, database_name, superuser):
    """Neither their person, account, family or consents, whatever district is set."""
    other = filled["world"].talent("王芳")
    person, account = superuser.execute(
        "SELECT person_id, id FROM accounts WHERE id = %s", (filled["talent"].account["id"],)
    ).fetchone()
    theirs = superuser.execute(
        "SELECT person_id FROM accounts WHERE id = %s", (other.account["id"],)
    ).fetchone()[0]
    with as_application(
        database_name, district="demo", person=person, account=account
    ) as connection:
        seen = {row[0] for row in connection.execute("SELECT id FROM persons")}
        family = {row[0] for row in connection.execute("SELECT member_id FROM family_links")}
        assert len(family) == 1
        assert seen == {person} | family
        assert theirs not in seen
        assert list(connection.execute("SELECT id FROM accounts")) == [(account,)]
        assert {row[0] for row in connection.execute("SELECT account_id FROM sessions")} == {
            account
        }
        for table in ("consents", "district_persons"):
            people = connection.execute(
                sql.SQL("SELECT DISTINCT person_id FROM {}").format(sql.Identifier(table))
            )
            assert {row[0] for row in people} <= {person}
        moved = connection.execute("UPDATE persons SET created_at = now() RETURNING id")
        assert {row[0] for row in moved} == {person} | family  # who corrects them
    with as_application(database_name, person=person) as connection:
        assert theirs not in {row[0] for row in connection.execute("SELECT id FROM persons")}


def test_staff_see_who_has_acted_in_their_district_alone(filled, database_name, superuser):
    stranger = superuser.execute(
        "SELECT person_id FROM accounts WHERE id = %s",
        (filled["world"].stranger().account["id"],),
    ).fetchone()[0]
    superuser.execute("DELETE FROM district_persons WHERE person_id = %s", (stranger,))
    with as_application(database_name, district="demo") as connection:
        seen = {row[0] for row in connection.execute("SELECT id FROM persons")}
        arrived = {row[0] for row in connection.execute("SELECT person_id FROM district_persons")}
    assert stranger not in seen
    assert arrived <= seen
    with as_application(database_name, district="nowhere") as connection:
        assert list(connection.execute("SELECT id FROM persons")) == []


def test_credentials_are_seen_by_nobody_else(filled, database_name):
    with as_application(database_name, district="demo") as connection:
        for table in ("credentials", "refresh_tokens", "sessions"):
            statement = sql.SQL("SELECT FROM {}").format(sql.Identifier(table))
            assert connection.execute(statement).fetchall() == []


@pytest.mark.parametrize("role", ["postgres", "talent_owner"])
def test_the_service_does_not_start_as_a_role_that_escapes(
    settings, role, superuser, database_name
):
    """Named after what is wrong: DATABASE_ROLE."""
    from dataclasses import replace

    from service.kernel.db import connect
    from service.kernel.db.engine import UnsafeRole

    name = superuser.execute("SELECT current_user").fetchone()[0] if role == "postgres" else role
    address = url_of("superuser", database_name)
    escaping = connect(replace(settings, database_url=address, database_role=name))
    try:
        with pytest.raises(UnsafeRole, match="DATABASE_ROLE"), escaping.transaction(Scope.system()):
            pass
    finally:
        escaping.dispose()


def test_a_district_changes_no_other(filled, database_name):
    with as_application(database_name, district="demo") as connection:
        changed = connection.execute("UPDATE districts SET settings = '{}' WHERE id <> 'demo'")
        assert changed.rowcount == 0
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("INSERT INTO districts VALUES ('third', '{}', '{}')")
