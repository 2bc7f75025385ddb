"""Working calendars."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
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
        "calendars",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("hours", postgresql.JSONB(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("published_through", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "first_day <= published_through AND published_through <= last_day",
            name=op.f("ck_calendars_days_in_order"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_calendars_version")),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.id"], name=op.f("fk_calendars_district_id")
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_calendars")),
        sa.UniqueConstraint(
            "district_id", "code", "version", name=op.f("uq_calendars_district_id_code_version")
        ),
    )
    op.create_table(
        "calendar_days",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('holiday', 'makeup')", name=op.f("ck_calendar_days_kind")),
        sa.ForeignKeyConstraint(
            ["district_id", "calendar_id"],
            ["calendars.district_id", "calendars.id"],
            name=op.f("fk_calendar_days_district_id_calendar_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_calendar_days")),
        sa.UniqueConstraint(
            "district_id",
            "calendar_id",
            "day",
            name=op.f("uq_calendar_days_district_id_calendar_id_day"),
        ),
    )
    _protect("calendars", "calendar_days")
    op.execute("GRANT SELECT, INSERT ON calendars, calendar_days TO talent_app")


def downgrade() -> None:
    op.drop_table("calendar_days")
    op.drop_table("calendars")
