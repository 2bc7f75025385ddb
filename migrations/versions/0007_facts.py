"""Verified facts about persons, and the kinds of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _protect(*tables: str) -> None:
    """Row-level security: only the rows of the transaction's district; none without one."""
    own = "district_id = nullif(current_setting('app.district', true), '')"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_district ON {table} USING ({own}) WITH CHECK ({own})")


def upgrade() -> None:
    op.create_table(
        "fact_kinds",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("schema", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.id"], name=op.f("fk_fact_kinds_district_id")
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_fact_kinds")),
        sa.UniqueConstraint("district_id", "code", name=op.f("uq_fact_kinds_district_id_code")),
    )
    op.create_table(
        "facts",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("material_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revocation_reason", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_facts_days_in_order")),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)"
            " AND (revoked_at IS NULL) = (revocation_reason IS NULL)",
            name=op.f("ck_facts_revocation_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "issuer"],
            ["departments.district_id", "departments.code"],
            name=op.f("fk_facts_district_id_issuer"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "kind"],
            ["fact_kinds.district_id", "fact_kinds.code"],
            name=op.f("fk_facts_district_id_kind"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_facts")),
    )
    op.create_index(
        "ix_facts_person", "facts", ["district_id", "person_id", "kind", "id"], unique=False
    )
    _protect("fact_kinds", "facts")
    op.execute(
        "CREATE POLICY facts_own ON facts FOR SELECT"
        " USING (person_id = nullif(current_setting('app.person', true), '')::uuid)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON fact_kinds TO talent_app")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (revoked_at, revoked_by, revocation_reason)"
        " ON facts TO talent_app"
    )


def downgrade() -> None:
    op.drop_index("ix_facts_person", table_name="facts")
    op.drop_table("facts")
    op.drop_table("fact_kinds")
