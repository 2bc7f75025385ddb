"""What was sent for an item and nobody asks for."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE items ADD COLUMN left_out jsonb DEFAULT '[]' NOT NULL"
        " CONSTRAINT ck_items_left_out CHECK (jsonb_typeof(left_out) = 'array')"
    )


def downgrade() -> None:
    op.drop_column("items", "left_out")
