"""PostgreSQL and Valkey on their own, as the tests of the other packages use them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.local.child import StartFailed
from service.local.postgres import PostgresServer
from service.local.valkey import ValkeyServer

from .conftest import ROOT, alive, eventually

FAST = {"fsync": "off"}

ORPHAN_MAKER = """
import os, sys, time
from pathlib import Path
from service.local.postgres import PostgresServer
place = Path(sys.argv[1])
server = PostgresServer(place / "pg", place / "pg.log", settings={"fsync": "off"})
server.start()
print(server.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    place = tmp_path_factory.mktemp("数据 库")
    with PostgresServer(place / "pg", place / "pg.log", settings=FAST) as server:
        yield server


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_roles_have_what_they_need_and_no_more(server):
    query = "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls FROM pg_roles"
    for url in (server.owner_url(), server.app_url()):
        assert one(url, f"{query} WHERE rolname = current_user") is False
    with psycopg.connect(server.owner_url()) as connection:
        connection.execute("CREATE SCHEMA a")
        connection.execute("CREATE TABLE public.b ()")
        connection.rollback()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        one(server.app_url(), "CREATE TABLE c ()")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        one(server.app_url(), "CREATE SCHEMA c")
    with pytest.raises(psycopg.OperationalError):
        one(server.app_url().replace("talent_app:", "talent_app:x"), "SELECT 1")


def test_texts_are_the_same_everywhere(server):
    assert one(server.app_url(), "SHOW server_encoding") == "UTF8"
    assert one(server.app_url(), "SHOW timezone") == "UTC"
    locale = "SELECT datlocale FROM pg_database WHERE datname = current_database()"
    assert one(server.app_url(), locale) == "C.UTF-8"


def test_databases_from_a_template(server):
    server.create_database("shape")
    with psycopg.connect(server.owner_url("shape")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        connection.execute("GRANT SELECT ON kept TO talent_app")
    server.create_database("copy", template="shape")
    assert one(server.app_url("copy"), "SELECT seven FROM kept") == 7
    server.drop_database("copy")
    with pytest.raises(psycopg.OperationalError):
        one(server.app_url("copy"), "SELECT 1")


def test_secrets_are_private_and_not_on_the_command_line(server):
    assert (server.data_dir / "passwords.json").stat().st_mode & 0o777 == 0o600
    command = Path(f"/proc/{server.pid}/cmdline").read_text()
    assert not any(url.split(":")[2].split("@")[0] in command for url in (server.app_url(),))
    assert not (server.data_dir / "initdb-password").exists()


def test_a_second_server_on_the_same_folder_is_refused(server):
    with pytest.raises(StartFailed, match="already runs"):
        PostgresServer(server.data_dir, server.log_file.with_name("other.log")).start()
    assert one(server.app_url(), "SELECT 1") == 1


def test_kill_and_start_again(tmp_path):
    with PostgresServer(tmp_path / "pg", tmp_path / "pg.log", settings=FAST) as server:
        url, port = server.app_url(), server.port
        with psycopg.connect(server.owner_url()) as connection:
            connection.execute("CREATE TABLE public.kept AS SELECT 7 AS seven")
            connection.execute("GRANT SELECT ON kept TO talent_app")
        with psycopg.connect(server.superuser_url(), autocommit=True) as held:
            held.execute("CHECKPOINT")
            os.kill(server.pid, signal.SIGKILL)
            assert eventually(lambda: not server.running)
            server.start()
        assert (server.app_url(), server.port) == (url, port)
        assert one(url, "SELECT seven FROM kept") == 7
    assert server.pid is None
    server.stop()


def test_dies_with_its_parent_and_starts_again_at_once(tmp_path):
    for _ in range(2):
        maker = subprocess.run(
            [sys.executable, "-c", ORPHAN_MAKER, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            check=False,
        )
        with PostgresServer(tmp_path / "pg", tmp_path / "pg.log", settings=FAST) as server:
            assert one(server.app_url(), "SELECT 1") == 1
        assert not alive(int(maker.stdout))


def test_dies_with_its_parent_when_a_thread_started_it(tmp_path):
    """The kernel's promise ends with the thread, so a watcher stands in for it."""
    in_a_thread = """
import threading
thread = threading.Thread(target=server.start)
thread.start()
thread.join()
time.sleep(0.2)
assert server.running
"""
    source = ORPHAN_MAKER.replace("server.start()", in_a_thread)
    maker = subprocess.run(
        [sys.executable, "-c", source, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert maker.returncode == -9
    assert eventually(lambda: not alive(int(maker.stdout)))


def test_a_stale_pid_file_with_a_reused_number_is_no_obstacle(tmp_path):
    server = PostgresServer(tmp_path / "pg", tmp_path / "pg.log", settings=FAST)
    server.start()
    pid_file = server.cluster / "postmaster.pid"
    text = pid_file.read_text()
    server.stop()
    pid_file.write_text(text.replace(text.split("\n", 1)[0], str(threading.get_native_id()), 1))
    with server:
        assert one(server.app_url(), "SELECT 1") == 1


def test_half_a_cluster_is_made_again(tmp_path):
    (tmp_path / "pg/draft/base").mkdir(parents=True)
    with PostgresServer(tmp_path / "pg", tmp_path / "pg.log", settings=FAST) as server:
        assert one(server.app_url(), "SELECT 1") == 1


def test_a_wrong_setting_is_told(tmp_path):
    settings = {**FAST, "no_such_setting": "1"}
    server = PostgresServer(tmp_path / "pg", tmp_path / "pg.log", settings=settings)
    with pytest.raises(StartFailed, match="no_such_setting"):
        server.start()


def test_valkey_keeps_port_and_password_over_a_kill(tmp_path):
    with ValkeyServer(tmp_path / "日志" / "valkey.log") as server:
        url = server.url
        client = redis.Redis.from_url(url)
        client.set("a", "b")
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.running)
        server.start()
        assert server.url == url
        assert redis.Redis.from_url(url).get("a") is None
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)).ping()
        assert server.url.split("@")[0][9:] not in Path(f"/proc/{server.pid}/cmdline").read_text()
    assert list((tmp_path / "日志").iterdir()) == [server.log_file]
