"""Tickets are listed by when they were filed, posts by department; one open item for one child.

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


_OPEN = "phase <> 'ended' AND subject_key IS NOT NULL"
# Of what two parents have open for one child already, the first keeps the place.
_KEYS = """
UPDATE items SET subject_key = first.id_number_index
FROM (
    SELECT DISTINCT ON (item.district_id, item.offering_code, person.id_number_index)
        item.district_id, item.id, person.id_number_index
    FROM items item JOIN persons person ON person.id = item.subject_id
    WHERE item.phase <> 'ended'
    ORDER BY item.district_id, item.offering_code, person.id_number_index, item.id
) first
WHERE items.district_id = first.district_id AND items.id = first.id
"""


def upgrade() -> None:
    _again(by_moment=True)
    op.create_index("ix_posts_department", "posts", ["district_id", "department"])
    op.add_column("items", sa.Column("subject_key", sa.LargeBinary))
    op.create_check_constraint(
        op.f("ck_items_key_of_subject"), "items", "subject_key IS NULL OR subject_id IS NOT NULL"
    )
    op.execute(_KEYS)
    op.create_index(
        "uq_items_open_subject",
        "items",
        ["district_id", "offering_code", "subject_key"],
        unique=True,
        postgresql_where=sa.text(_OPEN),
    )


def downgrade() -> None:
    op.drop_index("uq_items_open_subject", table_name="items")
    op.drop_column("items", "subject_key")
    op.drop_index("ix_posts_department", table_name="posts")
    _again(by_moment=False)


def _again(*, by_moment: bool) -> None:
    for name, (table, whose, moment, where) in _INDEXES.items():
        op.execute(f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {name}")
        order = [moment, "id"] if by_moment else ["id"]
        op.create_index(
            name, table, ["district_id", whose, *order], postgresql_where=where and sa.text(where)
        )
