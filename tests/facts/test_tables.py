"""What the database itself holds facts to: constraints, grants, row-level security, an index."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.facts import actions
from service.facts.models import FactKind
from service.kernel.db import Scope, insert_rows
from service.kernel.ids import new_id
from tests.facts.issuing import AT, DISTRICT, ELSEWHERE, LONG_AGO, TODAY, new
from tests.scopes import as_application


@pytest.fixture
def asked(database_name):
    """The ids of the facts that a scope sees, without any condition."""

    def look(**scope):
        with as_application(database_name, **scope) as connection:
            return {row[0] for row in connection.execute("SELECT id FROM facts")}

    return look


# --- row-level security


def test_a_district_sees_its_own_alone(issue, person, asked):
    fact_id = issue(person)
    assert fact_id in asked(district=DISTRICT)
    assert asked(district=ELSEWHERE) == asked() == asked(district="", person="") == set()


def test_a_person_sees_their_facts_in_every_district(issue, person, asked):
    mine, others = issue(person), issue(new_id())
    assert asked(person=person) == asked(district=ELSEWHERE, person=person) == {mine}
    assert asked(district=ELSEWHERE, person=new_id()) == set()
    assert others not in asked(person=person)


def test_and_changes_them_in_none(issue, person, database_name):
    issue(person)
    everything = (
        "UPDATE facts SET revoked_at = now(), revoked_by = gen_random_uuid(),"
        " revocation_reason = '' WHERE person_id = %s"
    )
    for district in ("", ELSEWHERE):
        with as_application(database_name, district=district, person=person) as connection:
            assert connection.execute(everything, (person,)).rowcount == 0


def test_another_districts_fact_cannot_be_written(person, database_name):
    with (
        as_application(database_name, district=ELSEWHERE, person=person) as connection,
        pytest.raises(errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(
            "INSERT INTO facts (district_id, id, person_id, kind, value, issuer, valid_from,"
            " issued_at) VALUES ('demo', gen_random_uuid(), %s, 'tier', '',"
            " 'public_security', now(), now())",
            (person,),
        )


def test_kinds_are_the_districts(database_name):
    def known(**scope):
        with as_application(database_name, **scope) as connection:
            return {row[0] for row in connection.execute("SELECT code FROM fact_kinds")}

    assert {"tier", "abode"} <= known(district=DISTRICT)
    assert known(district=ELSEWHERE) == known() == set()


def test_kinds_are_published_for_the_transactions_district_alone(database):
    kind = {"code": "pension", "title": {"zh": "养老", "en": "Pension"}, "schema": {}}
    with (
        pytest.raises(DBAPIError) as refused,
        database.transaction(Scope.system()) as session,
    ):
        actions.publish_fact_kinds(session, kinds=[kind], at=AT)
    assert isinstance(refused.value.orig, errors.InsufficientPrivilege)


# --- grants


@pytest.mark.parametrize(
    "statement",
    [
        *(
            f"UPDATE facts SET {column} = {column}"
            for column in (
                "district_id", "id", "person_id", "kind", "value", "issuer", "item_id",
                "material_id", "valid_from", "valid_to", "issued_at", "issued_by",
            )
        ),
        "DELETE FROM facts",
        "TRUNCATE facts",
        "DELETE FROM fact_kinds",
        "TRUNCATE fact_kinds CASCADE",
    ],
)  # fmt: skip
def test_the_application_may_revoke_and_nothing_else(issue, person, database_name, statement):
    issue(person)
    with (
        as_application(database_name, district=DISTRICT) as connection,
        pytest.raises(errors.InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute(statement)


# --- constraints


@pytest.fixture
def refused(session):
    """Runs what the database should refuse; gives the constraint that did."""

    def run(act):
        with pytest.raises(IntegrityError) as error:
            act()
        return error.value.orig.diag.constraint_name

    return run


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"valid_to": LONG_AGO - timedelta(days=1)}, "ck_facts_days_in_order"),
        ({"kind": "unheard_of"}, "fk_facts_district_id_kind"),
        ({"issuer": "nobody"}, "fk_facts_district_id_issuer"),
    ],
)
def test_what_cannot_be_is_not_issued(session, clerk, person, refused, changes, constraint):
    facts = [new(person), new(person, **changes)]
    assert refused(lambda: actions.issue_facts(session, clerk, facts=facts, at=AT)) == constraint


def test_a_fact_of_one_day_can_be(session, clerk, person):
    facts = [new(person, valid_from=TODAY, valid_to=TODAY)]
    assert len(actions.issue_facts(session, clerk, facts=facts, at=AT)) == 1


@pytest.mark.parametrize(
    "parts",
    [
        "revoked_at = now()",
        "revoked_by = gen_random_uuid()",
        "revocation_reason = 'x'",
        "revoked_at = now(), revoked_by = gen_random_uuid()",
        "revoked_at = now(), revocation_reason = 'x'",
        "revoked_by = gen_random_uuid(), revocation_reason = 'x'",
    ],
)
def test_a_revocation_is_whole(issue, person, database_name, parts):
    fact_id = issue(person)
    with (
        as_application(database_name, district=DISTRICT) as connection,
        pytest.raises(errors.CheckViolation, match="ck_facts_revocation_whole"),
    ):
        connection.execute(f"UPDATE facts SET {parts} WHERE id = %s", (fact_id,))


def test_a_code_stands_once_in_a_district(session, refused):
    kind = {"district_id": DISTRICT, "code": "tier", "title": {}, "schema": {}}
    rows = [kind | {"published_at": AT}]
    found = refused(lambda: insert_rows(session, FactKind, rows))
    assert found == "uq_fact_kinds_district_id_code"


# --- the index


def test_a_persons_facts_are_found_by_the_index_under_row_level_security(
    database_name, issue, person, superuser
):
    """Conditions of a policy or of a query that are not leakproof would keep it from being used."""
    issue(person)
    superuser.execute("ANALYZE facts")
    with as_application(database_name, district=DISTRICT, person=person) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        plan = "\n".join(
            row[0]
            for row in connection.execute(
                "EXPLAIN SELECT id FROM facts WHERE district_id = 'demo' AND person_id IN (%s, %s)"
                " AND revoked_at IS NULL AND valid_from <= %s ORDER BY id DESC",
                (person, new_id(), TODAY),
            )
        )
    assert "ix_facts_person" in plan, plan
    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    assert "district_id" in condition, plan
    assert "person_id" in condition, plan
