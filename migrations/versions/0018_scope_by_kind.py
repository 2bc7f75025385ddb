"""Row-level security by the kind of who looks; the district's zone; whose case a row belongs to."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_HERE = Path(__file__).resolve().parents[1]
_IDENTITY, _FORMER_IDENTITY = _HERE / "identity_by_kind.sql", _HERE / "identity_security.sql"

_DISTRICT = "district_id = nullif(current_setting('app.district', true), '')"
_KIND = "nullif(current_setting('app.kind', true), '')"
_PERSON = "nullif(current_setting('app.person', true), '')::uuid"
_ACCOUNT = "nullif(current_setting('app.account', true), '')::uuid"
_ENTERPRISE = "nullif(current_setting('app.enterprise', true), '')::uuid"
_HOUSEHOLD = "string_to_array(nullif(current_setting('app.household', true), ''), ',')::uuid[]"

_EVERYBODY = ("guest", "person", "agent", "staff", "system")
_SIGNED_IN = ("person", "agent", "staff", "system")
_OWN = {"person": f"person_id = {_PERSON}"}
_OWN_ACCOUNT = f"account_id = {_ACCOUNT}"
_FOLLOWED = (
    f"employer_id = {_ENTERPRISE} AND employer_may_follow(district_id, {_ENTERPRISE}, person_id)"
)


def _by_kind(*whole: str, **some: str) -> str:
    """The rows of the district that a kind may have: all of them, those of a condition, or none.

    One CASE and no OR of several policies: what decides is computed once for a row, and the planner
    reckons with half of the rows instead of next to none. No sub-query: a distributed engine
    refuses one in a policy.
    """
    cases = [f"WHEN '{kind}' THEN true" for kind in whole]
    cases += [f"WHEN '{kind}' THEN {condition}" for kind, condition in some.items()]
    return f"{_DISTRICT} AND CASE {_KIND} {' '.join(cases)} ELSE false END"


_OFFICE = _by_kind("staff", "system", **_OWN)
_SYSTEM = _by_kind("system")

# By table: (name, command, condition). The condition of a command that writes is also the check.
_POLICIES: dict[str, list[tuple[str, str, str]]] = {
    # what a district publishes
    **{
        table: [("read", "SELECT", _by_kind(*_EVERYBODY)), ("by_kind", "ALL", _SYSTEM)]
        for table in (
            "departments",
            "calendars",
            "calendar_days",
            "offering_versions",
            "bundle_versions",
            "pack_releases",
            "fact_kinds",
        )
    },
    # cases: the applicant's own, the office's all
    **{
        table: [("by_kind", "ALL", _OFFICE)]
        for table in (
            "ticket_sections",
            "ticket_materials",
            "stages",
            "tasks",
            "due_changes",
            "clock_segments",
            "corrections",
            "relied_facts",
        )
    },
    **{
        table: [
            ("by_kind", "ALL", _OFFICE),
            ("followed", "SELECT", _by_kind(agent=_FOLLOWED)),
        ]
        for table in ("items", "edges")
    },
    "tickets": [
        ("by_kind", "ALL", _OFFICE),
        ("followed", "SELECT", _by_kind(agent=_FOLLOWED)),
        ("own", "SELECT", f"{_KIND} = 'person' AND person_id = {_PERSON}"),
    ],
    "drafts": [("by_kind", "ALL", _by_kind("system", **_OWN))],
    # people's papers
    "facts": [
        ("by_kind", "ALL", _by_kind("staff", "system")),
        ("household", "SELECT", _by_kind(person=f"person_id = ANY ({_HOUSEHOLD})")),
        ("own", "SELECT", f"{_KIND} = 'person' AND person_id = {_PERSON}"),
    ],
    "materials": [
        ("by_kind", "ALL", _OFFICE),
        ("own", "SELECT", f"{_KIND} = 'person' AND person_id = {_PERSON}"),
    ],
    "notices": [("by_kind", "ALL", _by_kind("system", person=_OWN_ACCOUNT))],
    # employers
    "enterprises": [
        ("read", "SELECT", _by_kind(*_SIGNED_IN)),
        ("by_kind", "ALL", _SYSTEM),
    ],
    "enterprise_agents": [
        ("read", "SELECT", _by_kind("staff", agent=_OWN_ACCOUNT)),
        ("by_kind", "ALL", _SYSTEM),
    ],
    "employments": [
        ("by_kind", "ALL", _OFFICE),
        ("read", "SELECT", _by_kind(agent=f"enterprise_id = {_ENTERPRISE}")),
        ("own", "SELECT", f"{_KIND} = 'person' AND person_id = {_PERSON}"),
    ],
    # people in the district
    "posts": [
        ("read", "SELECT", _by_kind("staff")),
        ("by_kind", "ALL", _SYSTEM),
        ("own", "SELECT", f"{_KIND} = 'staff' AND account_id = {_ACCOUNT}"),
    ],
    "consents": [
        ("read", "SELECT", _by_kind("staff", "system")),
        ("by_kind", "ALL", _by_kind(**_OWN)),
        ("own", "SELECT", f"{_KIND} = 'person' AND person_id = {_PERSON}"),
    ],
    "district_persons": [
        ("read", "SELECT", _by_kind("staff", "system", **_OWN)),
        ("arrive", "INSERT", _by_kind(**_OWN)),
    ],
    # the kernel's
    "events": [
        ("by_kind", "ALL", _by_kind("staff", "system")),
        ("told", "SELECT", _by_kind(person=f"public AND person_id = {_PERSON}")),
        (
            "write",
            "INSERT",
            _by_kind(
                person=f"actor_id = {_ACCOUNT} OR person_id = {_PERSON}",
                agent=f"actor_id = {_ACCOUNT}",
            ),
        ),
    ],
    "audit_log": [
        ("write", "INSERT", _by_kind(*_EVERYBODY)),
        ("read", "SELECT", _SYSTEM),
    ],
    "idempotency_keys": [
        (
            "by_kind",
            "ALL",
            _by_kind("system", person=_OWN_ACCOUNT, agent=_OWN_ACCOUNT, staff=_OWN_ACCOUNT),
        )
    ],
    **{
        table: [("by_kind", "ALL", _SYSTEM)]
        for table in ("handled_events", "dead_deliveries", "delivery_cursors")
    },
}
_OWN_DISTRICT = f"id = nullif(current_setting('app.district', true), '') AND {_KIND} = 'system'"
_POLICIES_OF_DISTRICTS = [
    ("read", "SELECT", f"{_KIND} IN ({', '.join(repr(kind) for kind in _EVERYBODY)})"),
    ("add", "INSERT", _OWN_DISTRICT),
    ("change", "UPDATE", _OWN_DISTRICT),
]

# As the steps before this one made them: by district alone, and one's own in every district.
_FORMER_OWN = ("tickets", "facts", "materials", "employments")
_OF_IDENTITY = ("departments", "posts", "consents", "district_persons")
_GLOBAL = ("persons", "family_links", "accounts", "credentials", "sessions", "refresh_tokens")
_FORMER_DISTRICTS = """
CREATE POLICY districts_read ON districts FOR SELECT USING (true);
CREATE POLICY districts_add ON districts FOR INSERT
    WITH CHECK (id = nullif(current_setting('app.district', true), ''));
