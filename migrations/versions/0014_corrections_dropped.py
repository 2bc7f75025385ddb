"""A correction that no longer matters is dropped, with the reason; before it stayed unanswered."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# What nobody can answer any more: its item is held for nothing, or the stage that asked was undone.
# When the flow went back is not known of each: the moment of this step stands for it.
_DROP = """
UPDATE corrections
SET dropped_at = coalesce(items.ended_at, now()),
    dropped_because = CASE WHEN items.ended_at IS NULL THEN 'sent_back' ELSE 'ended' END
FROM items, tasks, stages
WHERE corrections.answered_at IS NULL
    AND items.district_id = corrections.district_id AND items.id = corrections.item_id
    AND tasks.district_id = corrections.district_id AND tasks.id = corrections.task_id
    AND stages.district_id = tasks.district_id AND stages.id = tasks.stage_id
    AND (items.hold IS NULL OR stages.status = 'superseded')
"""


def _check(name: str, condition: str) -> None:
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        f"ALTER TABLE corrections ADD CONSTRAINT ck_corrections_{name} CHECK ({condition})"
    )


def upgrade() -> None:
    op.add_column("corrections", sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("corrections", sa.Column("dropped_because", sa.Text(), nullable=True))
    op.execute(_DROP)
    _check("dropped_because", "dropped_because IN ('sent_back', 'ended')")
    _check(
        "dropped",
        "(dropped_at IS NULL) = (dropped_because IS NULL)"
        " AND (dropped_at IS NULL OR answered_at IS NULL)",
    )
    op.execute("GRANT UPDATE (dropped_at, dropped_because) ON corrections TO talent_app")


def downgrade() -> None:
    op.drop_column("corrections", "dropped_because")
    op.drop_column("corrections", "dropped_at")
