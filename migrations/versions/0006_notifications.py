"""Notices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
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
        "notices",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["district_id", "item_id"],
            ["items.district_id", "items.id"],
            name=op.f("fk_notices_district_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "ticket_id"],
            ["tickets.district_id", "tickets.id"],
            name=op.f("fk_notices_district_id_ticket_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "district_id",
            "account_id",
            "event_id",
            name=op.f("uq_notices_district_id_account_id_event_id"),
        ),
    )
    op.create_index(
        "ix_notices_account", "notices", ["district_id", "account_id", "id"], unique=False
    )
    op.create_index(
        "ix_notices_unread",
        "notices",
        ["district_id", "account_id"],
        unique=False,
        postgresql_where=sa.text("read_at IS NULL"),
    )
    _protect("notices")
    op.execute("GRANT SELECT, INSERT, UPDATE (read_at) ON notices TO talent_app")


def downgrade() -> None:
    op.drop_index(
        "ix_notices_unread", table_name="notices", postgresql_where=sa.text("read_at IS NULL")
    )
    op.drop_index("ix_notices_account", table_name="notices")
    op.drop_table("notices")
