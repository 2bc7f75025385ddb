"""Materials: the documents that talents hand in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TYPES = (
    "'application/pdf', 'image/jpeg', 'image/png',"
    " 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',"
    " 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'"
)


def _protect(*tables: str) -> None:
    """Row-level security: only the rows of the transaction's district; none without one."""
    own = "district_id = nullif(current_setting('app.district', true), '')"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_district ON {table} USING ({own}) WITH CHECK ({own})")


def upgrade() -> None:
    op.create_table(
        "materials",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("pages", sa.BigInteger(), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("size > 0", name=op.f("ck_materials_size")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_materials_sha256")),
        sa.CheckConstraint("pages > 0", name=op.f("ck_materials_pages")),
        sa.CheckConstraint("erased_at >= uploaded_at", name=op.f("ck_materials_erased")),
        sa.CheckConstraint(f"media_type IN ({_TYPES})", name=op.f("ck_materials_media_type")),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_materials")),
    )
    op.create_index(
        "ix_materials_person", "materials", ["district_id", "person_id", "id"], unique=False
    )
    _protect("materials")
    op.execute(
        "CREATE POLICY materials_own ON materials FOR SELECT"
        " USING (person_id = nullif(current_setting('app.person', true), '')::uuid)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (erased_at) ON materials TO talent_app")


def downgrade() -> None:
    op.drop_index("ix_materials_person", table_name="materials")
    op.drop_table("materials")
