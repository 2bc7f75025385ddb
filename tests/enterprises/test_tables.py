"""What the database itself holds enterprises to: constraints, grants, row-level security."""

from __future__ import annotations

from uuid import uuid4

import pytest
from psycopg import errors

from tests.enterprises.conftest import OURS
from tests.scopes import as_application

TABLES = ("enterprises", "enterprise_agents", "employments")


@pytest.fixture
def person(agent, employee, actor_of):
    """The person of somebody whose employment is confirmed."""
    someone = employee()
    someone.file()
    return actor_of(someone.signed).person


@pytest.fixture
def counted(database_name):
    """How many rows of each table a scope sees, without any condition."""

    def look(**scope):
        with as_application(database_name, **scope) as connection:
            return [
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in TABLES
            ]

    return look


def test_a_district_sees_its_own_alone(person, counted):
    assert all(counted(district="demo"))
    assert counted(district="nowhere") == counted() == counted(district="", person="") == [0, 0, 0]


def test_a_person_sees_their_employments_in_every_district(person, counted):
    assert counted(person=person) == counted(district="nowhere", person=person) == [0, 0, 1]
    assert counted(district="nowhere", person=uuid4()) == [0, 0, 0]


def test_and_changes_them_in_none(person, database_name):
    change = "UPDATE employments SET ended_on = now() WHERE person_id = %s"
    for district in ("", "nowhere"):
        with as_application(database_name, district=district, person=person) as connection:
            assert connection.execute(change, (person,)).rowcount == 0


WRITES = [
    (
        "INSERT INTO enterprises (district_id, id, credit_code, name, created_at)"
        f" VALUES ('demo', gen_random_uuid(), '{OURS}', 'x', now())"
    ),
    (
        "INSERT INTO enterprise_agents (district_id, id, enterprise_id, account_id, valid_from)"
        " VALUES ('demo', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now())"
    ),
    (
        "INSERT INTO employments (district_id, id, person_id, enterprise_id, confirmed_at, source)"
        " VALUES ('demo', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now(),"
        " 'filing')"
    ),
]


@pytest.mark.parametrize("write", WRITES)
def test_another_districts_row_cannot_be_written(database_name, write):
    with (
        as_application(database_name, district="nowhere") as connection,
        pytest.raises(errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(write)


@pytest.mark.parametrize(
    "statement",
    [
        *(
            f"UPDATE {table} SET {column} = {column}"
            for table, columns in {
                "enterprises": ("district_id", "id", "credit_code", "created_at"),
                "enterprise_agents": ("id", "enterprise_id", "account_id", "valid_from"),
                "employments": ("id", "person_id", "enterprise_id", "since", "confirmed_at"),
            }.items()
            for column in columns
        ),
        "DELETE FROM enterprises",
        "DELETE FROM employments",
        *(f"TRUNCATE {table} CASCADE" for table in TABLES),
    ],
)
def test_what_the_application_may_not(database_name, statement):
    with (
        as_application(database_name, district="demo") as connection,
        pytest.raises(errors.InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        *(
            (
                (
                    "INSERT INTO enterprises (district_id, id, credit_code, name, created_at)"
                    f" VALUES ('demo', gen_random_uuid(), '{code}', 'x', now())"
                ),
                "ck_enterprises_credit_code",
            )
            for code in ("", OURS[:-1], OURS + "3", "91350100M000I00Y43", OURS.lower())
        ),
        (WRITES[0], "uq_enterprises_district_id_credit_code"),
        (WRITES[1], "fk_enterprise_agents_district_id_enterprise_id"),
        (WRITES[2], "fk_employments_district_id_enterprise_id"),
        (
            "UPDATE enterprise_agents SET valid_to = valid_from - 1",
            "ck_enterprise_agents_days_in_order",
        ),
        ("UPDATE employments SET ended_on = since - 1", "ck_employments_days_in_order"),
        (
            (
                "INSERT INTO employments SELECT district_id, gen_random_uuid(), person_id,"
                " enterprise_id, since, confirmed_at, source, NULL FROM employments"
            ),
            "uq_employments_open",
        ),
        (
            (
                "INSERT INTO enterprise_agents SELECT district_id, gen_random_uuid(),"
                " enterprise_id, account_id, valid_from, NULL FROM enterprise_agents"
            ),
            "uq_enterprise_agents_open",
        ),
        (
            (
                "INSERT INTO employments SELECT district_id, gen_random_uuid(), person_id,"
                " enterprise_id, since, confirmed_at, 'hearsay', now() FROM employments"
            ),
            "ck_employments_source",
        ),
        (
            "UPDATE tickets SET employer_id = gen_random_uuid()",
            "fk_tickets_district_id_employer_id",
        ),
    ],
)
def test_what_cannot_be(person, database_name, statement, constraint):
    with (
        as_application(database_name, district="demo") as connection,
        pytest.raises(errors.IntegrityError) as refused,
    ):
        connection.execute(statement)
    assert refused.value.diag.constraint_name == constraint


@pytest.mark.parametrize(
    "values",
    [
        "'agent', gen_random_uuid(), 'a', 'A'",
        "'agent', NULL, NULL, 'A'",
        "'agent', NULL, 'a', NULL",
        "'robot', NULL, 'a', 'A'",
    ],
)
def test_an_account_fits_its_kind(superuser, values):
    with pytest.raises(errors.CheckViolation):
        superuser.execute(
            "INSERT INTO accounts (id, kind, person_id, username, display_name, created_at)"
            f" SELECT gen_random_uuid(), {values}, now()"
        )
