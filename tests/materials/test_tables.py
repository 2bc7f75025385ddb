"""What the database holds materials to: row-level security, grants, constraints, an index."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import errors
from sqlalchemy.exc import IntegrityError

from service.kernel.db import Scope, insert_rows
from service.kernel.ids import new_id
from service.materials.models import Material
from service.materials.rules import MediaType
from tests.facts.issuing import AT, DISTRICT, ELSEWHERE
from tests.scopes import as_application


def row(person, **changes):
    return {
        "district_id": DISTRICT,
        "id": new_id(),
        "person_id": person,
        "account_id": new_id(),
        "code": "id_card",
        "name": b"sealed",
        "media_type": MediaType.PDF,
        "size": 1,
        "sha256": bytes(32),
        "pages": None,
        "uploaded_at": AT,
        "erased_at": None,
    } | changes


@pytest.fixture
def person():
    return new_id()


@pytest.fixture
def keep(database):
    """Writes a row, for good; gives its id."""

    def one(person, **changes):
        rows = [row(person, **changes)]
        with database.transaction(Scope.system(DISTRICT)) as session:
            insert_rows(session, Material, rows)
        return rows[0]["id"]

    return one


def seen(database_name, **scope):
    with as_application(database_name, **scope) as connection:
        return {one[0] for one in connection.execute("SELECT id FROM materials")}


# --- row-level security


def test_a_district_sees_its_own_alone(keep, person, database_name):
    kept = keep(person)
    assert kept in seen(database_name, district=DISTRICT)
    assert seen(database_name, district=ELSEWHERE) == set()
    assert seen(database_name) == seen(database_name, district="", person="") == set()


def test_a_person_sees_their_own_in_every_district_and_changes_them_in_none(
    keep, person, database_name
):
    mine, others = keep(person), keep(new_id())
    for scope in ({}, {"district": ELSEWHERE}):
        assert seen(database_name, person=person, **scope) == {mine}
        with as_application(database_name, person=person, **scope) as connection:
            assert connection.execute("UPDATE materials SET erased_at = now()").rowcount == 0
    assert others not in seen(database_name, person=person)


def test_another_districts_material_cannot_be_written(person, database_name):
    with (
        as_application(database_name, district=ELSEWHERE, person=person) as connection,
        pytest.raises(errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(
            "INSERT INTO materials (district_id, id, person_id, account_id, code, name,"
            " media_type, size, sha256, uploaded_at) VALUES ('demo', gen_random_uuid(), %s,"
            " gen_random_uuid(), 'a', '', 'application/pdf', 1, %s, now())",
            (person, bytes(32)),
        )


# --- grants and constraints


@pytest.mark.parametrize(
    "statement",
    [
        *(
            f"UPDATE materials SET {column} = {column}"
            for column in (
                "district_id", "id", "person_id", "account_id", "code", "name", "media_type",
                "size", "sha256", "pages", "uploaded_at",
            )
        ),
        "DELETE FROM materials",
        "TRUNCATE materials",
    ],
)  # fmt: skip
def test_the_application_may_erase_and_nothing_else(keep, person, database_name, statement):
    keep(person)
    with (
        as_application(database_name, district=DISTRICT) as connection,
        pytest.raises(errors.InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"size": 0}, "size"),
        ({"size": -1}, "size"),
        ({"sha256": bytes(31)}, "sha256"),
        ({"sha256": b""}, "sha256"),
        ({"pages": 0}, "pages"),
        ({"media_type": "text/html"}, "media_type"),
        ({"erased_at": AT - timedelta(seconds=1)}, "erased"),
    ],
)
def test_what_cannot_be_is_not_written(session, person, changes, constraint):
    with pytest.raises(IntegrityError) as refused:
        insert_rows(session, Material, [row(person, **changes)])
    assert refused.value.orig.diag.constraint_name == f"ck_materials_{constraint}"


@pytest.mark.parametrize("media_type", MediaType)
def test_every_type_can_be_written(session, person, media_type):
    insert_rows(session, Material, [row(person, media_type=media_type, pages=1, erased_at=AT)])


# --- the index


def test_a_persons_materials_are_found_by_the_index_under_row_level_security(
    database_name, keep, person, superuser
):
    """Conditions that are not leakproof would keep it from being used."""
    keep(person)
    superuser.execute("ANALYZE materials")
    with as_application(database_name, district=DISTRICT, person=person) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        plan = "\n".join(
            line[0]
            for line in connection.execute(
                "EXPLAIN SELECT id FROM materials WHERE district_id = 'demo' AND person_id = %s"
                " AND erased_at IS NULL AND code = 'cv' AND id < %s ORDER BY id DESC LIMIT 26",
                (person, new_id()),
            )
        )
    assert "ix_materials_person" in plan, plan
    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    for column in ("district_id", "person_id", "id <"):
        assert column in condition, plan
    assert "Sort" not in plan, plan
