"""A ticket names the calendar by which it is due, and says when it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_NO_CALENDAR = "'00000000-0000-0000-0000-000000000000'"
_RUNNING = "status IN ('in_progress', 'awaiting_applicant')"


# Due dates of those that have ended stay what they were made: the promise is not to be had any more.
_ENDED = f"""
UPDATE tickets SET ended_at = ended.at
FROM (SELECT district_id, ticket_id, max(ended_at) AS at FROM items GROUP BY district_id, ticket_id)
    AS ended
WHERE NOT ({_RUNNING})
    AND ended.district_id = tickets.district_id AND ended.ticket_id = tickets.id
"""


def _check(table: str, name: str, condition: str) -> None:
    """The linter would have it validated in a second transaction; the tables are not that large."""
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition})"
    )


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
    op.add_column("corrections", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE corrections SET sent_at = asked_at")
    _check("corrections", "answered_as_sent", "answered_at IS NULL OR sent_at IS NOT NULL")
    op.execute("GRANT UPDATE (asked_at, due_at, sent_at) ON corrections TO talent_app")

    op.add_column("tickets", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_ENDED)
    _check("tickets", "ended", f"({_RUNNING}) = (ended_at IS NULL)")


def downgrade() -> None:
    # What departments had returned while others still had to speak was asked at once before.
    op.drop_column("corrections", "sent_at")
    op.execute("REVOKE UPDATE (asked_at, due_at) ON corrections FROM talent_app")
    op.execute("-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX ix_tickets_calendar")
    for column in ("ended_at", "calendar_id"):
        op.drop_column("tickets", column)
