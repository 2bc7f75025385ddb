"""Who bears a token, as the service sees it."""

from __future__ import annotations

from contextlib import closing

from service.kernel.actor import Actor
from service.kernel.http.context import Runtime


def bearer(runtime: Runtime, token: str) -> Actor:
    """Raises `Unauthenticated` as a request would."""
    with closing(runtime.database.sessions()) as session:
        return runtime.authenticate(session, token)
