"""The desk: a task knows its stage's key; indexes for its filters, counts and the next task."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ACTIVE = "status IN ('open', 'claimed')"
_FORMER_INDEXES = {
    "ix_tasks_active": (["department", "due_at", "id"], _ACTIVE),
    "ix_tasks_assignee": (["assignee", "due_at", "id"], "status = 'claimed'"),
}
_INDEXES = {
    "ix_tasks_active": (["department", "due_at", "id", "warn_at"], _ACTIVE),
    "ix_tasks_offering": (["department", "offering_code", "due_at", "id", "stage_key"], _ACTIVE),
    "ix_tasks_stage": (["department", "stage_key", "due_at", "id"], _ACTIVE),
    "ix_tasks_claimed": (["department", "due_at", "id", "assignee"], "status = 'claimed'"),
    "ix_tasks_next": (
        ["department", "role", "due_at", "id", "offering_code"],
        "status = 'open'",
    ),
}

# `identity_is_own_case` asked in a colleague's name, for whoever hands them a case. It runs with
# the rights of who calls it: it can do nothing that they could not.
_IS_CASE_OF = """
CREATE FUNCTION identity_is_case_of(of_account uuid, of_person uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $$
DECLARE
    asking CONSTANT text := coalesce(current_setting('app.account', true), '');
    answer boolean;
BEGIN
    PERFORM set_config('app.account', of_account::text, true);
    answer := public.identity_is_own_case(of_person);
    PERFORM set_config('app.account', asking, true);
    RETURN answer;
END
$$;
REVOKE ALL ON FUNCTION identity_is_case_of(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_is_case_of(uuid, uuid) TO talent_app
"""


def _index(indexes: dict[str, tuple[list[str], str]]) -> None:
    for name, (columns, condition) in indexes.items():
        op.create_index(
            name,
            "tasks",
            ["district_id", *columns],
            unique=False,
            postgresql_where=sa.text(condition),
        )


def _drop(names: dict[str, tuple[list[str], str]]) -> None:
    """Inside a transaction an index cannot be dropped concurrently, as the linter would have it."""
    for name in names:
        op.execute(f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {name}")


def upgrade() -> None:
    _drop(_FORMER_INDEXES)
    op.add_column("tasks", sa.Column("stage_key", sa.Text(), nullable=True))
    op.execute(
        "UPDATE tasks SET stage_key = stages.key FROM stages"
        " WHERE stages.district_id = tasks.district_id AND stages.id = tasks.stage_id"
    )
    op.execute(
        "-- squawk-ignore adding-not-nullable-field\n"
        "ALTER TABLE tasks ALTER COLUMN stage_key SET NOT NULL"
    )
    _index(_INDEXES)
    op.execute(_IS_CASE_OF)


def downgrade() -> None:
    op.execute("DROP FUNCTION identity_is_case_of(uuid, uuid)")
    _drop(_INDEXES)
    op.drop_column("tasks", "stage_key")
    _index(_FORMER_INDEXES)
