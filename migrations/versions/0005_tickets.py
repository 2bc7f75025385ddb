"""Tickets, items, stages, tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _protect(*tables: str) -> None:
    """Row-level security: only the rows of the transaction's district; none without one."""
    own = "district_id = nullif(current_setting('app.district', true), '')"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_district ON {table} USING ({own}) WITH CHECK ({own})")


def upgrade() -> None:
    op.execute("CREATE SEQUENCE ticket_numbers")
    op.create_table(
        "tickets",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("bundle_code", sa.Text(), nullable=False),
        sa.Column("bundle_version_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_basis", sa.Text(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("filing_key", sa.Text(), nullable=False),
        sa.Column("filing_digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "due_basis IN ('projected', 'promised')", name=op.f("ck_tickets_due_basis")
        ),
        sa.CheckConstraint(
            "status IN ('in_progress', 'completed', 'closed')", name=op.f("ck_tickets_status")
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "bundle_version_id"],
            ["bundle_versions.district_id", "bundle_versions.id"],
            name=op.f("fk_tickets_district_id_bundle_version_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_tickets")),
        sa.UniqueConstraint(
            "district_id",
            "account_id",
            "filing_key",
            name=op.f("uq_tickets_district_id_account_id_filing_key"),
        ),
        sa.UniqueConstraint("district_id", "number", name=op.f("uq_tickets_district_id_number")),
    )
    op.create_index(
        "ix_tickets_person", "tickets", ["district_id", "person_id", "id"], unique=False
    )
    op.create_table(
        "items",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("offering_code", sa.Text(), nullable=False),
        sa.Column("offering_version_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_basis", sa.Text(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(phase = 'ended') = (ended_at IS NOT NULL) AND (phase NOT IN ('ended', 'fulfilment') OR outcome IS NOT NULL)",
            name=op.f("ck_items_ended"),
        ),
        sa.CheckConstraint(
            "due_basis IN ('projected', 'promised')", name=op.f("ck_items_due_basis")
        ),
        sa.CheckConstraint(
            "outcome IN ('approved', 'rejected', 'not_accepted', 'withdrawn', 'lapsed', 'cancelled')",
            name=op.f("ck_items_outcome"),
        ),
        sa.CheckConstraint(
            "phase IN ('waiting', 'acceptance', 'processing', 'fulfilment', 'ended')",
            name=op.f("ck_items_phase"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "offering_version_id"],
            ["offering_versions.district_id", "offering_versions.id"],
            name=op.f("fk_items_district_id_offering_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "ticket_id"],
            ["tickets.district_id", "tickets.id"],
            name=op.f("fk_items_district_id_ticket_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_items")),
        sa.UniqueConstraint("district_id", "number", name=op.f("uq_items_district_id_number")),
    )
    op.create_index("ix_items_ticket", "items", ["district_id", "ticket_id"], unique=False)
    op.create_index(
        "uq_items_open",
        "items",
        ["district_id", "person_id", "offering_code", "subject_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("phase <> 'ended'"),
    )
    op.create_table(
        "due_changes",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_id", "item_id"],
            ["items.district_id", "items.id"],
            name=op.f("fk_due_changes_district_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "ticket_id"],
            ["tickets.district_id", "tickets.id"],
            name=op.f("fk_due_changes_district_id_ticket_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_due_changes")),
    )
    op.create_index(
        "ix_due_changes_ticket", "due_changes", ["district_id", "ticket_id"], unique=False
    )
    op.create_table(
        "stages",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'open') = (closed_at IS NULL)", name=op.f("ck_stages_closed")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'closed', 'cancelled')", name=op.f("ck_stages_status")
        ),
        sa.CheckConstraint(
            "verdict IN ('accept', 'not_accept', 'pass', 'approve', 'reject')",
            name=op.f("ck_stages_verdict"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "department"],
            ["departments.district_id", "departments.code"],
            name=op.f("fk_stages_district_id_department"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "item_id"],
            ["items.district_id", "items.id"],
            name=op.f("fk_stages_district_id_item_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_stages")),
        sa.UniqueConstraint(
            "district_id",
            "item_id",
            "key",
            "round",
            name=op.f("uq_stages_district_id_item_id_key_round"),
        ),
    )
    op.create_table(
        "ticket_sections",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_id", "item_id"],
            ["items.district_id", "items.id"],
            name=op.f("fk_ticket_sections_district_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "ticket_id"],
            ["tickets.district_id", "tickets.id"],
            name=op.f("fk_ticket_sections_district_id_ticket_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_ticket_sections")),
        sa.UniqueConstraint(
            "district_id",
            "ticket_id",
            "item_id",
            "section",
            "revision",
            name=op.f("uq_ticket_sections_district_id_ticket_id_item_id_section_revision"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "tasks",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("offering_code", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("assignee", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("deemed", sa.Boolean(), nullable=False),
        sa.Column("opinion", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(status = 'open' AND assignee IS NULL OR status <> 'open') AND (status <> 'claimed' OR assignee IS NOT NULL) AND ((status IN ('open', 'claimed')) = (closed_at IS NULL)) AND ((status = 'closed') = (verdict IS NOT NULL))",
            name=op.f("ck_tasks_claim"),
        ),
        sa.CheckConstraint(
            "kind IN ('acceptance', 'review', 'decision', 'fulfilment')", name=op.f("ck_tasks_kind")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'claimed', 'closed', 'cancelled')", name=op.f("ck_tasks_status")
        ),
        sa.CheckConstraint(
            "verdict IN ('accept', 'not_accept', 'pass', 'approve', 'reject')",
            name=op.f("ck_tasks_verdict"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "department"],
            ["departments.district_id", "departments.code"],
            name=op.f("fk_tasks_district_id_department"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "item_id"],
            ["items.district_id", "items.id"],
            name=op.f("fk_tasks_district_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "stage_id"],
            ["stages.district_id", "stages.id"],
            name=op.f("fk_tasks_district_id_stage_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district_id", "ticket_id"],
            ["tickets.district_id", "tickets.id"],
            name=op.f("fk_tasks_district_id_ticket_id"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_tasks")),
        sa.UniqueConstraint(
            "district_id",
            "stage_id",
            "department",
            name=op.f("uq_tasks_district_id_stage_id_department"),
        ),
    )
    op.create_index(
        "ix_tasks_active",
        "tasks",
        ["district_id", "department", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'claimed')"),
    )
    op.create_index(
        "ix_tasks_assignee",
        "tasks",
        ["district_id", "assignee", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'claimed'"),
    )
    op.create_index("ix_tasks_item", "tasks", ["district_id", "item_id"], unique=False)
    op.create_index(
        "ix_tasks_past",
        "tasks",
        ["district_id", "department", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('closed', 'cancelled')"),
    )
    op.create_index(
        "ix_tasks_silence",
        "tasks",
        ["district_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'claimed') AND kind = 'acceptance'"),
    )
    _protect("tickets", "ticket_sections", "items", "stages", "tasks", "due_changes")
    op.execute(
        "CREATE POLICY tickets_own ON tickets FOR SELECT"
        " USING (person_id = nullif(current_setting('app.person', true), '')::uuid)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON tickets, items, stages, tasks TO talent_app")
    op.execute("GRANT SELECT, INSERT ON ticket_sections, due_changes TO talent_app")
    op.execute("GRANT USAGE ON SEQUENCE ticket_numbers TO talent_app")


def downgrade() -> None:
    op.drop_index(
        "ix_tasks_silence",
        table_name="tasks",
        postgresql_where=sa.text("status IN ('open', 'claimed') AND kind = 'acceptance'"),
    )
    op.drop_index(
        "ix_tasks_past",
        table_name="tasks",
        postgresql_where=sa.text("status IN ('closed', 'cancelled')"),
    )
    op.drop_index("ix_tasks_item", table_name="tasks")
    op.drop_index(
        "ix_tasks_assignee", table_name="tasks", postgresql_where=sa.text("status = 'claimed'")
    )
    op.drop_index(
        "ix_tasks_active",
        table_name="tasks",
        postgresql_where=sa.text("status IN ('open', 'claimed')"),
    )
    op.drop_table("tasks")
    op.drop_table("ticket_sections")
    op.drop_table("stages")
    op.drop_index("ix_due_changes_ticket", table_name="due_changes")
    op.drop_table("due_changes")
    op.drop_index(
        "uq_items_open",
        table_name="items",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("phase <> 'ended'"),
    )
    op.drop_index("ix_items_ticket", table_name="items")
    op.drop_table("items")
    op.drop_index("ix_tickets_person", table_name="tickets")
    op.drop_table("tickets")
    op.execute("DROP SEQUENCE ticket_numbers")
