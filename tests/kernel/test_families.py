"""What a distributed engine would refuse: in policies, functions, keys; and the check itself."""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.conftest import url_of
from tests.families import DISTRICT, GLOBAL, OF_GLOBAL, REFERENCE, fault_of, tables_of


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def bodies(superuser) -> dict[str, str]:
    """By name, the bodies of the service's own functions."""
    return dict(
        superuser.execute(
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND prokind = 'f' AND proname NOT LIKE 'procrastinate%'"
        ).fetchall()
    )


def test_every_table_is_of_one_family():
    assert not DISTRICT & GLOBAL
    assert {"tickets", "posts", "consents", "events"} <= DISTRICT
    assert {"persons", "family_links", "accounts", "credentials", "sessions"} <= GLOBAL


def test_no_policy_names_tables_of_both_families(superuser):
    """Those of the district family ask no table at all: no sub-query is allowed there."""
    for table, name, text in superuser.execute(
        "SELECT tablename, policyname, coalesce(qual, '') || ' ' || coalesce(with_check, '')"
        " FROM pg_policies"
    ):
        if table in DISTRICT | REFERENCE:
            assert "SELECT" not in text, name
            assert not set(re.findall(r"\w+", text)) & OF_GLOBAL, name
        else:
            assert tables_of(text) <= GLOBAL, name


def test_no_statement_of_a_function_names_tables_of_both_families(bodies):
    for name, body in bodies.items():
        for statement in body.split(";"):
            if name != "ensure_partitions":  # runs DDL of its own, on the coordinator
                assert fault_of(statement) is None, name


def test_functions_that_read_the_global_family_are_known(bodies):
    """So that no statement calls one for each row of the district family."""
    reading = {name for name, body in bodies.items() if tables_of(body) & GLOBAL}
    assert reading == set(OF_GLOBAL)


def test_no_foreign_key_leaves_its_family(superuser):
    """But for those of the district family's roots, to the reference tables."""
    for table, other in superuser.execute(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        " AND conrelid::regclass::text NOT LIKE 'procrastinate%'"
    ):
        allowed = GLOBAL if table in GLOBAL else DISTRICT | REFERENCE
        assert other in allowed, (table, other)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("SELECT 1", set()),
        ("SELECT items.id FROM items, tickets WHERE items.ticket_id = tickets.id", None),
        ('SELECT FROM "items" AS i JOIN tickets t ON true', None),
        ("SELECT (SELECT count(*) FROM items) FROM tickets", None),
        ("UPDATE items SET phase = 'x' FROM tickets WHERE true", None),
        ("DELETE FROM items USING tickets", None),
        ("SELECT 'FROM items, tickets'", set()),
        ("SELECT extract(epoch FROM at) FROM events", {"events"}),
        ("SELECT id FROM items FOR NO KEY UPDATE OF items", {"items"}),
        ("INSERT INTO items (id) VALUES (1) ON CONFLICT DO UPDATE SET id = 1", {"items"}),
    ],
)
def test_the_tables_of_a_statement_are_found(statement, named):
    assert tables_of(statement) == ({"items", "tickets"} if named is None else named)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM posts JOIN accounts ON accounts.id = posts.account_id",
        "SELECT FROM accounts WHERE EXISTS (SELECT FROM posts)",
        "SELECT identity_cases_of(account_id) FROM posts",
        "UPDATE items SET phase = 'x' FROM persons",
        "INSERT INTO items SELECT id FROM tickets",
        "INSERT INTO items (id, phase) (SELECT 1, 'x')",
        "WITH t AS (INSERT INTO items (id) SELECT 1 RETURNING id) SELECT FROM t",
    ],
)
def test_what_a_distributed_engine_refuses_is_seen(statement):
    assert fault_of(statement) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM posts JOIN departments ON true",
        "SELECT FROM districts JOIN posts ON true",
        "SELECT FROM accounts JOIN persons ON true",
        "INSERT INTO items (id, phase) VALUES (1, 'SELECT')",
        "SELECT identity_cases_of(id) FROM accounts",
    ],
)
def test_what_it_takes_is_taken(statement):
    assert fault_of(statement) is None


def test_a_statement_of_the_services_is_looked_at(database):
    """And only one of its own connections: what a test asks past it is the test's affair."""
    from sqlalchemy import text

    from service.kernel.db import Scope
    from tests.statements import MIXED

    with database.transaction(Scope.system("demo")) as session:
        session.execute(text("SELECT 1 FROM posts JOIN accounts ON accounts.id = account_id"))
    (found,) = MIXED
    assert "both families" in found
    MIXED.clear()
