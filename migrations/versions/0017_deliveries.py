"""Deliveries that can end, and subscribers with names of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# What a subscriber was called before and is called from now on.
_NAMES = {
    "service.notifications.handlers.tell_applicant": "applicant_notices",
    "service.materials.handlers.delete_content": "erased_contents",
}


def _protect(*tables: str) -> None:
    """Row-level security: only the rows of the transaction's district; none without one."""
    own = "district_id = nullif(current_setting('app.district', true), '')"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_district ON {table} USING ({own}) WITH CHECK ({own})")


def _rename(names: dict[str, str]) -> None:
    for before, after in names.items():
        op.execute(f"UPDATE handled_events SET handler = '{after}' WHERE handler = '{before}'")


def _move_timers(queue: str, *, before: str) -> None:
    """Timers that wait; those of the other release would not be looked for in that queue."""
    op.execute(
        f"UPDATE procrastinate_jobs SET queue_name = '{queue}'"
        f" WHERE status = 'todo' AND queue_name = '{before}' AND task_name <> 'deliver'"
    )


def upgrade() -> None:
    op.add_column(
        "events",
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    )
    op.create_table(
        "dead_deliveries",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tries > 0", name=op.f("ck_dead_deliveries_tries")),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_dead_deliveries")),
        sa.UniqueConstraint(
            "district_id",
            "subscriber",
            "event_id",
            name=op.f("uq_dead_deliveries_district_id_subscriber_event_id"),
        ),
    )
    op.create_table(
        "delivery_cursors",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("swept_to", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_delivery_cursors")),
        sa.UniqueConstraint(
            "district_id", "subscriber", name=op.f("uq_delivery_cursors_district_id_subscriber")
        ),
    )
    _protect("dead_deliveries", "delivery_cursors")
    op.execute("GRANT SELECT, INSERT, DELETE ON dead_deliveries TO talent_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON delivery_cursors TO talent_app")
    _rename(_NAMES)
    _move_timers("timers", before="default")
    # Timers that failed were kept until now; nobody looks at them.
    op.execute("DELETE FROM procrastinate_jobs WHERE status = 'failed' AND task_name <> 'deliver'")


def downgrade() -> None:
    _move_timers("default", before="timers")
    _rename({after: before for before, after in _NAMES.items()})
    op.drop_table("delivery_cursors")
    op.drop_table("dead_deliveries")
    op.drop_column("events", "version")
