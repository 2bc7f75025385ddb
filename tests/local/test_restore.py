"""A database goes to a new server by the commands of docs/operations.md, as they stand there."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.kernel import migrations
from service.kernel.settings import ROOT, load
from service.local import demonstration
from service.local.postgres import PostgresServer, bundled_binaries
from service.runtime import open_database
from tests.conftest import url_of
from tests.migrations.databases import empty_database
from tests.packs import demo_pack
from tests.written import commands

pytestmark = pytest.mark.slow

DUMP, RESTORE, REPAIR = commands("docs/operations.md", "Backups")
PASSWORDS = {"OWNER_PASSWORD": "an owner's", "WEB_PASSWORD": "the web's"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("restore")


@pytest.fixture(scope="module")
def dump(folder):
    """What the first command writes of a database in which a talent has said who they are."""
    with empty_database() as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url_of("app", name))
        patch.setenv("DATABASE_OWNER_URL", url_of("owner", name))
        patch.setattr(demonstration, "load_pack", lambda _folder: demo_pack())
        settings = load()
        demonstration.prepare(settings)
        database = open_database(settings)
        Signed(create_app(settings, database).test_client()).patch(name="王芳")
        database.dispose()
        typed(DUMP, folder, DATABASE_OWNER_URL=settings.database_owner_url)
    return folder / "talent.dump"


@pytest.fixture
def server(tmp_path):
    """A server on which nobody has made a role yet."""
    with PostgresServer(tmp_path / "pg", tmp_path / "pg.log", settings={"fsync": "off"}) as server:
        with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as admin:
            admin.execute("DROP DATABASE talent")
            admin.execute("DROP ROLE talent_app, talent_keys, talent_owner")
        yield server


def typed(block, folder, *, check=True, **variables):
    """Type a block in a folder that has the checkout's files beside it."""
    if not (folder / "config").exists():
        (folder / "config").symlink_to(ROOT / "config")
    places = (bundled_binaries() / "bin", Path(sys.executable).parent, Path("/usr/bin"), "/bin")
    environment = {**os.environ, **PASSWORDS, **variables}
    environment["PATH"] = os.pathsep.join(map(str, places))
    done = subprocess.run(
        ["/bin/bash", "-e", "-o", "pipefail", "-c", block],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def addresses(server):
    at = f"127.0.0.1:{server.port}"
    return {
        "ADMIN_URL": server.superuser_url("postgres"),
        "DATABASE_OWNER_URL": f"postgresql://talent_owner:an%20owner%27s@{at}/talent",
        "DATABASE_URL": f"postgresql://talent_web:the%20web%27s@{at}/talent",
    }


@contextmanager
def served(server):
    """The service on the new server, through the login that the roles' file makes."""
    there = addresses(server)
    settings = replace(
        load(),
        database_url=there["DATABASE_URL"],
        database_owner_url=there["DATABASE_OWNER_URL"],
    )
    database = open_database(settings)
    app = create_app(settings, database)
    app.test_client_class = FlaskClient
    yield app.test_client()
    database.dispose()


class Signed:
    """The talent of the dump, on whichever server."""

    def __init__(self, client):
        answer = client.post("/v1/auth/wechat", json={"code": "demo:moved"})
        self.client = client
        self.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}

    def patch(self, **profile):
        answer = self.client.patch("/v1/me", headers=self.headers, json=profile)
        assert answer.status_code == 200, answer.json

    def name(self):
        return self.client.get("/v1/me", headers=self.headers).json["name"]


def test_with_the_roles_first_everything_is_there(dump, folder, server):
    done = typed(RESTORE, folder, **addresses(server))
    assert done.stdout.splitlines()[-1] == "connections work as talent_app"
    with served(server) as client:
        assert client.get("/readyz").status_code == 200
        assert Signed(client).name() == "王芳"
    again = typed(RESTORE.splitlines()[0], folder, **addresses(server))
    assert again.returncode == 0


def test_without_the_roles_the_loss_is_noticed_and_repaired(dump, folder, server):
    there = addresses(server)
    with psycopg.connect(there["ADMIN_URL"], autocommit=True) as admin:
        admin.execute("CREATE ROLE talent_owner LOGIN PASSWORD 'an owner''s'")
        admin.execute("CREATE DATABASE talent OWNER talent_owner")
    make_roles, restore, check = RESTORE.splitlines()
    lost = typed(restore.replace("--exit-on-error ", ""), folder, check=False, **there)
    assert "errors ignored on restore" in lost.stderr
    typed(make_roles, folder, **there)
    noticed = typed(check, folder, check=False, **there)
    assert noticed.returncode == 1
    assert "missing: table tickets: SELECT to talent_app" in noticed.stderr
    noticed = typed("talent migrate", folder, check=False, **there)
    assert noticed.returncode == 1
    with served(server) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json["code"]) == (503, "database_incomplete")
    done = typed(REPAIR, folder, **there)
    assert done.stdout.splitlines()[-1] == "connections work as talent_app"
    with served(server) as client:
        assert client.get("/readyz").status_code == 200


def test_a_new_installation_begins_with_the_same_roles(folder, server):
    there = addresses(server)
    (make_roles,) = commands("docs/operations.md", "Install")
    typed(make_roles, folder, **there)
    typed("talent migrate", folder, **there)
    with psycopg.connect(there["DATABASE_URL"]) as web:
        web.execute("SET ROLE talent_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("CREATE TABLE mine ()")
    assert migrations.newest_revision() in typed("talent check database", folder, **there).stdout
