"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import text

from service.kernel.db import Scope
from service.kernel.errors import Unavailable
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
