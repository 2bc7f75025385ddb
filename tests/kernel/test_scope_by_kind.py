"""What each kind of scope sees and changes in each protected table, without any WHERE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.types.json import Jsonb
from sqlalchemy import JSON

from service.kernel.db import Base, ScopeKind
from service.local.demonstration import ENTERPRISE
from tests.conftest import url_of
from tests.families import DISTRICT
from tests.kernel.peopled import live_in_two_districts
from tests.scopes import as_application

EVERYTHING, NOTHING = "true", "false"
OWN = "person_id = %(person)s"
OWN_ACCOUNT = "account_id = %(account)s"
HERE = "EXISTS (SELECT FROM district_persons d WHERE d.district_id = 'demo' AND d.person_id = {})"
FOLLOWED = (
    "employer_id = %(enterprise)s AND EXISTS (SELECT FROM employments e WHERE e.person_id ="
    " {0}.person_id AND e.enterprise_id = {0}.employer_id AND e.ended_on IS NULL)"
)


def kinds(**seen: str) -> dict[ScopeKind, str]:
    """What each kind sees of the district's rows; nothing where it is not named."""
    return {kind: seen.get(kind.value, NOTHING) for kind in ScopeKind}


PUBLISHED = kinds(**dict.fromkeys(ScopeKind, EVERYTHING))
OFFICE = kinds(person=OWN, staff=EVERYTHING, system=EVERYTHING)
SERVICE = kinds(system=EVERYTHING)
EMPLOYEE = "SELECT person_id FROM employments WHERE enterprise_id = %(enterprise)s"
PEOPLE = HERE.format("persons.id") + (
    " OR NOT holder AND EXISTS (SELECT FROM family_links l WHERE l.member_id = persons.id AND "
    + HERE.format("l.person_id")
    + ")"
)
STAFF_HERE = "EXISTS (SELECT FROM posts p WHERE p.district_id = 'demo' AND p.account_id = {})"
COLLEAGUES = f"id = %(account)s OR {STAFF_HERE.format('accounts.id')}"
SIGNED_IN = dict.fromkeys(("person", "agent", "staff"), OWN_ACCOUNT)

UNREACHED = "person_keys"
"""A table the application has no right to; it asks functions that know whom they are asked for."""

SEEN: Mapping[str, dict[ScopeKind, str]] = {
    **dict.fromkeys(
        (
            "departments", "calendars", "calendar_days", "offering_versions", "bundle_versions",
            "pack_releases", "fact_kinds",
        ),
        PUBLISHED,
    ),
    "districts": PUBLISHED,
    **dict.fromkeys(
        (
            "ticket_sections", "ticket_materials", "stages", "tasks", "due_changes",
            "clock_segments", "corrections", "relied_facts", "materials",
        ),
        OFFICE,
    ),
    **{
        table: OFFICE | {ScopeKind.AGENT: FOLLOWED.format(table)}
        for table in ("tickets", "items", "edges")
    },
    "drafts": kinds(person=OWN, system=EVERYTHING),
    "facts": OFFICE | {ScopeKind.PERSON: "person_id = ANY (%(household)s)"},
    "notices": kinds(person=OWN_ACCOUNT, system=EVERYTHING),
    "enterprises": PUBLISHED | {ScopeKind.GUEST: NOTHING},
    "enterprise_agents": kinds(agent=OWN_ACCOUNT, staff=EVERYTHING, system=EVERYTHING),
    "employments": OFFICE | {ScopeKind.AGENT: "enterprise_id = %(enterprise)s"},
    "authorities": kinds(
        person=OWN, agent="enterprise_id = %(enterprise)s", system=EVERYTHING
    ),
    "posts": kinds(staff=EVERYTHING, system=EVERYTHING),
    "consents": OFFICE,
    "district_persons": OFFICE,
    "events": OFFICE | {ScopeKind.PERSON: f"public AND {OWN}"},
    "audit_log": SERVICE,
    **dict.fromkeys(("handled_events", "dead_deliveries", "delivery_cursors"), SERVICE),
    "idempotency_keys": kinds(system=EVERYTHING, **SIGNED_IN),
    "persons": kinds(
        person="id = ANY (%(household)s)", staff=PEOPLE, system=PEOPLE
    ),
    "family_links": kinds(
        person=OWN, **dict.fromkeys(("staff", "system"), HERE.format("family_links.person_id"))
    ),
    "accounts": kinds(
        person="id = %(account)s",
        agent="id = %(account)s",
        staff=COLLEAGUES,
        system=STAFF_HERE.format("accounts.id"),
    ),
    "credentials": kinds(**SIGNED_IN),
    "sessions": kinds(**SIGNED_IN),
    "refresh_tokens": kinds(
        **dict.fromkeys(
            SIGNED_IN, f"session_id IN (SELECT id FROM sessions WHERE {OWN_ACCOUNT})"
        )
    ),
}  # fmt: skip
WHOLE = {EVERYTHING, NOTHING}
WITHOUT = {  # none of their requests had a key
    ("idempotency_keys", ScopeKind.AGENT),
    ("idempotency_keys", ScopeKind.STAFF),
}


