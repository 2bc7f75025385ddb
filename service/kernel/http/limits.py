"""Rate limits, counted in Redis; while Redis is away, in the process itself."""

from __future__ import annotations

import logging
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

from flask import Flask, Response, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.kernel import clock
from service.kernel.http.context import actor
from service.kernel.logs import logger
from service.kernel.settings import Settings

_LOG: Final = logger("limits")
_REMEMBERED: Final[RateLimitItem] = parse("1 per 90 day")


def client_network() -> str:
    """Whom a limit counts: an IPv4 address, or the /64 that one IPv6 subscriber has (RFC 6177)."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))


def client_account() -> str:
    """Whom a limit counts wherever they are; of who is not signed in, the network."""
    account = actor().account_id
    return client_network() if account is None else str(account)


limiter: Final = Limiter(
    key_func=client_network,
    strategy="moving-window",
    in_memory_fallback_enabled=True,
    swallow_errors=True,
    headers_enabled=False,
)
"""Decorates the routes that are limited; counts per client network unless told otherwise.

It belongs above `arguments`: then whoever is over the limit is not even read.
"""


def configure(app: Flask, settings: Settings) -> None:
    """Count in the installation's Redis, and tell clients where they stand."""
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {
        "socket_timeout": 1,
        "socket_connect_timeout": 1,
        "retry": Retry(NoBackoff(), 0),
    }
    limiter.init_app(app)
    _library = logging.getLogger("flask-limiter")
    _library.addFilter(_without_clients)
    app.after_request(_tell)


def remember(*who: str) -> None:
    """Keep for 90 days from now that these words belong together; until Redis loses it."""
    try:
        limiter.limiter.clear(_REMEMBERED, *who)  # a hit beyond the limit would not be counted
        limiter.limiter.hit(_REMEMBERED, *who)
    except Exception as error:  # noqa: BLE001 - nobody is turned away because of it
        _LOG.warning("limits_unavailable", cause=type(error).__name__)


def is_remembered(*who: str) -> bool:
    """Whether these words were remembered; not where Redis cannot say."""
    try:
        return not limiter.limiter.test(_REMEMBERED, *who)
    except Exception as error:  # noqa: BLE001 - as above
        _LOG.warning("limits_unavailable", cause=type(error).__name__)
        return False


def _without_clients(record: logging.LogRecord) -> bool:
    """The library says once that Redis is away, and back; who was refused is nobody's to read."""
    return not str(record.msg).startswith("ratelimit")


def _tell(response: Response) -> Response:
    """RateLimit and RateLimit-Policy (IETF httpapi draft), and Retry-After on a 429.

    Left out where Redis does not say how much is left: what was done stays done.
    """
    current = limiter.current_limit
    if current is None:
        return response
    name, window = current.limit.namespace.lower(), current.limit.get_expiry()
    try:
        wait = max(1, int(current.reset_at - clock.now().timestamp()))
        remaining = max(0, current.remaining)
    except Exception as error:  # noqa: BLE001 - whatever its client raises
        _LOG.warning("limits_unavailable", cause=type(error).__name__)
        wait, remaining = window, 0
        if response.status_code != 429:  # noqa: PLR2004 - Too Many Requests
            return response
    response.headers["RateLimit-Policy"] = f'"{name}";q={current.limit.amount};w={window}'
    response.headers["RateLimit"] = f'"{name}";r={remaining};t={wait}'
    if response.status_code == 429:  # noqa: PLR2004 - Too Many Requests
        response.headers["Retry-After"] = str(wait)
    return response
