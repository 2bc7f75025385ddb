"""What is published keeps the order of its keys: json instead of jsonb."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("offering_versions", "bundle_versions")


def _retype(kind: str) -> None:
    """Small tables that are written at publication alone; rewriting them takes no time."""
    for table in _TABLES:
        op.execute(
            "-- squawk-ignore changing-column-type\n"
            f"ALTER TABLE {table} ALTER COLUMN content TYPE {kind} USING content::{kind}"
        )


def upgrade() -> None:
    _retype("json")


def downgrade() -> None:
    _retype("jsonb")
