"""A ticket names the calendar by which it is due; who is behind the newest follows it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_NO_CALENDAR = "'00000000-0000-0000-0000-000000000000'"
_RUNNING = "status IN ('in_progress', 'awaiting_applicant')"


def upgrade() -> None:
    # By which calendar tickets of before are due is not known: each follows the newest, once.
    op.add_column(
        "tickets",
        sa.Column("calendar_id", sa.Uuid(), server_default=sa.text(_NO_CALENDAR), nullable=False),
    )
    op.create_index(
        "ix_tickets_calendar",
        "tickets",
        ["district_id", "calendar_id", "id"],
        unique=False,
        postgresql_where=sa.text(_RUNNING),
    )
    op.execute("GRANT UPDATE (due_at) ON corrections TO talent_app")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (due_at) ON corrections FROM talent_app")
    op.execute("-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX ix_tickets_calendar")
    op.drop_column("tickets", "calendar_id")
