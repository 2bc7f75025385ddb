"""Releases of packs: what a publication put in force, as a manifest with one hash.

Every district that has versions in force gets its release 1, of what is in force now. A ticket names
the release it was filed under; those filed before name none.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# JSON without white space, as the service writes what it hashes: objects in their own order or,
# where `sorted`, by key. Numbers as they stand, but for the leading zero of an exponent.
_COMPACT = r"""
CREATE FUNCTION pg_temp.compact(value json, sorted boolean) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    CASE json_typeof(value)
    WHEN 'object' THEN RETURN '{' || coalesce((
        SELECT string_agg(
            to_json(part.key)::text || ':' || pg_temp.compact(part.value, sorted), ','
            ORDER BY CASE WHEN sorted THEN part.key END COLLATE "C", part.place)
        FROM json_each(value) WITH ORDINALITY AS part (key, value, place)), '') || '}';
    WHEN 'array' THEN RETURN '[' || coalesce((
        SELECT string_agg(pg_temp.compact(part.value, sorted), ',' ORDER BY part.place)
        FROM json_array_elements(value) WITH ORDINALITY AS part (value, place)), '') || ']';
    WHEN 'string' THEN RETURN to_json(value #>> '{}')::text;
    WHEN 'number' THEN RETURN replace(value::text, 'e-0', 'e-');
    ELSE RETURN value::text;
    END CASE;
END
$$;

CREATE FUNCTION pg_temp.hash(content text) RETURNS text LANGUAGE sql AS $$
    SELECT encode(sha256(convert_to(content, 'UTF8')), 'hex')
$$;

CREATE FUNCTION pg_temp.hash(content json) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.hash(pg_temp.compact(content, false))
$$;

CREATE FUNCTION pg_temp.ordered(words jsonb) RETURNS json LANGUAGE sql AS $$
    SELECT json_build_object('zh', words -> 'zh', 'en', words -> 'en')
$$
"""

# Which departments and kinds of facts a pack names stands in the settings of its district; where
# it was published before that was kept, it is all that there are.
_FIRST_RELEASES = """
DO $$
DECLARE
    district record;
    offerings json;
    bundles json;
    manifest jsonb;
BEGIN
    FOR district IN
        SELECT id, settings FROM districts WHERE EXISTS (
            SELECT FROM offering_versions
            WHERE district_id = districts.id AND retired_at IS NULL
        ) OR EXISTS (
            SELECT FROM bundle_versions WHERE district_id = districts.id AND retired_at IS NULL
        )
    LOOP
        SELECT coalesce(json_agg(version.content), '[]') INTO offerings
        FROM offering_versions version
        WHERE version.district_id = district.id AND version.retired_at IS NULL;
        SELECT coalesce(json_agg(version.content), '[]') INTO bundles
        FROM bundle_versions version
        WHERE version.district_id = district.id AND version.retired_at IS NULL;

        manifest := jsonb_build_object(
            'format', 1,
            'offerings', (
                SELECT coalesce(jsonb_object_agg(code, content_hash), '{}')
                FROM offering_versions
                WHERE district_id = district.id AND retired_at IS NULL),
            'bundles', (
                SELECT coalesce(jsonb_object_agg(code, content_hash), '{}')
                FROM bundle_versions
                WHERE district_id = district.id AND retired_at IS NULL),
            'sections', (
                SELECT coalesce(jsonb_object_agg(part ->> 'code', pg_temp.hash(part)), '{}')
                FROM json_array_elements(offerings) content,
                    json_array_elements(content -> 'sections') part),
            'materials', (
                SELECT coalesce(jsonb_object_agg(
                    part ->> 'code', pg_temp.hash(part -> 'material')), '{}')
                FROM json_array_elements(offerings) content,
                    json_array_elements(coalesce(content -> 'materials', '[]')) part),
            'consents', (
                SELECT coalesce(jsonb_object_agg(
                    (part ->> 'code') || '@' || (part ->> 'version'), pg_temp.hash(part)), '{}')
                FROM json_array_elements(bundles) content,
                    json_array_elements(content -> 'consents') part),
            'facts', (
                SELECT coalesce(jsonb_object_agg(kind.code, pg_temp.hash(json_build_object(
                    'code', kind.code, 'title', pg_temp.ordered(kind.title),
                    'schema', kind.schema))), '{}')
                FROM fact_kinds kind
                WHERE kind.district_id = district.id
                    AND coalesce(district.settings -> 'facts' ? kind.code, true)),
            'departments', (
                SELECT coalesce(jsonb_object_agg(department.code, pg_temp.hash(json_build_object(
                    'code', department.code, 'name', pg_temp.ordered(department.name),
                    'kind', department.kind))), '{}')
                FROM departments department
                WHERE department.district_id = district.id
                    AND coalesce(district.settings -> 'departments' ? department.code, true)),
            'settings', jsonb_strip_nulls(jsonb_build_object(
                'zone', district.settings -> 'zone',
                'office_hours', district.settings -> 'office_hours',
                'departments', coalesce(district.settings -> 'departments', (
                    SELECT coalesce(jsonb_agg(code ORDER BY code), '[]')
                    FROM departments WHERE district_id = district.id)))));

        INSERT INTO pack_releases
            (district_id, id, number, manifest, content_hash, versions, published_at)
        VALUES (
            district.id, gen_random_uuid(), 1, manifest,
            pg_temp.hash(pg_temp.compact(manifest::json, true)),
            jsonb_build_object(
                'offerings', (
                    SELECT coalesce(jsonb_object_agg(code, id), '{}')
                    FROM offering_versions
                    WHERE district_id = district.id AND retired_at IS NULL),
                'bundles', (
                    SELECT coalesce(jsonb_object_agg(code, id), '{}')
                    FROM bundle_versions
                    WHERE district_id = district.id AND retired_at IS NULL)),
            now());
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "pack_releases",
        sa.Column("district_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("manifest", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("versions", postgresql.JSONB(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "content_hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_pack_releases_content_hash")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_pack_releases_number")),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.id"], name=op.f("fk_pack_releases_district_id")
        ),
        sa.PrimaryKeyConstraint("district_id", "id", name=op.f("pk_pack_releases")),
        sa.UniqueConstraint(
            "district_id", "number", name=op.f("uq_pack_releases_district_id_number")
        ),
    )
    own = "district_id = nullif(current_setting('app.district', true), '')"
    op.execute("ALTER TABLE pack_releases ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY pack_releases_district ON pack_releases USING ({own}) WITH CHECK ({own})"
    )
    op.execute("GRANT SELECT, INSERT ON pack_releases TO talent_app")
    op.execute(_COMPACT)
    op.execute(_FIRST_RELEASES)
    op.execute(
        "-- squawk-ignore ban-drop-function\n"
        "DROP FUNCTION pg_temp.ordered(jsonb), pg_temp.hash(json), pg_temp.hash(text),"
        " pg_temp.compact(json, boolean)"
    )
    op.add_column("tickets", sa.Column("release_number", sa.BigInteger(), nullable=True))
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE tickets ADD CONSTRAINT fk_tickets_district_id_release_number"
        " FOREIGN KEY (district_id, release_number) REFERENCES pack_releases (district_id, number)"
    )


def downgrade() -> None:
    op.drop_column("tickets", "release_number")
    op.drop_table("pack_releases")
