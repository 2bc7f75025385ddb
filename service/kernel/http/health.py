"""Whether the process lives, whether it can do its work, and what it counts about itself."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from service.kernel import clock, metrics
from service.kernel.db import Scope
from service.kernel.errors import NotFound, Unauthenticated, Unavailable
from service.kernel.http.context import runtime
from service.kernel.migrations import newest_revision

health = Blueprint("health", __name__)

_REVISION = text("SELECT version_num FROM alembic_version")


@health.get("/livez")
def livez() -> Response:
    """The process answers; it asks nobody else."""
    return Response("ok\n", content_type="text/plain")


@health.get("/readyz")
def readyz() -> Response:
    """The database answers and its schema is the one this code was written for."""
    with runtime().database.transaction(Scope.system()) as session:
        migrated = session.scalar(text("SELECT to_regclass('public.alembic_version') IS NOT NULL"))
        present = session.scalar(_REVISION) if migrated else None
    if present != newest_revision():
        raise Unavailable("not_migrated", headers={"Retry-After": "5"})
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
