"""Whether the process lives, whether it can do its work, and what it counts about itself."""

from __future__ import annotations

import hmac
import threading
import time
from concurrent.futures import Future
from typing import Final

from flask import Blueprint, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST
from psycopg import DataError, ProgrammingError
from sqlalchemy import exc
from sqlalchemy.orm import Session

from service.kernel import access, clock, logs, metrics, migrations
from service.kernel.db import Database, Scope
from service.kernel.db.engine import UnsafeRole
from service.kernel.errors import NotFound, Unauthenticated, Unavailable
from service.kernel.http.context import runtime

health = Blueprint("health", __name__)

_LOG: Final = logs.logger("health")
_LATER: Final = {"Retry-After": "5"}
_LOGGED: Final = 5
_NO_SUCH_RIGHT: Final = (
    exc.ProgrammingError,
    exc.DataError,
    ProgrammingError,
    DataError,
    UnsafeRole,
)
READY_SECONDS: Final = 1.5


@health.get("/livez")
def livez() -> Response:
    """The process answers; it asks nobody else."""
    return Response("ok\n", content_type="text/plain")


class _Readiness:
    """One look at the database, at most one at a time, by a thread that may get stuck with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._look: Future[None] | None = None
        self._until = 0.0

    def at(self, database: Database) -> None:
        """Raises `Unavailable` within READY_SECONDS where it is not as it has to be, and whatever
        the look itself raised.
        """
        with self._lock:
            if self._look is None or self._look.done():
                self._look, self._until = Future(), time.monotonic() + READY_SECONDS
                threading.Thread(target=_look, args=(database, self._look), daemon=True).start()
            look, until = self._look, self._until
        try:
            look.result(timeout=max(0, until - time.monotonic()))
        except TimeoutError:
            raise Unavailable(headers=_LATER) from None


def _look(database: Database, seen: Future[None]) -> None:
    """Whoever waits goes on once the connection is given back."""
    try:
        with database.transaction(Scope.system()) as session:
            _see_to_schema(session)
    except BaseException as error:  # noqa: BLE001 - raised where the look is waited for
        seen.set_exception(error)
    else:
        seen.set_result(None)


@health.get("/readyz")
def readyz() -> Response:
    """The database answers, its schema is the one this code needs or a newer one, and the service
    may do in it what it has to.

    A newer schema is what an upgrade makes while the older release still runs. Says 503 where the
    database takes longer than READY_SECONDS.
    """
    ready: _Readiness = current_app.extensions.setdefault("readiness", _Readiness())
    try:
        ready.at(runtime().database)
    except _NO_SUCH_RIGHT as error:
        _LOG.error("database_incomplete", exc_info=error)
        raise Unavailable("database_incomplete", headers=_LATER) from None
    return Response("ready\n", content_type="text/plain")


def _see_to_schema(session: Session) -> None:
    standing = migrations.standing(migrations.revision_of(session))
    if standing in {migrations.Standing.EMPTY, migrations.Standing.OLDER}:
        raise Unavailable("not_migrated", headers=_LATER)
    lost = access.missing(session) if standing is migrations.Standing.SAME else []
    if lost:
        _LOG.error("database_incomplete", missing=lost[:_LOGGED], number=len(lost))
        raise Unavailable("database_incomplete", headers=_LATER)


@health.get("/metrics")
def exposition() -> Response:
    """What is counted, for Prometheus: for who shows TALENT_METRICS_TOKEN as a bearer token.

    Where the installation has no such token there is no such path.
    """
    token = runtime().settings.metrics_token
    if not token:
        raise NotFound
    shown = request.headers.get("Authorization", "")
    if not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
        raise Unauthenticated("token_invalid")
    text = metrics.exposition(runtime().database, at=clock.now())
    return Response(text, content_type=CONTENT_TYPE_LATEST)
