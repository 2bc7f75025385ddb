"""Rate limits, counted in Redis; while Redis is away, in the process itself."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from service.kernel import clock
from service.kernel.settings import Settings

limiter: Final = Limiter(
    key_func=get_remote_address,
    strategy="moving-window",
    in_memory_fallback_enabled=True,
    swallow_errors=True,
    headers_enabled=False,
)
"""Decorates the routes that are limited; counts per client address unless told otherwise."""


def configure(app: Flask, settings: Settings) -> None:
    """Count in the installation's Redis, and tell clients where they stand."""
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"socket_timeout": 1, "socket_connect_timeout": 1}
    limiter.init_app(app)
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    """RateLimit and RateLimit-Policy (IETF httpapi draft), and Retry-After on a 429."""
    current = limiter.current_limit
    if current is None:
        return response
    name, window = current.limit.namespace.lower(), current.limit.get_expiry()
    wait = max(1, int(current.reset_at - clock.now().timestamp()))
    response.headers["RateLimit-Policy"] = f'"{name}";q={current.limit.amount};w={window}'
    response.headers["RateLimit"] = f'"{name}";r={max(0, current.remaining)};t={wait}'
    if response.status_code == 429:  # noqa: PLR2004 - Too Many Requests
        response.headers["Retry-After"] = str(wait)
    return response
