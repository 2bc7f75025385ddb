"""Whether the process lives, whether it can do its work, and what it counts about itself."""

from __future__ import annotations

import hmac
import threading
import time
from concurrent.futures import Future
from typing import Final

from flask import Blueprint, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from service.kernel import clock, metrics
from service.kernel.db import Database, Scope
from service.kernel.errors import NotFound, Unauthenticated, Unavailable
from service.kernel.http.context import runtime
from service.kernel.migrations import newest_revision

health = Blueprint("health", __name__)

READY_SECONDS: Final = 1.5
_MIGRATED = text("SELECT to_regclass('public.alembic_version') IS NOT NULL")
_REVISION = text("SELECT version_num FROM alembic_version")
_RETRY: Final = {"Retry-After": "5"}


@health.get("/livez")
def livez() -> Response:
    """The process answers; it asks nobody else."""
    return Response("ok\n", content_type="text/plain")


class _Look:
    """One look at a database, at most one at a time, by a thread that may get stuck with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._look: Future[str | None] | None = None
        self._until = 0.0

    def revision(self, database: Database) -> str | None:
        """The revision of the schema; raises `Unavailable` within READY_SECONDS."""
        with self._lock:
            if self._look is None or self._look.done():
                self._look, self._until = Future(), time.monotonic() + READY_SECONDS
                threading.Thread(target=self._ask, args=(database, self._look), daemon=True).start()
            look, until = self._look, self._until
        try:
            return look.result(timeout=max(0, until - time.monotonic()))
        except TimeoutError:
            raise Unavailable(headers=_RETRY) from None

    @staticmethod
    def _ask(database: Database, look: Future[str | None]) -> None:
        try:
            with database.transaction(Scope.system()) as session:
                migrated = session.scalar(_MIGRATED)
                look.set_result(session.scalar(_REVISION) if migrated else None)
        except BaseException as error:  # noqa: BLE001 - raised where the look is waited for
            if not look.done():
                look.set_exception(error)


@health.get("/readyz")
def readyz() -> Response:
    """The database answers and its schema is the one this code was written for.

    Says 503 where the database takes longer than READY_SECONDS.
    """
    look: _Look = current_app.extensions.setdefault("readiness", _Look())
    present = look.revision(runtime().database)
    if present != newest_revision():
        raise Unavailable("not_migrated", headers=_RETRY)
    return Response("ready\n", content_type="text/plain")


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
