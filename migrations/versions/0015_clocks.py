"""Clock segments; one alarm for each task and item instead of a search for every kind of it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SEGMENTS = """
INSERT INTO clock_segments
    (district_id, id, ticket_id, item_id, task_id, kind, effect, began_at, ended_at)
SELECT correction.district_id, gen_random_uuid(), correction.ticket_id, correction.item_id,
       correction.task_id, 'correction',
       CASE WHEN task.kind = 'acceptance' THEN 'restarts' ELSE 'none' END,
       correction.asked_at, coalesce(correction.answered_at, correction.dropped_at)
FROM corrections correction
JOIN tasks task ON task.district_id = correction.district_id AND task.id = correction.task_id
"""
_COUNTED = """
UPDATE items SET segments = counted.segments
FROM (SELECT district_id, item_id, count(*) AS segments FROM clock_segments
      GROUP BY district_id, item_id) counted
WHERE items.district_id = counted.district_id AND items.id = counted.item_id
"""
_ITEMS = """
UPDATE items SET next_alarm_at = waiting.next_at
FROM (SELECT district_id, item_id, min(next_at) AS next_at FROM edges
      WHERE status IN ('waiting', 'asked') AND next_at IS NOT NULL
      GROUP BY district_id, item_id) waiting
WHERE items.district_id = waiting.district_id AND items.id = waiting.item_id
"""
_TASKS = """
UPDATE tasks SET next_alarm_at = due_at
WHERE status IN ('open', 'claimed') AND kind = 'acceptance'
   OR status = 'open' AND kind = 'publicity'
"""
_ALARM = "next_alarm_at IS NOT NULL"
_FORMER_INDEXES = {
    "ix_tasks_silence": (
        "tasks",
        ["due_at", "id"],
        "status IN ('open', 'claimed') AND kind = 'acceptance'",
    ),
    "ix_tasks_notices": ("tasks", ["due_at", "id"], "status = 'open' AND kind = 'publicity'"),
    "ix_edges_next": (
        "edges",
        ["next_at", "id"],
        "status IN ('waiting', 'asked') AND next_at IS NOT NULL",
    ),
}
_INDEXES = {
    "ix_tasks_alarm": ("tasks", ["next_alarm_at", "id"], _ALARM),
    "ix_items_alarm": ("items", ["next_alarm_at", "id"], _ALARM),
}


def _index(indexes: dict[str, tuple[str, list[str], str]]) -> None:
    for name, (table, columns, condition) in indexes.items():
        op.create_index(
            name,
            table,
            ["district_id", *columns],
            unique=False,
            postgresql_where=sa.text(condition),
        )


def _drop(names: dict[str, tuple[str, list[str], str]]) -> None:
    """Inside a transaction an index cannot be dropped concurrently, as the linter would have it."""
    for name in names:
        op.execute(f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {name}")


def _check(table: str, name: str, condition: str) -> None:
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition})"
    )


def upgrade() -> None:
    op.create_table(
        "clock_segments",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('correction')", name=op.f("ck_clock_segments_kind")),
        sa.CheckConstraint(
            "effect IN ('restarts', 'pauses', 'none')", name=op.f("ck_clock_segments_effect")
        ),
        sa.CheckConstraint(
            "ended_at >= began_at", name=op.f("ck_clock_segments_ended_after_begun")
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "item_id"],
            ["items.district_id", "items.id"],
            name=op.f("fk_clock_segments_district_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "task_id"],
            ["tasks.district_id", "tasks.id"],
            name=op.f("fk_clock_segments_district_id_task_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "ticket_id"],
            ["tickets.district_id", "tickets.id"],
            name=op.f("fk_clock_segments_district_id_ticket_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_clock_segments")),
    )
    op.create_index(
        "ix_clock_segments_item", "clock_segments", ["district_id", "item_id", "id"], unique=False
    )
    op.execute("ALTER TABLE clock_segments ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY clock_segments_district ON clock_segments"
        " USING (district_id = nullif(current_setting('app.district', true), ''))"
        " WITH CHECK (district_id = nullif(current_setting('app.district', true), ''))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (ended_at) ON clock_segments TO talent_app")

    op.add_column(
        "items", sa.Column("segments", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("items", sa.Column("next_alarm_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tasks", sa.Column("next_alarm_at", sa.DateTime(timezone=True), nullable=True))
    for statement in (_SEGMENTS, _COUNTED, _ITEMS, _TASKS):
        op.execute(statement)
    _check("items", "segments", "segments >= 0")
    _check("items", "ended_alarms_nobody", "phase <> 'ended' OR next_alarm_at IS NULL")
    _check(
        "tasks",
        "closed_alarms_nobody",
        "status IN ('open', 'claimed') OR next_alarm_at IS NULL",
    )
    _drop(_FORMER_INDEXES)
    _index(_INDEXES)


def downgrade() -> None:
    _drop(_INDEXES)
    _index(_FORMER_INDEXES)
    op.drop_column("tasks", "next_alarm_at")
    op.drop_column("items", "next_alarm_at")
    op.drop_column("items", "segments")
    op.drop_table("clock_segments")
