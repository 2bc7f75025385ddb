"""Connections and transactions: the only place that commits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import psycopg
from psycopg import pq
from sqlalchemy import Engine, create_engine, event, exc, make_url, select
from sqlalchemy.orm import Session, sessionmaker

from service.kernel.db.columns import District
from service.kernel.db.scope import Scope, begin
from service.kernel.db.together import send_in_time
from service.kernel.settings import DatabaseSettings, SettingsError


@dataclass
class Database:
    """A pool of connections and the way to a transaction on one of them."""

    engine: Engine
    sessions: sessionmaker[Session] = field(init=False)
    before_commit: list[Callable[[Session], None]] = field(default_factory=list)
    """Called in order with the session when a transaction is about to commit."""

    def __post_init__(self) -> None:
        self.sessions = sessionmaker(self.engine, autoflush=False, expire_on_commit=False)
        send_in_time(self.engine, self.sessions)

    @contextmanager
    def transaction(self, scope: Scope) -> Iterator[Session]:
        """One use case: commits when the block ends, rolls back when it raises."""
        session = self.open(scope)
        try:
            yield session
            self.commit(session)
        finally:
            session.close()

    def open(self, scope: Scope) -> Session:
        """A session whose transaction has begun; whoever opens it commits or closes it."""
        session = self.sessions()
        try:
            begin(session, scope)
        except BaseException:
            session.close()
            raise
        return session

    def commit(self, session: Session) -> None:
        """Flush what is pending, write what must stand in the same transaction, and commit."""
        session.flush()
        for write in self.before_commit:
            write(session)
        session.commit()

    def verify(self) -> None:
        """Raise `SettingsError` where connections cannot work as their role; for use at start.

        A database that is away is no fault of the settings: requests answer 503 until it is back.
        """
        try:
            self.engine.connect().close()
        except UnsafeRole as unsafe:
            raise SettingsError(str(unsafe)) from None
        except (exc.OperationalError, psycopg.OperationalError):
            return
        except (exc.DBAPIError, psycopg.Error) as error:
            told = error.orig if isinstance(error, exc.DBAPIError) else error
            raise SettingsError(f"DATABASE_URL, DATABASE_ROLE: {str(told).strip()}") from None

    def dispose(self) -> None:
        """Close the pool's connections."""
        self.engine.dispose()


def connect(settings: DatabaseSettings) -> Database:
    """A pool for the application role.

    Where the login is another role (an owner's, in a small installation), every connection
    changes to the application role, which row-level security holds. No statement and no wait for
    a lock outlasts what the settings allow, no transaction is left open, and nobody waits longer
    for a server that does not answer at all: `psycopg.OperationalError`.

    The driver begins no transaction by itself: `begin` does, in one trip with the scope. What is
    sent before sees no row of any district.
    """
    url = make_url(settings.database_url).set(drivername="postgresql+psycopg")
    connect_args: dict[str, Any] = {"application_name": "talent", "autocommit": True, **_WATCHED}
    if not settings.database_prepare:
        connect_args["prepare_threshold"] = None
    engine = create_engine(
        url,
        pool_size=settings.database_pool,
        max_overflow=0,
        pool_use_lifo=True,  # the connection used last has prepared the most
        pool_timeout=settings.database_pool_timeout,
        connect_args=connect_args,
        json_serializer=orjson.dumps,
        json_deserializer=orjson.loads,
    )
    longest, door = settings.database_statement_timeout / 1000 + _GRACE_SECONDS, Door()

    @event.listens_for(engine, "do_connect")
    def connect_answering(_dialect: Any, _record: Any, where: Any, how: Any) -> Any:
        with door.knock():
            connection = AnsweringConnection.connect(*where, **how)
        connection.longest, connection.prepared_max = longest, PREPARED
        return connection

    _prepare_connections(engine, settings)
    return Database(engine)


class Door:
    """Whether a server that lately took no connection is tried again.

    After an attempt that timed out one is made at a time, every DOOR_SECONDS; whoever else wants a
    connection is refused at once instead of waiting as long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shut = False
        self._until = 0.0

    @contextmanager
    def knock(self) -> Iterator[None]:
        """Around an attempt; raises `psycopg.errors.ConnectionTimeout` where none is made."""
        with self._lock:
            now = time.monotonic()
            if self._shut and now < self._until:
                raise psycopg.errors.ConnectionTimeout("the database has just not answered")
            self._until = now + DOOR_SECONDS + _WATCHED["connect_timeout"]
        try:
            yield
        except psycopg.errors.ConnectionTimeout:
            with self._lock:
                self._shut, self._until = True, time.monotonic() + DOOR_SECONDS
            raise
        self._shut = False


class AnsweringConnection(psycopg.Connection[Any]):
    """A connection that waits `longest` seconds for an answer of the server, and then is closed.

    `statement_timeout` is kept by the server. One that is stopped, or cut off by a network that
    says nothing of it, keeps nothing.
    """

    longest: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's; raises `psycopg.OperationalError` when the time is over."""
        try:
            return super().wait(gen, interval, self.longest if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()  # what becomes of the statement is not known
            raise


def districts(database: Database) -> Sequence[str]:
    """The ids of all districts, in order: what loops over them, one transaction for each."""
    with database.transaction(Scope.system()) as session:
        return session.scalars(select(District.id).order_by(District.id)).all()


class UnsafeRole(Exception):
    """Row-level security would not hold the role that connections work as."""


_GRACE_SECONDS: Final = 2
PREPARED: Final = 300
"""Statements that a connection keeps prepared; an INSERT of another number of rows is another one.
More than the service has, so that none is made again for want of room.
"""
DOOR_SECONDS: Final = 1.0
_WATCHED: Final = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""How soon this side notices that the other is gone: seconds, but for the last."""
_PREPARE: Final = """
SELECT set_config('role', %(role)s, false),
       set_config('statement_timeout', %(statement_timeout)s, false),
       set_config('lock_timeout', %(lock_timeout)s, false),
       set_config('idle_in_transaction_session_timeout', %(idle_timeout)s, false),
       set_config('tcp_keepalives_idle', '30', false),
       set_config('tcp_keepalives_interval', '10', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('tcp_user_timeout', '20000', false)
"""
_IS_HELD: Final = """
SELECT NOT (rolsuper OR rolbypassrls) AND NOT EXISTS (
    SELECT FROM pg_class
    WHERE relrowsecurity AND pg_has_role(current_user, relowner, 'USAGE')
) FROM pg_roles WHERE rolname = current_user
"""


def _prepare_connections(engine: Engine, settings: DatabaseSettings) -> None:
    """Every new connection takes its role and limits; `UnsafeRole` where security is not to be had.

    A superuser, a role with BYPASSRLS and the owner of a protected table would see everything.
    """
    values = {
        "role": settings.database_role,
        "statement_timeout": str(settings.database_statement_timeout),
        "lock_timeout": str(settings.database_lock_timeout),
        "idle_timeout": str(settings.database_idle_timeout),
    }

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_PREPARE, values)
            held = cursor.execute(_IS_HELD).fetchone()[0]
        connection.commit()
        if not held:
            raise UnsafeRole(f"DATABASE_ROLE: {settings.database_role} escapes row-level security")