CREATE POLICY districts_change ON districts FOR UPDATE
    USING (id = nullif(current_setting('app.district', true), ''))
    WITH CHECK (id = nullif(current_setting('app.district', true), ''))
"""
_FORMER_CASE_OF = """
CREATE FUNCTION identity_is_case_of(of_account uuid, of_person uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
    asking CONSTANT text := coalesce(current_setting('app.account', true), '');
    answer boolean;
BEGIN
    PERFORM set_config('app.account', of_account::text, true);
    answer := public.identity_is_own_case(of_person);
    PERFORM set_config('app.account', asking, true);
    RETURN answer;
END
$$;
REVOKE ALL ON FUNCTION identity_is_case_of(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_is_case_of(uuid, uuid) TO talent_app
"""

# Every row of a case names the applicant, so that its policy need not ask another table.
_OF_TICKETS = (
    "ticket_sections",
    "ticket_materials",
    "due_changes",
    "clock_segments",
    "edges",
    "corrections",
)
_OF_ITEMS = ("stages", "tasks", "relied_facts")
_ACTIVE = "status IN ('open', 'claimed')"
# Read without a look at the table, for counts: what the policy looks at has to be in them.
_COUNTED = {
    "ix_tasks_active": (["department", "due_at", "id", "warn_at"], _ACTIVE),
    "ix_tasks_offering": (["department", "offering_code", "due_at", "id", "stage_key"], _ACTIVE),
    "ix_tasks_claimed": (["department", "due_at", "id", "assignee"], "status = 'claimed'"),
    "ix_tasks_next": (["department", "role", "due_at", "id", "offering_code"], "status = 'open'"),
}


def upgrade() -> None:
    _keep_zone()
    _keep_applicant()
    _keep_employer()
    _index_counts(["person_id"])
    _drop_policies()
    op.execute(
        "-- squawk-ignore ban-drop-function\n"
        "DROP FUNCTION identity_session(uuid, uuid, text, timestamptz),"
        " identity_is_own_case(uuid), identity_is_case_of(uuid, uuid)"
    )
    op.execute(_IDENTITY.read_text(encoding="utf-8"))
    for table, policies in _POLICIES.items():
        _protect(table, policies)
    _protect("districts", _POLICIES_OF_DISTRICTS)
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE sessions DROP CONSTRAINT fk_sessions_district_id"
    )


def downgrade() -> None:
    """Rows keep what they say; whose case they belong to is found again by the way up."""
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint\n"
        "ALTER TABLE sessions ADD CONSTRAINT fk_sessions_district_id"
        " FOREIGN KEY (district_id) REFERENCES districts (id)"
    )
    _drop_policies()
    op.execute(
        "DROP FUNCTION identity_has_acted(uuid), identity_works_here(uuid),"
        " identity_cases_of(uuid), identity_session(uuid, uuid, text, timestamptz),"
        " identity_names_at_work(text[], uuid[]), identity_login(text, bytea),"
        " identity_refresh(bytea),"
        " employer_may_follow(text, uuid, uuid), employer_names(uuid[])"
    )
    op.execute(_FORMER_IDENTITY.read_text(encoding="utf-8"))
    op.execute(_FORMER_CASE_OF)
    op.execute(_FORMER_DISTRICTS)
    for table in sorted(set(_POLICIES) - set(_OF_IDENTITY)):
        _protect_by_district(table)
    _index_counts([])
    for table in ("edges", "items"):
        op.drop_column(table, "employer_id")
    for table in (*_OF_TICKETS, *_OF_ITEMS, "events"):
        op.drop_column(table, "person_id")
    op.drop_column("districts", "zone")


def _keep_zone() -> None:
    """One place for a district's zone, and for what counts where a pack names none."""
    op.execute(
        "-- squawk-ignore adding-field-with-default\n"
        "ALTER TABLE districts ADD COLUMN zone text NOT NULL"
        " GENERATED ALWAYS AS (coalesce(settings ->> 'zone', 'Asia/Shanghai')) STORED"
    )


def _keep_applicant() -> None:
    for table in (*_OF_TICKETS, *_OF_ITEMS, "events"):
        op.add_column(table, sa.Column("person_id", sa.Uuid(), nullable=True))
    for table in (*_OF_TICKETS, "events"):
        _fill(table, "tickets", "ticket_id", "person_id")
    for table in _OF_ITEMS:
        _fill(table, "items", "item_id", "person_id")
    for table in (*_OF_TICKETS, *_OF_ITEMS):
        op.execute(
            "-- squawk-ignore adding-not-nullable-field\n"
            f"ALTER TABLE {table} ALTER COLUMN person_id SET NOT NULL"
        )


def _keep_employer() -> None:
    for table in ("items", "edges"):
        op.add_column(table, sa.Column("employer_id", sa.Uuid(), nullable=True))
        _fill(table, "tickets", "ticket_id", "employer_id")


def _fill(table: str, parent: str, key: str, column: str) -> None:
    op.execute(
        f"UPDATE {table} SET {column} = {parent}.{column} FROM {parent}"
        f" WHERE {parent}.district_id = {table}.district_id AND {parent}.id = {table}.{key}"
    )


def _index_counts(included: list[str]) -> None:
    """Inside a transaction an index cannot be made concurrently, as the linter would have it."""
    for name, (columns, condition) in _COUNTED.items():
        op.execute(f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {name}")
        op.create_index(
            name,
            "tasks",
            ["district_id", *columns],
            unique=False,
            postgresql_include=included,
            postgresql_where=sa.text(condition),
        )


def _drop_policies() -> None:
    """All that these tables have, whatever it is called: none may be left that shows more."""
    tables = ", ".join(f"'{table}'" for table in (*_POLICIES, *_GLOBAL, "districts"))
    op.execute(
        f"""
        DO $$
        DECLARE
            found record;
        BEGIN
            FOR found IN SELECT policyname, tablename FROM pg_policies
                         WHERE schemaname = 'public' AND tablename IN ({tables}) LOOP
                EXECUTE format('DROP POLICY %I ON public.%I', found.policyname, found.tablename);
            END LOOP;
        END
        $$
        """
    )


def _protect(table: str, policies: list[tuple[str, str, str]]) -> None:
    for name, command, condition in policies:
        held = f"WITH CHECK ({condition})" if command == "INSERT" else f"USING ({condition})"
        op.execute(f"CREATE POLICY {table}_{name} ON {table} FOR {command} {held}")


def _protect_by_district(table: str) -> None:
    op.execute(
        f"CREATE POLICY {table}_district ON {table} USING ({_DISTRICT}) WITH CHECK ({_DISTRICT})"
    )
    if table in _FORMER_OWN:
        op.execute(f"CREATE POLICY {table}_own ON {table} FOR SELECT USING (person_id = {_PERSON})")
