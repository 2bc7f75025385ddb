"""Tickets are listed by when they were filed, drafts by when they were begun; posts by department.

A ticket has the id of the draft that it was, which may be much older than its filing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_tickets_person": ("tickets", "person_id", "filed_at", None),
    "ix_tickets_enterprise": ("tickets", "enterprise_id", "filed_at", "enterprise_id IS NOT NULL"),
    "ix_tickets_employer": ("tickets", "employer_id", "filed_at", "employer_id IS NOT NULL"),
    "ix_drafts_person": ("drafts", "person_id", "created_at", None),
}


def upgrade() -> None:
    _again(by_moment=True)
    op.create_index("ix_posts_department", "posts", ["district_id", "department"])


def downgrade() -> None:
    op.drop_index("ix_posts_department", table_name="posts")
    _again(by_moment=False)


def _again(*, by_moment: bool) -> None:
    for name, (table, whose, moment, where) in _INDEXES.items():
        op.drop_index(name, table_name=table)
        order = [moment, "id"] if by_moment else ["id"]
        op.create_index(
            name, table, ["district_id", whose, *order], postgresql_where=where and sa.text(where)
        )
