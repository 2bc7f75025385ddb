"""`talent up`: the whole service on this machine, until Ctrl-C."""

from __future__ import annotations

import http
import http.client
import io
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.local.child import StartFailed
from service.local.claim import AlreadyRunning, claim
from service.local.environment import write_environment
from service.local.notice import Notice, docs_of, read_accounts
from service.local.ports import HOST, why_taken
from service.local.postgres import PostgresServer
from service.local.private import write_private
from service.local.programs import ProgramChild, Programs, service_programs
from service.local.supervisor import GaveUp, RestartPolicy, StopAskedFor, Supervisor
from service.local.valkey import ValkeyServer

OK, FAILED, REFUSED = 0, 1, 2

_ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
_READY_SECONDS = 240  # whoever dies is noticed sooner; a busy machine only takes longer
_SHORTEST_PASSWORD = 8
_AFTER_CRASH_SECONDS = 15
_LOOK_SECONDS = 0.1
_POLICY = RestartPolicy()


class Refused(Exception):
    """Nothing was started; the text says why."""


@dataclass(frozen=True)
class Places:
    """The files of the local mode, all below one folder."""

    var: Path

    def __post_init__(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        for private in (self.files, self.log):
            private.mkdir(mode=0o700, exist_ok=True)

    @property
    def files(self) -> Path:
        return self.var / "files"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def notice(self) -> Path:
        return self.var / "up.json"

    @property
    def environment(self) -> Path:
        return self.var / "environment.json"

    @property
    def password(self) -> Path:
        return self.var / "demo-password"

    @property
    def accounts(self) -> Path:
        return self.var / "demo-accounts.json"

    @property
    def matches(self) -> Path:
        return self.var / "demo-matches.json"

    @property
    def keys(self) -> Path:
        return self.var / "keys.json"


@dataclass(frozen=True)
class OwnPack:
    """A pack in the place of the demonstration's; its district becomes the default one."""

    folder: Path
    district: str


def up(
    var: Path,
    *,
    http_port: int,
    pack: OwnPack | None = None,
    programs: Callable[[Mapping[str, str]], Programs] = service_programs,
    policy: RestartPolicy = _POLICY,
) -> int:
    """Start everything in `var`, keep it running, stop it on SIGINT, SIGTERM or SIGHUP.

    Returns the exit code: 0 after a stop that was asked for, 1 when something failed, 2 when
    nothing was started because one already runs, the port is taken or a setting is wrong.
    DATABASE_URL and REDIS_URL in the environment replace the embedded servers. Call it from the
    main thread: it takes the signals, and its children end with that thread.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    base_url = f"http://{HOST}:{http_port}"
    try:
        _refuse_nonsense(http_port)
        places = Places(var.resolve())
        with claim(places.var / "up.lock", address=base_url) as after_crash:
            places.notice.unlink(missing_ok=True)
            _refuse_taken(http_port, patience=_AFTER_CRASH_SECONDS if after_crash else 0)
            try:
                return _run(_Service(places, http_port, base_url, programs, pack), policy)
            finally:
                places.notice.unlink(missing_ok=True)
                places.environment.unlink(missing_ok=True)
    except AlreadyRunning as running:
        _say(f"One is already running at {running}. Stop it first (Ctrl-C where it was started).")
    except Refused as refusal:
        _say(str(refusal))
    except OSError as problem:
        _say(f"Cannot work in {var}: {problem}")
    return REFUSED


@dataclass(frozen=True)
class _Service:
    places: Places
    http_port: int
    base_url: str
    programs: Callable[[Mapping[str, str]], Programs]
    pack: OwnPack | None

    def notice(self, pids: Mapping[str, int]) -> Notice:
        return Notice(
            base_url=self.base_url,
            docs=docs_of(self.base_url),
            accounts=read_accounts(self.places.accounts),
            password_file=str(self.places.password),
            pids={**pids, "supervisor": os.getpid()},
        )


def _run(service: _Service, policy: RestartPolicy) -> int:
    with Supervisor(say=_say, policy=policy) as supervisor:
        try:
            _start(service, supervisor)
            supervisor.watch()
        except StopAskedFor:
            code = OK
        except (GaveUp, StartFailed, OSError) as failure:  # before all were up
            _say(str(failure))
            code = FAILED
        _say("Stopping (正在停止) …")
    _say("Everything is stopped (已全部停止).")
    return code


def _start(service: _Service, supervisor: Supervisor) -> None:
    places = service.places
    addresses = _start_servers(supervisor, places)
    environment = _environment(places, service.http_port) | addresses | _shown(service.pack)
    write_environment(places.environment, environment)
    chosen = service.programs(environment)
    _start_programs(supervisor, chosen, places.log)
    if not supervisor.wait_until(lambda: _is_ready(service.http_port), seconds=_READY_SECONDS):
        raise GaveUp(f"{service.base_url}/readyz did not say 200 within {_READY_SECONDS} seconds.")
    notice = service.notice(supervisor.pids)
    notice.write(places.notice)
    supervisor.on_change = lambda: service.notice(supervisor.pids).write(places.notice)
    _say(notice.for_people())


def _start_programs(supervisor: Supervisor, chosen: Programs, log: Path) -> None:
    """Prepare, and let the others begin; those that are held load meanwhile."""
    children = [ProgramChild(program, log) for program in (chosen.web, chosen.worker)]
    for child in children:
        if child.program.held:
            supervisor.start(child)
    supervisor.run(ProgramChild(chosen.prepare, log))
    for child in children:
        child.release()
        if not child.program.held:
            supervisor.start(child)


def _start_servers(supervisor: Supervisor, places: Places) -> dict[str, str]:
    """The addresses of the two servers, embedded ones where the environment names none."""
    addresses = {key: os.environ[key] for key in _ADDRESSES if os.environ.get(key)}
    if "DATABASE_URL" not in addresses:
        postgres = PostgresServer(places.var / "postgres", places.log / "postgres.log")
        supervisor.start(postgres, server=True)
        addresses["DATABASE_URL"] = postgres.app_url()
        addresses["DATABASE_OWNER_URL"] = postgres.owner_url()
    if "REDIS_URL" not in addresses:
        valkey = ValkeyServer(places.log / "valkey.log")
        supervisor.start(valkey, server=True)
        addresses["REDIS_URL"] = valkey.url
    addresses.setdefault("DATABASE_OWNER_URL", addresses["DATABASE_URL"])
    return addresses


def _environment(places: Places, http_port: int) -> dict[str, str]:
    if not places.keys.exists():
        from service.kernel.keys import make_key_file

        make_key_file(places.keys)
    return {
        **os.environ,
        "TALENT_ENV": "local",
        "TALENT_WECHAT_MODE": os.environ.get("TALENT_WECHAT_MODE", "demo"),
        "TALENT_KEYS_FILE": str(places.keys),
        "TALENT_STORAGE_DIR": str(places.files),
        "TALENT_HTTP_PORT": str(http_port),
        "TALENT_DEMO_PASSWORD": _demo_password(places.password),
        "TALENT_DEMO_ACCOUNTS_FILE": str(places.accounts),
        "TALENT_DEMO_MATCHES_FILE": str(places.matches),
        "PYTHONUNBUFFERED": "1",
    }


def _shown(pack: OwnPack | None) -> dict[str, str]:
    if pack is None:
        return {}
    return {"TALENT_DEMO_PACK": str(pack.folder), "TALENT_DEFAULT_DISTRICT": pack.district}


def _demo_password(path: Path) -> str:
    """The one from the environment, else the one kept, else a new one; kept for people to read."""
    kept = path.read_text("utf-8").strip() if path.exists() else ""
    password = os.environ.get("TALENT_DEMO_PASSWORD") or kept or secrets.token_urlsafe(12)
    if password != kept:
        write_private(path, password + "\n")
    return password


def _refuse_nonsense(http_port: int) -> None:
    if not 0 < http_port < 65_536:  # noqa: PLR2004 - TCP's range
        raise Refused(f"TALENT_HTTP_PORT is {http_port}; a port is a number from 1 to 65535.")
    password = os.environ.get("TALENT_DEMO_PASSWORD")
    if password and len(password) < _SHORTEST_PASSWORD:
        raise Refused(f"TALENT_DEMO_PASSWORD has fewer than {_SHORTEST_PASSWORD} characters.")
    if os.environ.get("TALENT_ENV") == "production":
        raise Refused("TALENT_ENV is production: the local mode, with its demonstration, is not.")


def _refuse_taken(http_port: int, *, patience: float) -> None:
    """`patience`: seconds for the programs of a killed supervisor to let go of the port."""
    deadline = time.monotonic() + patience
    while why := why_taken(http_port):
        if time.monotonic() > deadline:
            raise Refused(
                f"Port {http_port} cannot be used: {why}. Choose another: TALENT_HTTP_PORT=…"
            )
        time.sleep(_LOOK_SECONDS)


def _is_ready(http_port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, http_port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone: that is what a hang-up means
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
