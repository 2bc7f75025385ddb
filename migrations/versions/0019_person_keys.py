"""Keys of persons, a role that may seal values anew, and people as they were when they filed.

Sealed values of before stay as they are and open as before: no key is within reach of SQL, so it is
a command that seals them anew (`talent keys reseal`).
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_SECURITY = Path(__file__).resolve().parents[1] / "person_keys.sql"
_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'talent_keys') THEN
        CREATE ROLE talent_keys NOLOGIN;
        EXECUTE format('GRANT talent_keys TO %I', current_user);
    END IF;
END
$$
"""
_RESEALED = (
    "tickets",
    "items",
    "ticket_sections",
    "drafts",
    "corrections",
    "tasks",
    "facts",
    "materials",
)
_THEIR_DISTRICT = "district_id = nullif(current_setting('app.district', true), '')"

# Without its key a value is lost. A step down leaves the keys there are where the step up finds
# them again; only a table that never had any goes.
_KEEP_KEYS = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM person_keys) THEN
        DROP TABLE person_keys;
    END IF;
END
$$
"""


def upgrade() -> None:
    op.execute(_ROLE)
    op.create_table(
        "person_keys",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("master_key_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(wrapped_key IS NULL) = (destroyed_at IS NOT NULL)",
            name=op.f("ck_person_keys_destroyed"),
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_keys")),
        if_not_exists=True,
    )
    op.create_index(
        "ix_person_keys_master",
        "person_keys",
        ["master_key_id", "person_id"],
        unique=False,
        postgresql_where=sa.text("destroyed_at IS NULL"),
        if_not_exists=True,
    )
    op.add_column("tickets", sa.Column("filed_applicant", sa.LargeBinary(), nullable=True))
    op.add_column("items", sa.Column("filed_subject", sa.LargeBinary(), nullable=True))
    op.execute(_SECURITY.read_text(encoding="utf-8"))
    for table in _RESEALED:
        op.execute(
            f"CREATE POLICY {table}_reseal ON {table} TO talent_keys USING ({_THEIR_DISTRICT})"
        )


def downgrade() -> None:
    op.drop_column("items", "filed_subject")
    op.drop_column("tickets", "filed_applicant")
    for table in ("persons", *_RESEALED):
        op.execute(f"DROP POLICY {table}_reseal ON {table}")
    op.execute("DROP POLICY person_keys_all ON person_keys")
    op.execute("ALTER TABLE person_keys DISABLE ROW LEVEL SECURITY")
    op.execute(
        "DROP FUNCTION person_key(uuid), person_keys_of(uuid[]),"
        " person_keys_made(uuid[], bytea[], text)"
    )
    tables = ", ".join((*_RESEALED, "persons", "districts", "person_keys"))
    op.execute(f"REVOKE ALL ON {tables} FROM talent_keys")
    op.execute(
        "REVOKE ALL ON FUNCTION identity_has_acted(uuid), identity_works_here(uuid),"
        " employer_may_follow(text, uuid, uuid) FROM talent_keys"
    )
    op.execute("REVOKE USAGE ON SCHEMA public FROM talent_keys")
    op.execute(_KEEP_KEYS)