@dataclass
class Looker:
    """Somebody of a kind: what their transaction is told, as `app.…`."""

    kind: ScopeKind
    district: str = "demo"
    person: Any = ""
    account: Any = ""
    enterprise: Any = ""
    household: tuple[Any, ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        household = ",".join(map(str, self.household))
        return vars(self) | {"kind": self.kind.value, "household": household}

    @property
    def values(self) -> dict[str, Any]:
        """What the conditions above compare with."""
        return {
            "person": self.person or None,
            "account": self.account or None,
            "enterprise": self.enterprise or None,
            "household": list(self.household),
        }


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def lookers(app, database, superuser) -> dict[ScopeKind, Looker]:
    """One of each kind, in a district where there are others of it."""
    lived = live_in_two_districts(app, database, superuser)
    account = lived["talent"].account["id"]
    person = one(superuser, "SELECT person_id FROM accounts WHERE id = %s", account)
    rows = superuser.execute("SELECT member_id FROM family_links WHERE person_id = %s", (person,))
    family = [row[0] for row in rows]
    agent, enterprise = superuser.execute(
        "SELECT account_id, enterprise_id FROM enterprise_agents JOIN enterprises e USING"
        " (district_id) WHERE district_id = 'demo' AND e.id = enterprise_id AND credit_code = %s",
        (ENTERPRISE[0],),
    ).fetchone()
    clerk = lived["world"].staff("clerk.public_security").account["id"]
    lived["world"].staff("agent.1")
    return {
        looker.kind: looker
        for looker in (
            Looker(ScopeKind.GUEST),
            Looker(ScopeKind.PERSON, person=person, account=account, household=(person, *family)),
            Looker(ScopeKind.AGENT, account=agent, enterprise=enterprise),
            Looker(ScopeKind.STAFF, account=clerk),
            Looker(ScopeKind.SYSTEM),
        )
    }


def one(connection, statement, *values):
    (found,) = connection.execute(statement, values).fetchone()
    return found


def ids(connection, table, condition=EVERYTHING, values=None, *, begin="SELECT id FROM {}"):
    statement = sql.SQL(begin).format(sql.Identifier(table))
    if condition != EVERYTHING:
        statement += sql.SQL(f" WHERE {condition}")
    return {row[0] for row in connection.execute(statement, values)}


def expected(superuser, looker, table):
    """The ids that a looker may see: of the district, or of the global family."""
    condition = f"({SEEN[table][looker.kind]})"
    if table in DISTRICT:
        condition += " AND district_id = 'demo'"
    return ids(superuser, table, condition, looker.values)


def protected(superuser) -> dict[str, bool]:
    """Every table of the service's own, and whether row-level security holds it."""
    return dict(
        superuser.execute(
            "SELECT relname, relrowsecurity FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND NOT relispartition AND relnamespace = 'public'::regnamespace"
            " AND relname NOT LIKE 'procrastinate%' AND relname <> 'alembic_version'"
        ).fetchall()
    )


def test_every_table_states_who_sees_it(superuser):
    """A new table has row-level security and a line in `SEEN`, or it is not published."""
    tables = protected(superuser)
    assert all(tables.values()), [name for name, held in tables.items() if not held]
    assert set(tables) == set(SEEN) | {UNREACHED}


def test_the_keys_of_persons_are_not_the_applications_to_read(superuser):
    granted = "SELECT count(*) FROM information_schema.role_table_grants WHERE table_name = %s"
    granted += " AND grantee = 'talent_app'"
    assert superuser.execute(granted, (UNREACHED,)).fetchone() == (0,)


def test_every_policy_decides_by_kind(superuser):
    """A policy that forgets the kind would show its rows to all of them."""
    found = superuser.execute(
        "SELECT policyname, tablename, coalesce(qual, '') || coalesce(with_check, '')"
        " FROM pg_policies WHERE NOT 'talent_keys' = ANY (roles)"
    ).fetchall()
    assert [name for name, _, text in found if "'app.kind'" not in text] == []
    assert {table for _, table, _ in found} == set(SEEN)


@pytest.mark.parametrize("kind", list(ScopeKind))
@pytest.mark.parametrize("table", sorted(SEEN))
def test_what_a_forgotten_condition_shows(lookers, superuser, database_name, table, kind):
    looker = lookers[kind]
    wanted = expected(superuser, looker, table)
    with as_application(database_name, **looker.settings) as connection:
        assert ids(connection, table) == wanted
    condition = SEEN[table][kind]
    if condition != NOTHING and (table, kind) not in WITHOUT:
        assert wanted, "the test has rows to show"
    if condition not in WHOLE:
        there = " WHERE district_id = 'demo'" if table in DISTRICT else ""
        count = one(superuser, f"SELECT count(*) FROM {table}{there}")
        assert len(wanted) < count, "and others to hide"


@pytest.mark.parametrize("kind", [ScopeKind.GUEST, ScopeKind.PERSON, ScopeKind.AGENT])
@pytest.mark.parametrize("table", sorted(SEEN))
def test_what_a_forgotten_condition_changes(lookers, superuser, database_name, table, kind):
    """Nothing but one's own; most of it the role may not change or delete at all."""
    looker = lookers[kind]
    own = set() if kind is not ScopeKind.PERSON else expected(superuser, looker, table)
    if SEEN[table][kind] == EVERYTHING:
        own = set()
    if table in {"accounts", "credentials", "sessions", "refresh_tokens", "idempotency_keys"}:
        own = expected(superuser, looker, table)
    columns = superuser.execute(
        "SELECT column_name FROM information_schema.column_privileges WHERE table_name = %s"
        " AND privilege_type = 'UPDATE' AND grantee = 'talent_app' LIMIT 1",
        (table,),
    ).fetchall()
    begins = [f"UPDATE {{}} SET {column} = {column} RETURNING id" for (column,) in columns]
    for begin in (*begins, "DELETE FROM {} RETURNING id"):
        with as_application(database_name, **looker.settings) as connection:
            try:
                assert ids(connection, table, begin=begin) <= own
            except (errors.InsufficientPrivilege, errors.ForeignKeyViolation):
                continue
            except errors.GeneratedAlways:
                pytest.fail(f"{table}: the first column is generated")


# What a guest, a talent and an agent may write at all; of their own alone.
WRITABLE = {
    ScopeKind.GUEST: {"audit_log"},
    ScopeKind.AGENT: {"audit_log"},
    ScopeKind.PERSON: {"audit_log", "persons"},
}


@pytest.mark.parametrize("kind", list(WRITABLE))
@pytest.mark.parametrize("table", sorted(set(SEEN) - {"districts"}))
def test_nobody_elses_row_can_be_written(lookers, superuser, database_name, table, kind):
    """A copy of a row that the looker does not see, under another id."""
    looker = lookers[kind]
    hidden = f"NOT coalesce(({SEEN[table][kind]}), false)"
    if SEEN[table][kind] == EVERYTHING:
        hidden = EVERYTHING
    if table in DISTRICT:
        hidden += " AND district_id = 'demo'"
    if table == "events" and kind is ScopeKind.PERSON:
        # What they do themselves they write, though not all of it is told to them.
        hidden += f" AND actor_id <> %(account)s AND NOT {OWN}"
    columns = [column for column in Base.metadata.tables[table].columns if not column.computed]
    row = superuser.execute(
        sql.SQL("SELECT {} FROM {} WHERE {} LIMIT 1").format(
            sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
            sql.Identifier(table),
            sql.SQL(hidden),
        ),
        looker.values,
    ).fetchone()
    if row is None or table in WRITABLE[kind]:
        return
    values = {
        column.name: Jsonb(value) if isinstance(column.type, JSON) else value
        for column, value in zip(columns, row, strict=True)
        if column.name != "xid"
    } | {"id": uuid4()}
    insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() for _ in values),
    )
    with (
        as_application(database_name, **looker.settings) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(insert, list(values.values()))


@pytest.mark.parametrize("kind", [kind for kind in ScopeKind if kind is not ScopeKind.SYSTEM])
def test_nobody_gives_themselves_a_post_or_moves_the_office_hours(lookers, database_name, kind):
    settings = lookers[kind].settings
    post = (
        "INSERT INTO posts (district_id, id, account_id, department, role, valid_from)"
        " VALUES ('demo', gen_random_uuid(), %s, 'construction', 'head', '2026-01-01')"
    )
    with (
        as_application(database_name, **settings) as connection,
        pytest.raises(errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(post, (settings["account"] or uuid4(),))
    for statement in (
        "UPDATE posts SET role = 'head'",
        "DELETE FROM posts",
        "UPDATE districts SET settings = '{}'",
    ):
        with as_application(database_name, **settings) as connection:
            assert connection.execute(statement).rowcount == 0


def test_a_consent_withdrawn_hides_the_ticket_from_the_agent(lookers, superuser, database_name):
    """At the next statement, in the same transaction."""
    settings = lookers[ScopeKind.AGENT].settings
    with as_application(database_name, **settings) as connection:
        assert ids(connection, "tickets")
        superuser.execute("UPDATE consents SET withdrawn_at = now() WHERE code = 'enterprise'")
        try:
            for table in ("tickets", "items", "edges"):
                assert ids(connection, table) == set()
            people = list(ids(connection, "employments", begin="SELECT person_id FROM {}"))
            named = "SELECT id FROM employer_names(%s)"
            assert people
            # Who lets the enterprise file is named as long as they do.
            authorised = ids(connection, "authorities", begin="SELECT person_id FROM {}")
            assert {row[0] for row in connection.execute(named, (people,))} == authorised
            superuser.execute("UPDATE authorities SET revoked_at = now()")
            assert connection.execute(named, (people,)).fetchall() == []
        finally:
            superuser.execute("UPDATE authorities SET revoked_at = NULL")
            superuser.execute("UPDATE consents SET withdrawn_at = NULL WHERE code = 'enterprise'")
