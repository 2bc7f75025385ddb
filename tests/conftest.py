"""The ground every test stands on: a real PostgreSQL and a real Valkey, started once per run.

One template database is migrated and filled by the real preparation; every test module works on a
clone of its own, with real commits. `session` is a transaction on it that is rolled back.

No test looks at the real clock: every module begins on the morning of a fixed day, see
`tests.wall_clock`.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher

from service.app import create_app
from service.identity.auth.providers import password as passwords
from service.kernel import logs, migrations, person_keys
from service.kernel.db import Scope
from service.kernel.http.limits import limiter
from service.kernel.keys import make_key_file
from service.kernel.settings import load
from service.local.postgres import PostgresServer
from service.local.valkey import ValkeyServer
from service.materials.rules import (
    apart,
    image_reader,
    images,
    office_reader,
    packages,
    pdf,
    pdf_reader,
)
from service.runtime import open_database
from tests.contract import CheckedClient
from tests.factories import World
from tests.packs import plain_pack, publish
from tests.statements import MIXED, Count, counted, watched
from tests.wall_clock import (
    DAY,
    SEARCH_PATH,
    WALL_CLOCK,
    WallClock,
    fit_partitions,
    follow,
    install,
    morning,
)

PASSWORD = "demonstration"
_TEMPLATE = "template_talent"
_ENVIRONMENT = {
    "TALENT_ENV": "test",
    "TALENT_WECHAT_MODE": "demo",
    "TALENT_LIMIT_LOGIN_PER_ADDRESS": "100000 per minute",
    "TALENT_LIMIT_LOGIN_PER_ACCOUNT": "100000 per minute",
    "TALENT_LIMIT_ELIGIBILITY": "100000 per minute",
    "TALENT_LIMIT_UPLOADS": "100000 per minute",
    "TALENT_DEMO_PASSWORD": PASSWORD,
}
_SERVER = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "search_path": SEARCH_PATH,
}

# How long an example takes depends on what else the machine does: no test goes by it.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

logs.configure(logging.WARNING)

# Hashing at full strength would be most of the run: the strength is argon2-cffi's to test.
passwords.hashing.hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@dataclass
class Servers:
    """What the run has started; `workers` of it see the addresses alone."""

    folder: Path
    postgres: PostgresServer | None = None
    valkey: ValkeyServer | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        self.postgres = PostgresServer(
            self.folder / "postgres", self.folder / "postgres.log", settings=_SERVER
        )
        self.valkey = ValkeyServer(self.folder / "valkey.log")
        self.postgres.start()
        self.valkey.start()
        keys = self.folder / "keys.json"
        make_key_file(keys)
        self.environment = {
            **_ENVIRONMENT,
            "DATABASE_URL": self.postgres.app_url(_TEMPLATE),
            "DATABASE_OWNER_URL": self.postgres.owner_url(_TEMPLATE),
            "TEST_SUPERUSER_URL": self.postgres.superuser_url("postgres"),
            "REDIS_URL": self.valkey.url,
            "TALENT_KEYS_FILE": str(keys),
            "TALENT_STORAGE_DIR": str(self.folder / "files"),
        }
        os.environ.update(self.environment)
        self.postgres.create_database(_TEMPLATE)
        with psycopg.connect(self.postgres.superuser_url(_TEMPLATE), autocommit=True) as admin:
            install(admin)
            follow(admin, _TEMPLATE, WALL_CLOCK)
        migrations.upgrade(self.environment["DATABASE_OWNER_URL"])
        with psycopg.connect(self.postgres.superuser_url(_TEMPLATE), autocommit=True) as admin:
            fit_partitions(admin)
        self._prepare()

    def _prepare(self) -> None:
        from service.local import demonstration
        from tests.packs import demo_pack

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(demonstration, "load_pack", lambda _folder: demo_pack())
            demonstration.prepare(load())

    def stop(self) -> None:
        if self.postgres is not None:
            self.postgres.stop()
        if self.valkey is not None:
            self.valkey.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


_servers = pytest.StashKey[Servers]()
_day = pytest.StashKey[date]()

STARTED = "TALENT_TEST_SERVERS"
"""Set where the servers of the run have been started already, and the environment tells of them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--on",
        type=date.fromisoformat,
        default=DAY,
        metavar="DAY",
        help="run as on this day (2028-02-29) instead of the usual one",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_day] = day = config.option.on
    WALL_CLOCK.set(morning(day) - timedelta(days=1))
    _start(config)
    WALL_CLOCK.set(morning(day))


def _start(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        os.environ.update(config.workerinput["environment"])
        number = config.workerinput["workerid"].removeprefix("gw")
        os.environ["REDIS_URL"] = (
            urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number}").geturl()
        )
        return
    if config.option.collectonly or STARTED in os.environ:
        return
    servers = Servers(Path(tempfile.mkdtemp(prefix="talent-tests-")))
    config.stash[_servers] = servers
    servers.start()


