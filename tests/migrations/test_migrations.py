"""The way up, the way down, and what they lose: nothing."""

from __future__ import annotations

import re
from importlib.metadata import version
from uuid import uuid4

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg import sql

from service.kernel import migrations
from service.kernel.db import Base
from service.kernel.settings import ROOT
from tests.conftest import clone, url_of
from tests.migrations.databases import asked, empty_database

MIGRATIONS = ROOT / "migrations"
REVISIONS = [
    revision.revision
    for revision in ScriptDirectory(str(MIGRATIONS)).walk_revisions(base="base", head="heads")
][::-1]


SHAPES = {
    "relations": "SELECT relname, relkind, relrowsecurity, relispartition FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace",
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "policies": "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies",
    "functions": "SELECT proname, pg_get_functiondef(oid), proacl::text FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'",
    "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "types": "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace"
    " AND typtype = 'e'",
    "grants": "SELECT table_name, grantee, privilege_type FROM information_schema.table_privileges"
    " WHERE table_schema = 'public'",
    "column grants": "SELECT table_name, column_name, grantee, privilege_type"
    " FROM information_schema.column_privileges WHERE table_schema = 'public'",
}


def shape(name):
    """Everything the schema consists of, as sets to compare."""
    return {what: set(asked(name, statement)) for what, statement in SHAPES.items()}


def content(name):
    """Every row of every table of the models."""
    with psycopg.connect(url_of("superuser", name)) as connection:
        return {
            table: sorted(
                row[0]
                for row in connection.execute(
                    sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(table))
                )
            )
            for table in Base.metadata.tables
        }


def test_up_from_nothing_agrees_with_the_models_and_down_leaves_nothing():
    with empty_database() as name:
        owner = url_of("owner", name)
        migrations.upgrade(owner)
        migrations.disagreements(owner)
        first = shape(name)
        assert asked(name, "SELECT version_num FROM alembic_version") == [(REVISIONS[-1],)]
        migrations.downgrade(owner, "base")
        left = shape(name)
        assert {row[0] for row in left["relations"]} == {"alembic_version", "alembic_version_pkc"}
        assert left["functions"] == set()
        assert left["policies"] == set()
        assert left["types"] == set()
        migrations.upgrade(owner)
        assert shape(name) == first
        migrations.disagreements(owner)


@pytest.mark.slow
def test_every_step_goes_down_and_up_again():
    with empty_database() as name:
        owner = url_of("owner", name)
        for revision in REVISIONS:
            migrations.upgrade(owner, revision)
            there = shape(name)
            if revision != REVISIONS[0]:
                migrations.downgrade(owner, "-1")
                migrations.upgrade(owner, revision)
                assert shape(name) == there, revision
        migrations.disagreements(owner)


def test_an_upgrade_of_what_is_up_to_date_does_nothing():
    with clone(f"test_migrations_{uuid4().hex[:8]}") as name:
        before = shape(name), content(name)
        migrations.upgrade(url_of("owner", name))
        assert (shape(name), content(name)) == before


def test_a_downgrade_of_the_last_step_loses_only_what_the_step_brought():
    with clone(f"test_migrations_{uuid4().hex[:8]}") as name:
        owner = url_of("owner", name)
        before = content(name)
        assert before["departments"]
        assert before["accounts"]
        migrations.downgrade(owner, "-1")
        tables = {row[0] for row in asked(name, "SELECT tablename FROM pg_tables")}
        kept = set(before) & tables
        assert len(kept) > 15
        migrations.upgrade(owner)
        after = content(name)
        assert {table: after[table] for table in kept} == {table: before[table] for table in kept}
        migrations.disagreements(owner)


def test_keys_of_persons_outlive_a_step_down():
    """Without them, values that stay would be lost; a table without a key goes."""
    directory = ScriptDirectory(str(MIGRATIONS))
    step = next(one for one in directory.walk_revisions() if hasattr(one.module, "_KEEP_KEYS"))
    keys = "SELECT * FROM person_keys ORDER BY person_id"
    with clone(f"test_migrations_{uuid4().hex[:8]}") as name:
        owner = url_of("owner", name)
        with psycopg.connect(url_of("superuser", name)) as connection:
            connection.execute(
                "INSERT INTO person_keys VALUES (gen_random_uuid(), 'wrapped', 'd1', now(), NULL)"
            )
        before = asked(name, keys)
        migrations.downgrade(owner, step.down_revision)
        assert asked(name, keys) == before
        migrations.upgrade(owner)
        assert asked(name, keys) == before
        assert asked(name, "SELECT person_key(person_id) FROM person_keys") != [(None,)]
        migrations.disagreements(owner)


def test_every_step_has_a_way_down_and_one_follows_the_other():
    directory = ScriptDirectory(str(MIGRATIONS))
    assert len(directory.get_heads()) == 1
    assert migrations.newest_revision() == REVISIONS[-1]
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS
    for path in (MIGRATIONS / "versions").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        body = text.rpartition("def downgrade() -> None:")[2]
        assert re.search(r"\b(op\.|_)\w+\(", body), path.name


def test_the_sql_can_be_printed_without_a_database(capfd):
    migrations.print_sql()
    printed = capfd.readouterr().out
    assert printed.count("CREATE TABLE") > 20
    assert "ENABLE ROW LEVEL SECURITY" in printed
    assert f"'{REVISIONS[-1]}'" in printed


def test_the_job_tables_are_the_installed_librarys_own():
    from procrastinate import schema

    (path,) = MIGRATIONS.glob("procrastinate_*.sql")
    installed = version("procrastinate").split(".")
    assert path.stem == "procrastinate_" + "_".join(installed[:2])
    assert _statements(path.read_text(encoding="utf-8")) == _statements(
        schema.SchemaManager.get_schema()
    )


def _statements(text):
    without_comments = re.sub("--[^\n]*", "", text)
    return re.sub(r"\s+", " ", without_comments.replace("%%", "%")).strip()


def test_the_job_tables_work_as_a_database_made_by_the_library_would():
    """The same relations, columns and functions as `procrastinate schema --apply` makes."""
    from procrastinate import schema

    with empty_database() as ours, empty_database() as theirs:
        migrations.upgrade(url_of("owner", ours))
        with psycopg.connect(url_of("owner", theirs)) as connection:
            connection.execute(schema.SchemaManager.get_schema())
        for what in ("columns", "constraints", "indexes", "triggers", "types"):
            assert {row for row in shape(ours)[what] if "procrastinate" in str(row)} == {
                row for row in shape(theirs)[what] if "procrastinate" in str(row)
            }, what
        names = [{row[:2] for row in shape(one)["functions"] if "procrastinate" in row[0]}
                 for one in (ours, theirs)]  # fmt: skip
        assert names[0] == names[1]


def test_a_release_that_waits_for_announcements_has_them_after_the_way_down():
    """A trigger that is disabled is one of the library's all the same."""
    enabled = (
        "SELECT tgenabled FROM pg_trigger"
        " WHERE tgname = 'procrastinate_jobs_notify_queue_job_inserted_v1'"
    )
    with clone(f"test_migrations_{uuid4().hex[:8]}") as name:
        owner = url_of("owner", name)
        assert asked(name, enabled) == [("D",)]
        migrations.downgrade(owner, "0025")
        assert asked(name, enabled) == [("O",)]
        migrations.upgrade(owner)
        assert asked(name, enabled) == [("D",)]


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_step_tells_what_it_does(revision):
    script = ScriptDirectory(str(MIGRATIONS)).get_revision(revision)
    assert script.doc.strip()
