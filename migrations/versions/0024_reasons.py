"""A refusal and a return have a reason for the applicant, beside the opinion, which is internal."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_REASONED = "reason IS NULL OR verdict IN ('not_accept', 'reject', 'return')"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("reason", sa.LargeBinary(), nullable=True))
    # The linter would have it validated in a second transaction; no row has a reason yet.
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        f"ALTER TABLE tasks ADD CONSTRAINT ck_tasks_reason CHECK ({_REASONED})"
    )
    op.execute("GRANT SELECT (reason), UPDATE (reason) ON tasks TO talent_keys")


def downgrade() -> None:
    op.drop_column("tasks", "reason")