def pytest_configure_node(node) -> None:
    node.workerinput["environment"] = node.config.stash[_servers].environment


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(_servers, None)
    if servers is not None:
        servers.stop()
    WALL_CLOCK.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests come first: no worker is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="module", autouse=True)
def pinned_day(request: pytest.FixtureRequest) -> date:
    """The day on which this module takes place, in UTC and in Shanghai; its morning begins now."""
    day = request.config.stash[_day]
    WALL_CLOCK.set(morning(day))
    return day


@pytest.fixture(autouse=True)
def wall_clock(pinned_day: date) -> Iterator[WallClock]:
    """The clock of this process; a test may move it, for itself."""
    with WALL_CLOCK.kept() as clock:
        yield clock


def url_of(role: str, database: str) -> str:
    """The address of a database for `app`, `owner` or `superuser`."""
    names = {
        "app": "DATABASE_URL",
        "owner": "DATABASE_OWNER_URL",
        "superuser": "TEST_SUPERUSER_URL",
    }
    return urlsplit(os.environ[names[role]])._replace(path=f"/{database}").geturl()


@contextmanager
def clone(name: str) -> Iterator[str]:
    """A database that is a copy of the template, for the length of the block; gives its name."""
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as admin:
        admin.execute(
            f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} OWNER talent_owner STRATEGY file_copy"
        )
        admin.execute(f"GRANT CONNECT ON DATABASE {name} TO talent_app")
        follow(admin, name, WALL_CLOCK)
        try:
            with psycopg.connect(url_of("superuser", name), autocommit=True) as connection:
                fit_partitions(connection)
            yield name
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session", autouse=True)
def _files_read_here() -> Iterator[None]:
    """Uploads are read in this process: hundreds of them, small ones, made by the tests.

    Where reading is what is tested, a module takes the fixture `read_apart`.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (pdf, images, packages):
            patch.setattr(module, "answer_of", _read_here)
        yield


def _read_here(reader: Path, content: bytes, most: int) -> str:
    return {one.__file__: one.read for one in (pdf_reader, image_reader, office_reader)}[
        str(reader)
    ](content, most)


@pytest.fixture(scope="module")
def read_apart() -> Iterator[None]:
    """Uploads are read as in the service: each in a process of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (pdf, images, packages):
            patch.setattr(module, "answer_of", apart.answer_of)
        yield


@pytest.fixture(scope="session", autouse=True)
def _statements_watched() -> Iterator[None]:
    with watched():
        yield


@pytest.fixture(autouse=True)
def one_family_at_a_time() -> Iterator[None]:
    """No statement of the service names tables of both families; see `tests.families`."""
    MIXED.clear()
    yield
    assert MIXED == []


@pytest.fixture(scope="module")
def database_name(pinned_day: date, request: pytest.FixtureRequest) -> Iterator[str]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", f"{pinned_day:%Y%m%d}")
    module = request.module.__name__.rpartition(".")[2][:40]
    with clone(f"test_{worker}_{module}") as name:
        yield name


@pytest.fixture(scope="module")
def settings(database_name: str):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url_of("app", database_name))
        patch.setenv("DATABASE_OWNER_URL", url_of("owner", database_name))
        yield load()


@pytest.fixture(scope="module")
def database(settings):
    """The application's pool on this module's database; transactions on it commit."""
    database = open_database(settings)
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def plain_flows(database) -> None:
    """In this module the rent subsidy goes from its acceptance straight to its decision."""
    publish(database, plain_pack())


@pytest.fixture
def session(database):
    """A transaction of the district's, rolled back at the end."""
    session = database.open(Scope.system("demo"))
    yield session
    session.close()


@pytest.fixture(scope="module")
def app(settings, database):
    app = create_app(settings, database)
    app.test_client_class = CheckedClient
    return app


@pytest.fixture
def client(app) -> Iterator[CheckedClient]:
    """A test client that holds every answer against the committed documents."""
    with app.app_context():
        limiter.reset()
    return app.test_client()


@pytest.fixture
def limited(client) -> Iterator[Callable[..., CheckedClient]]:
    """A client whose application has these limits, for the length of a test."""
    extensions = client.application.extensions
    runtime = extensions["talent"]

    def limit(**limits: str) -> CheckedClient:
        extensions["talent"] = replace(runtime, settings=replace(runtime.settings, **limits))
        return client

    yield limit
    extensions["talent"] = runtime


@pytest.fixture
def world(app) -> World:
    """People and tickets, made over HTTP."""
    return World(app, PASSWORD)


@pytest.fixture
def sql_count() -> Callable[[], AbstractContextManager[Count]]:
    """Counts the statements that are sent within a block; see `tests.statements`.

    The process knows no person's key when the block begins: the most that a call can cost.
    """

    def cold() -> AbstractContextManager[Count]:
        person_keys.forget()
        return counted()

    return cold
