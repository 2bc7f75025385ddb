"""What was sent for an item and nobody asks for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    empty = sa.text("'[]'")
    column = sa.Column("left_out", JSONB(), server_default=empty, nullable=False)
    op.add_column("items", column)
    op.create_check_constraint(
        op.f("ck_items_left_out"),
        "items",
        "jsonb_typeof(left_out) = 'array'",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE items VALIDATE CONSTRAINT ck_items_left_out")


def downgrade() -> None:
    op.drop_column("items", "left_out")
