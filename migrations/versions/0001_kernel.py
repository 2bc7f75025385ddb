"""Districts, events, audit log, idempotency keys, jobs, and the application's role."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_DISTRICTS = """
ALTER TABLE districts ENABLE ROW LEVEL SECURITY;
CREATE POLICY districts_read ON districts FOR SELECT USING (true);
CREATE POLICY districts_add ON districts FOR INSERT
    WITH CHECK (id = nullif(current_setting('app.district', true), ''));
CREATE POLICY districts_change ON districts FOR UPDATE
    USING (id = nullif(current_setting('app.district', true), ''))
    WITH CHECK (id = nullif(current_setting('app.district', true), ''));
GRANT SELECT, INSERT, UPDATE ON districts TO talent_app
"""

_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'talent_app') THEN
        CREATE ROLE talent_app NOLOGIN;
        EXECUTE format('GRANT talent_app TO %I', current_user);
    END IF;
END
$$
"""

# A month of a table partitioned by UUIDv7 begins at the smallest id of its first millisecond.
_PARTITIONS = """
CREATE FUNCTION lowest_uuid7(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
            || '00000000000000000000')::uuid
$$;

CREATE FUNCTION ensure_partitions(through timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz := date_trunc('month', now());
    parent text;
    part text;
    low uuid;
    high uuid;
BEGIN
    WHILE month <= through LOOP
        FOREACH parent IN ARRAY ARRAY['events', 'audit_log'] LOOP
            part := parent || to_char(month, '_YYYY_MM');
            low := lowest_uuid7(month);
            high := lowest_uuid7(month + interval '1 month');
            IF to_regclass('public.' || part) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING'
                    ' CONSTRAINTS)', part, parent);
                -- What came before its partition was there has gone to the default one.
                EXECUTE format(
                    'WITH early AS (DELETE FROM public.%I WHERE id >= %L AND id < %L RETURNING *)'
                    ' INSERT INTO public.%I SELECT * FROM early',
                    parent || '_default', low, high, part);
                EXECUTE format(
                    'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                    parent, part, low, high);
            END IF;
        END LOOP;
        month := month + interval '1 month';
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION ensure_partitions(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(timestamptz) TO talent_app;
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
SELECT ensure_partitions(now() + interval '3 months')
"""


def _protect(*tables: str) -> None:
    """Row-level security: only the rows of the transaction's district; none without one."""
    own = "district_id = nullif(current_setting('app.district', true), '')"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_district ON {table} USING ({own}) WITH CHECK ({own})")


_JOBS = Path(__file__).resolve().parents[1] / "procrastinate_3_10.sql"


def _drop_jobs() -> None:
    """Drop everything of procrastinate: tables, then functions, then types."""
    op.execute(
        "DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs,"
        " procrastinate_workers CASCADE"
    )
    op.execute(
        """
        DO $$
        DECLARE f regprocedure;
        BEGIN
            FOR f IN SELECT oid FROM pg_proc WHERE proname LIKE 'procrastinate\\_%' LOOP
                EXECUTE 'DROP FUNCTION ' || f;
            END LOOP;
        END
        $$
        """
    )
    for name in ("job_to_defer_v1", "job_status", "job_event_type"):
        op.execute(f"DROP TYPE procrastinate_{name}")


def upgrade() -> None:
    op.execute(_ROLE)
    op.execute("GRANT USAGE ON SCHEMA public TO talent_app")
    op.create_table(
        "audit_log",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('guest', 'talent', 'staff', 'system')",
            name=op.f("ck_audit_log_actor_kind"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_audit_log")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_table(
        "districts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_districts")),
    )
    op.create_table(
        "events",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "xid",
            sa.BigInteger(),
            server_default=sa.text("((pg_current_xact_id())::text)::bigint"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "actor_kind IN ('guest', 'talent', 'staff', 'system')",
            name=op.f("ck_events_actor_kind"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_events")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_events_ticket", "events", ["district_id", "ticket_id", "seq"], unique=False)
    op.create_table(
        "handled_events",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_handled_events")),
        sa.UniqueConstraint(
            "district_id",
            "event_id",
            "handler",
            name=op.f("uq_handled_events_district_id_event_id_handler"),
        ),
    )
    op.create_index("ix_handled_events_at", "handled_events", ["district_id", "at"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint(
            "district_id",
            "account_id",
            "route",
            "key",
            name=op.f("uq_idempotency_keys_district_id_account_id_route_key"),
        ),
    )
    op.create_index(
        "ix_idempotency_keys_created",
        "idempotency_keys",
        ["district_id", "created_at"],
        unique=False,
    )
    _protect("events", "audit_log", "idempotency_keys", "handled_events")
    op.execute(_DISTRICTS)
    op.execute("GRANT SELECT, INSERT ON events, audit_log TO talent_app")
    op.execute("GRANT SELECT, INSERT, DELETE ON idempotency_keys, handled_events TO talent_app")
    op.execute("GRANT SELECT ON alembic_version TO talent_app")
    op.execute(_PARTITIONS)
    op.execute(_JOBS.read_text(encoding="utf-8"))
    for table in ("jobs", "events", "periodic_defers", "workers"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_{table} TO talent_app")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO talent_app")


def downgrade() -> None:
    _drop_jobs()
    op.execute("DROP FUNCTION ensure_partitions(timestamptz), lowest_uuid7(timestamptz)")
    op.drop_index("ix_idempotency_keys_created", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("ix_handled_events_at", table_name="handled_events")
    op.drop_table("handled_events")
    op.drop_index("ix_events_ticket", table_name="events")
    op.drop_table("events")
    op.drop_table("districts")
    op.drop_table("audit_log")
