"""`talent migrate` and `talent check database`: what an operator reads of a database."""

from __future__ import annotations

import os

import psycopg
import pytest
from click.testing import CliRunner

from service.cli import main
from service.kernel import migrations
from tests.conftest import url_of
from tests.migrations.databases import asked, empty_database

NEWEST = migrations.newest_revision()


@pytest.fixture
def name():
    with empty_database() as name:
        yield name


@pytest.fixture
def run(name, monkeypatch):
    """Runs `talent` with the settings of the database alone."""
    urls = {"DATABASE_URL": url_of("app", name), "DATABASE_OWNER_URL": url_of("owner", name)}
    for variable in list(os.environ):
        if variable.startswith(("TALENT_", "DATABASE_", "REDIS_")):
            monkeypatch.delenv(variable)
    for variable, url in urls.items():
        monkeypatch.setenv(variable, url)

    def talent(*words, answer=None):
        return CliRunner().invoke(main, words, input=answer, catch_exceptions=False)

    return talent


@pytest.fixture
def owner(name):
    with psycopg.connect(url_of("owner", name), autocommit=True) as connection:
        yield connection


def at(name):
    return asked(name, "SELECT version_num FROM alembic_version")[0][0]


def test_the_settings_of_the_database_are_enough(run, name):
    answer = run("migrate")
    assert (answer.exit_code, at(name)) == (0, NEWEST), answer.output
    assert f"the schema is at {NEWEST}" in answer.output
    answer = run("check", "database")
    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines()[-1] == "connections work as talent_app"


def test_a_faulty_setting_is_named_in_one_line(run, monkeypatch):
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_POOL", "none")
    answer = run("migrate")
    assert answer.exit_code == 1
    assert "DATABASE_URL" in answer.output
    assert "DATABASE_POOL" in answer.output


@pytest.mark.parametrize("words", [("migrate",), ("check", "database")])
def test_a_database_that_does_not_answer_is_said_in_one_line(run, monkeypatch, words):
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner:secret@127.0.0.1:9/gone")
    answer = run(*words)
    assert answer.exit_code == 1
    assert "Error: DATABASE_OWNER_URL: " in answer.output
    assert "secret" not in answer.output


def test_back_to_an_older_revision_and_up_again(run, name):
    run("migrate")
    answer = run("migrate", "--down-to", "0019", answer="n\n")
    assert (answer.exit_code, at(name)) == (1, NEWEST)
    answer = run("migrate", "--down-to", "0019", "--yes")
    assert (answer.exit_code, at(name)) == (0, "0019"), answer.output
    answer = run("check", "database")
    assert answer.exit_code == 1
    assert f"the schema is at 0019, not at {NEWEST}: run talent migrate" in answer.output
    assert run("migrate").exit_code == 0
    assert at(name) == NEWEST


@pytest.mark.parametrize("revision", ["0018", "9999", "head", "base", "-1"])
def test_only_an_older_revision_can_be_gone_back_to(run, name, revision):
    migrations.upgrade(url_of("owner", name), "0001")
    answer = run("migrate", "--down-to", revision, "--yes")
    assert answer.exit_code == 1
    assert f"{revision} is not among the revisions up to 0001" in answer.output
    assert at(name) == "0001"


@pytest.mark.parametrize(
    "words",
    [("migrate",), ("migrate", "--down-to", "0019", "--yes"), ("check", "database")],
)
def test_a_schema_newer_than_the_release_is_said_in_one_line(run, name, owner, words):
    run("migrate")
    owner.execute("UPDATE alembic_version SET version_num = 'later'")
    answer = run(*words)
    assert answer.exit_code == 1
    (line,) = answer.output.splitlines()
    assert line.startswith("Error: the schema is at later, and this release knows none after ")
    assert f"--down-to {NEWEST}" in line


@pytest.mark.parametrize("words", [("migrate",), ("check", "database")])
def test_rights_that_are_missing_are_named(run, owner, words):
    run("migrate")
    owner.execute("REVOKE ALL ON tickets FROM talent_app")
    answer = run(*words)
    assert answer.exit_code == 1
    assert "missing: table tickets: SELECT to talent_app" in answer.output
    assert "rights are missing" in answer.output


def test_rights_that_nobody_needs_are_named_and_no_fault(run, owner):
    run("migrate")
    owner.execute("GRANT DELETE ON tickets TO talent_app")
    answer = run("check", "database")
    assert answer.exit_code == 0
    assert "not needed: table tickets: DELETE to talent_app" in answer.output
