"""Published versions of offerings and bundles; what is published never changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
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
        "bundle_versions",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "retired_at >= published_at", name=op.f("ck_bundle_versions_retired_after_published")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_bundle_versions_version")),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.id"], name=op.f("fk_bundle_versions_district_id")
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_bundle_versions")),
        sa.UniqueConstraint(
            "district_id",
            "code",
            "version",
            name=op.f("uq_bundle_versions_district_id_code_version"),
        ),
    )
    op.create_index(
        "uq_bundle_versions_in_force",
        "bundle_versions",
        ["district_id", "code"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "offering_versions",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "retired_at >= published_at", name=op.f("ck_offering_versions_retired_after_published")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_offering_versions_version")),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.id"], name=op.f("fk_offering_versions_district_id")
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_offering_versions")),
        sa.UniqueConstraint(
            "district_id",
            "code",
            "version",
            name=op.f("uq_offering_versions_district_id_code_version"),
        ),
    )
    op.create_index(
        "uq_offering_versions_in_force",
        "offering_versions",
        ["district_id", "code"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    for table in ("offering_versions", "bundle_versions"):
        _protect(table)
        op.execute(f"GRANT SELECT, INSERT, UPDATE (retired_at) ON {table} TO talent_app")


def downgrade() -> None:
    op.drop_index(
        "uq_offering_versions_in_force",
        table_name="offering_versions",
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.drop_table("offering_versions")
    op.drop_index(
        "uq_bundle_versions_in_force",
        table_name="bundle_versions",
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.drop_table("bundle_versions")
