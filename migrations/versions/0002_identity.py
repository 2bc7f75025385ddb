"""Persons, accounts, sessions; departments, posts, consents."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SECURITY = Path(__file__).resolve().parents[1] / "identity_security.sql"


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "legal_basis IN ('consent', 'statutory_duty')", name=op.f("ck_consents_legal_basis")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_consents_version")),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_consents")),
    )
    op.create_index(
        "uq_consents_in_force",
        "consents",
        ["district_id", "person_id", "code", "version"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "district_persons",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_district_persons")),
        sa.UniqueConstraint(
            "district_id", "person_id", name=op.f("uq_district_persons_district_id_person_id")
        ),
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.Boolean(), nullable=False),
        sa.Column("id_type", sa.Text(), nullable=True),
        sa.Column("id_number", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("birth_date", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "id_type IN ('citizen_id', 'residence_permit', 'permanent_residence', 'passport')",
            name=op.f("ck_persons_id_type"),
        ),
        sa.CheckConstraint(
            "(id_type IS NULL) = (id_number IS NULL) AND (id_number IS NULL) = (id_number_index IS NULL)",
            name=op.f("ck_persons_id_number_whole"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    op.create_index(
        "uq_persons_holder_id_number",
        "persons",
        ["id_type", "id_number_index"],
        unique=True,
        postgresql_where=sa.text("holder"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "CASE kind WHEN 'talent' THEN person_id IS NOT NULL AND username IS NULL AND display_name IS NULL ELSE username IS NOT NULL AND display_name IS NOT NULL END",
            name=op.f("ck_accounts_fits_its_kind"),
        ),
        sa.CheckConstraint("kind IN ('talent', 'staff')", name=op.f("ck_accounts_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_accounts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
    )
    op.create_index(op.f("ix_accounts_person_id"), "accounts", ["person_id"], unique=False)
    op.create_table(
        "departments",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('government', 'company', 'outside')", name=op.f("ck_departments_kind")
        ),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.id"], name=op.f("fk_departments_district_id")
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_departments")),
        sa.UniqueConstraint("district_id", "code", name=op.f("uq_departments_district_id_code")),
    )
    op.create_table(
        "family_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kinship", sa.Text(), nullable=False),
        sa.Column("id_type", sa.Text(), nullable=False),
        sa.Column("member_index", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "id_type IN ('citizen_id', 'residence_permit', 'permanent_residence', 'passport')",
            name=op.f("ck_family_links_id_type"),
        ),
        sa.CheckConstraint("kinship IN ('spouse', 'child')", name=op.f("ck_family_links_kinship")),
        sa.CheckConstraint("person_id <> member_id", name=op.f("ck_family_links_two_people")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["persons.id"], name=op.f("fk_family_links_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_family_links_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_links")),
        sa.UniqueConstraint("member_id", name=op.f("uq_family_links_member_id")),
        sa.UniqueConstraint(
            "person_id",
            "id_type",
            "member_index",
            name=op.f("uq_family_links_person_id_id_type_member_index"),
        ),
    )
    op.create_index(
        "ix_family_links_member", "family_links", ["id_type", "member_index"], unique=False
    )
    op.create_table(
        "credentials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'password') = (secret IS NOT NULL)",
            name=op.f("ck_credentials_secret_of_password"),
        ),
        sa.CheckConstraint("kind IN ('password', 'wechat')", name=op.f("ck_credentials_kind")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_credentials_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_credentials_kind_subject")),
    )
    op.create_index(op.f("ix_credentials_account_id"), "credentials", ["account_id"], unique=False)
    op.create_table(
        "posts",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "role IN ('clerk', 'reviewer', 'head', 'coordinator', 'sysadmin', 'secadmin', 'auditor')",
            name=op.f("ck_posts_role"),
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_posts_days_in_order")),
        sa.ForeignKeyConstraint(
            ["district_id", "department"],
            ["departments.district_id", "departments.code"],
            name=op.f("fk_posts_district_id_department"),
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_posts")),
        sa.UniqueConstraint(
            "district_id",
            "account_id",
            "department",
            "role",
            "valid_from",
            name=op.f("uq_posts_district_id_account_id_department_role_valid_from"),
        ),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_sessions_times_in_order")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.id"], name=op.f("fk_sessions_district_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account_id"), "sessions", ["account_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_refresh_tokens_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_refresh_tokens_digest")),
    )
    op.create_index(
        op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False
    )
    op.execute(_SECURITY.read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute(
        "DROP FUNCTION identity_session(uuid, uuid, text, timestamptz),"
        " identity_login(text, bytea), identity_refresh(bytea), identity_is_own_case(uuid)"
    )
    for table, policy in (
        ("persons", "persons_family"),
        ("persons", "persons_district"),
        ("family_links", "family_links_district"),
        ("accounts", "accounts_colleagues"),
        ("refresh_tokens", "refresh_tokens_own"),
    ):
        op.execute(f"DROP POLICY {policy} ON {table}")
    op.drop_index(op.f("ix_refresh_tokens_session_id"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index(op.f("ix_sessions_account_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("posts")
    op.drop_index(op.f("ix_credentials_account_id"), table_name="credentials")
    op.drop_table("credentials")
    op.drop_index("ix_family_links_member", table_name="family_links")
    op.drop_table("family_links")
    op.drop_table("departments")
    op.drop_index(op.f("ix_accounts_person_id"), table_name="accounts")
    op.drop_table("accounts")
    op.drop_index(
        "uq_persons_holder_id_number", table_name="persons", postgresql_where=sa.text("holder")
    )
    op.drop_table("persons")
    op.drop_table("district_persons")
    op.drop_index(
        "uq_consents_in_force",
        table_name="consents",
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.drop_table("consents")
