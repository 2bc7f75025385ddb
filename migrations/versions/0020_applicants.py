"""An applicant is a person or an enterprise, and need not be who acts: authorities."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_OWN = "district_id = nullif(current_setting('app.district', true), '')"
_ONE_APPLICANT = (
    "CASE applicant_kind WHEN 'person' THEN person_id IS NOT NULL AND enterprise_id IS NULL"
    " ELSE person_id IS NULL AND enterprise_id IS NOT NULL END"
)
_KIND = "nullif(current_setting('app.kind', true), '')"
_PERSON = "nullif(current_setting('app.person', true), '')::uuid"
_ENTERPRISE = "nullif(current_setting('app.enterprise', true), '')::uuid"
# Below tickets and items: what an enterprise applied for is no person's.
_OF_CASES = (
    "ticket_sections",
    "ticket_materials",
    "due_changes",
    "clock_segments",
    "edges",
    "corrections",
    "stages",
    "tasks",
    "relied_facts",
)
_AUTHORISED = """
        OR EXISTS (
            SELECT FROM public.authorities authority
            JOIN public.employments employment
              ON employment.district_id = authority.district_id
             AND employment.id = authority.employment_id
            WHERE authority.district_id = district AND authority.enterprise_id = enterprise
              AND authority.person_id = asked.person AND authority.revoked_at IS NULL
              AND employment.ended_on IS NULL
        )"""
_FORMER_NAMES = """
CREATE OR REPLACE FUNCTION employer_names(of_persons uuid[]) RETURNS TABLE (id uuid, name bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    district CONSTANT text := nullif(current_setting('app.district', true), '');
    enterprise CONSTANT uuid := nullif(current_setting('app.enterprise', true), '')::uuid;
    followed CONSTANT uuid[] := ARRAY(
        SELECT asked.person FROM unnest(of_persons) AS asked (person)
        WHERE public.employer_may_follow(district, enterprise, asked.person)
    );
BEGIN
    RETURN QUERY SELECT person.id, person.name FROM public.persons person
    WHERE person.id = ANY (followed);
END
$$
"""
_FOLLOWS = "employer_may_follow(district, enterprise, asked.person)"
# Who lets the enterprise file is named to its agents, too.
_NAMES = _FORMER_NAMES.replace(_FOLLOWS, _FOLLOWS + _AUTHORISED)
_OPEN = "phase <> 'ended'"


def _check(table: str, name: str, condition: str) -> None:
    """The linter would have it validated in a second transaction; the tables are not that large."""
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition})"
    )


def _reference(table: str, column: str, target: str) -> None:
    """Nothing to look at: the column is new, and empty."""
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_district_id_{column}"
        f" FOREIGN KEY (district_id, {column}) REFERENCES {target} (district_id, id)"
    )


def _index(table: str, name: str, columns: list[str], condition: str, **options: bool) -> None:
    unique = options.pop("unique", False)
    op.create_index(
        name,
        table,
        ["district_id", *columns],
        unique=unique,
        postgresql_where=sa.text(condition),
        **options,
    )


def _drop_index(name: str) -> None:
    """Inside a transaction an index cannot be dropped concurrently, as the linter would have it."""
    op.execute(f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {name}")


def _may_be_nobody(table: str) -> None:
    """What was read as a person before is one still: only enterprises' own rows have none."""
    op.execute(
        "-- squawk-ignore ban-drop-not-null\n"
        f"ALTER TABLE {table} ALTER COLUMN person_id DROP NOT NULL"
    )


def _open_once(*applicant: str) -> None:
    _drop_index("uq_items_open")
    columns = [*applicant, "offering_code", "subject_id"]
    once = {"unique": True, "postgresql_nulls_not_distinct": True}
    _index("items", "uq_items_open", columns, _OPEN, **once)


def upgrade() -> None:
    op.create_table(
        "authorities",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("employment_id", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "revoked_at >= given_at", name=op.f("ck_authorities_revoked_after_given")
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "enterprise_id"],
            ["enterprises.district_id", "enterprises.id"],
            name=op.f("fk_authorities_district_id_enterprise_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "employment_id"],
            ["employments.district_id", "employments.id"],
            name=op.f("fk_authorities_district_id_employment_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_authorities")),
    )
    _index(
        "authorities",
        "uq_authorities_open",
        ["employment_id"],
        "revoked_at IS NULL",
        unique=True,
    )
    op.create_index(
        "ix_authorities_person", "authorities", ["district_id", "person_id", "id"], unique=False
    )
    _index(
        "authorities", "ix_authorities_enterprise", ["enterprise_id", "id"], "revoked_at IS NULL"
    )
    op.execute("ALTER TABLE authorities ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY authorities_by_kind ON authorities"
        f" USING ({_OWN} AND CASE {_KIND} WHEN 'system' THEN true"
        f" WHEN 'person' THEN person_id = {_PERSON} ELSE false END)"
    )
    # To be locked while it is used: UPDATE, which changes what WITH CHECK does not let it.
    for name, command, held in (
        ("read", "SELECT", ""),
        ("used", "UPDATE", " WITH CHECK (false)"),
    ):
        op.execute(
            f"CREATE POLICY authorities_{name} ON authorities FOR {command}"
            f" USING ({_OWN} AND CASE {_KIND} WHEN 'agent' THEN enterprise_id = {_ENTERPRISE}"
            f" ELSE false END){held}"
        )
    op.execute(
        f"CREATE POLICY authorities_own ON authorities FOR SELECT"
        f" USING ({_KIND} = 'person' AND person_id = {_PERSON})"
    )
    op.execute(_NAMES)
    op.execute("GRANT SELECT, INSERT, UPDATE (revoked_at) ON authorities TO talent_app")

    for table in ("tickets", "items"):
        op.add_column(
            table,
            sa.Column(
                "applicant_kind", sa.Text(), server_default=sa.text("'person'"), nullable=False
            ),
        )
        op.add_column(table, sa.Column("enterprise_id", sa.Uuid(), nullable=True))
        _may_be_nobody(table)
        _check(table, "applicant_kind", "applicant_kind IN ('person', 'enterprise')")
        _check(table, "one_applicant", _ONE_APPLICANT)
        _reference(table, "enterprise_id", "enterprises")
    for table in _OF_CASES:
        _may_be_nobody(table)
    op.add_column(
        "tickets",
        sa.Column("authority", sa.Text(), server_default=sa.text("'own'"), nullable=False),
    )
    op.add_column("tickets", sa.Column("authority_id", sa.Uuid(), nullable=True))
    _check("tickets", "authority", "authority IN ('own', 'agent')")
    _check("tickets", "authority_is_recorded", "(authority = 'agent') = (authority_id IS NOT NULL)")
    _reference("tickets", "authority_id", "authorities")
    _index("tickets", "ix_tickets_enterprise", ["enterprise_id", "id"], "enterprise_id IS NOT NULL")
    _open_once("person_id", "enterprise_id")


def downgrade() -> None:
    """Raises where an enterprise has applied for itself: such a ticket had no place before."""
    _open_once("person_id")
    _drop_index("ix_tickets_enterprise")
    for column in ("authority_id", "authority"):
        op.drop_column("tickets", column)
    op.execute(_FORMER_NAMES)
    for table in (*_OF_CASES, "items", "tickets"):
        op.execute(
            "-- squawk-ignore adding-not-nullable-field\n"
            f"ALTER TABLE {table} ALTER COLUMN person_id SET NOT NULL"
        )
    for table in ("items", "tickets"):
        for column in ("enterprise_id", "applicant_kind"):
            op.drop_column(table, column)
    op.drop_table("authorities")
