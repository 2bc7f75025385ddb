"""Family links that end, one spouse at a time, the state of a passport, and whose case it is."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_HERE = Path(__file__).resolve().parents[1]
_FAMILIES, _FORMER = _HERE / "families.sql", _HERE / "identity_by_kind.sql"
_CURRENT = "ended_at IS NULL"

# Of several who were named as spouse the last one is; the others were until the next was named.
_END_FORMER_SPOUSES = """
UPDATE family_links SET ended_at = greatest(now(), family_links.created_at)
FROM (
    SELECT link.id, row_number() OVER (
        PARTITION BY link.person_id
        ORDER BY EXISTS (SELECT FROM items WHERE items.subject_id = link.member_id
                         AND items.phase <> 'ended') DESC, link.id DESC
    ) AS place
    FROM family_links link WHERE link.kinship = 'spouse'
) ranked
WHERE ranked.id = family_links.id AND ranked.place > 1
"""
_REFUSE_ENDED = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM family_links WHERE ended_at IS NOT NULL) THEN
        RAISE EXCEPTION 'family links have ended: the step before knows no end';
    END IF;
END
$$
"""


def _former(function: str) -> str:
    """A function as the step before made it, in the place of what it is now."""
    found = re.search(
        rf"^CREATE (FUNCTION {function}\(.*?^\$\$;)",
        _FORMER.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    if found is None:
        raise LookupError(function)
    return f"CREATE OR REPLACE {found[1]}"


def upgrade() -> None:
    op.add_column("persons", sa.Column("id_country", sa.LargeBinary(), nullable=True))
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE persons ADD CONSTRAINT ck_persons_country_of_passport"
        " CHECK (id_country IS NULL OR id_type = 'passport')"
    )
    op.add_column("family_links", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_END_FORMER_SPOUSES)
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE family_links ADD CONSTRAINT ck_family_links_ended_after_created"
        " CHECK (ended_at >= created_at)"
    )
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE family_links DROP CONSTRAINT uq_family_links_person_id_id_type_member_index"
    )
    op.create_index(
        "uq_family_links_current",
        "family_links",
        ["person_id", "id_type", "member_index"],
        unique=True,
        postgresql_where=sa.text(_CURRENT),
    )
    op.create_index(
        "uq_family_links_spouse",
        "family_links",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text(f"kinship = 'spouse' AND {_CURRENT}"),
    )
    op.create_index("ix_family_links_person", "family_links", ["person_id", "id"], unique=False)
    op.execute(_FAMILIES.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Raises where a link has ended: with no end it would stand again."""
    op.execute(_REFUSE_ENDED)
    op.execute("DROP POLICY persons_correct ON persons")
    op.execute(
        "REVOKE UPDATE (kinship, id_type, member_index, ended_at) ON family_links FROM talent_app"
    )
    op.execute(_former("identity_session"))
    op.execute(_former("identity_cases_of"))
    op.execute(
        "DROP FUNCTION identity_kin(uuid[]), identity_same(uuid[]), identity_family_of(uuid),"
        " filed_about(uuid)"
    )
    for index in ("uq_family_links_current", "uq_family_links_spouse", "ix_family_links_person"):
        op.execute(f"DROP INDEX {index}")
    op.execute(
        "ALTER TABLE family_links ADD CONSTRAINT uq_family_links_person_id_id_type_member_index"
        " UNIQUE (person_id, id_type, member_index)"
    )
    op.drop_column("family_links", "ended_at")
    op.drop_column("persons", "id_country")
