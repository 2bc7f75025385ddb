"""Puts the slices together: the one place that knows them all."""

from __future__ import annotations

import time
from typing import Any, Final

import orjson
import structlog
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

import service.applicants.routes.family
import service.applicants.routes.items
import service.applicants.routes.tickets
import service.authorities.routes
import service.catalogue.routes
import service.desk.routes
import service.employers.routes
import service.enterprises.routes
import service.facts.routes
import service.filing.routes
import service.identity.auth.routes
import service.identity.consents.routes
import service.identity.people.routes
import service.materials.routes
import service.notifications.routes
import service.policies.routes
from service.identity.auth.queries import authenticator
from service.kernel import ids, logs, metrics
from service.kernel.db import Database
from service.kernel.errors import NotFound
from service.kernel.http import documentation, documents, health, home, limits, problems, reference
from service.kernel.http.context import Runtime
from service.kernel.http.strict_json import MAX_BYTES
from service.kernel.keys import load_keys
from service.kernel.settings import Settings
from service.runtime import open_database

BLUEPRINTS: Final = (
    service.identity.auth.routes.auth,
    service.catalogue.routes.blp,
    reference.reference,
    service.identity.people.routes.me,
    service.policies.routes.blp,
    service.materials.routes.blp,
    service.filing.routes.blp,
    service.applicants.routes.tickets.blp,
    service.applicants.routes.items.blp,
    service.applicants.routes.family.blp,
    service.desk.routes.blp,
    service.employers.routes.blp,
    service.enterprises.routes.blp,
    service.authorities.routes.blp,
    service.filing.routes.for_employees,
    service.notifications.routes.blp,
    service.facts.routes.blp,
    service.identity.consents.routes.consents,
)
"""In the order in which a client comes to them: the documents show them so."""
_REQUEST_ID_LONGEST: Final = 64
_LOG: Final = logs.logger("http")


class _Orjson(JSONProvider):
    def dumps(self, obj: Any, **_options: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return orjson.loads(s)


def create_app(settings: Settings, database: Database | None = None) -> Flask:
    """The web application; it opens no connection before the first request."""
    database = database or open_database(settings)
    metrics.watch(database)
    keys = load_keys(settings.keys_file)
    app = Flask(__name__, static_folder=None)
    app.json = _Orjson(app)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.extensions["talent"] = Runtime(
        settings=settings,
        database=database,
        keys=keys,
        authenticate=authenticator(keys),
    )
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.after_request(_finish)
    problems.register(app)
    limits.configure(app, settings)
    app.register_blueprint(health.health)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    documentation.register(app, BLUEPRINTS)
    home.register(app)
    return app


def api_documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document of every audience; they depend on the code alone, on no setting."""
    app = Flask(__name__, static_folder=None)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return documents.build(app, BLUEPRINTS)


def _begin() -> None:
    """Name the request, and turn away what the server refuses and paths that no name here has."""
    structlog.contextvars.clear_contextvars()
    asked = request.headers.get("X-Request-Id", "")
    plain = asked.isascii() and asked.replace("-", "").isalnum()
    g.request_id = asked if plain and len(asked) <= _REQUEST_ID_LONGEST else str(ids.new_id())
    g.started = time.perf_counter()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if (refusal := request.environ.get(problems.REFUSAL)) is not None:
        raise refusal
    if not request.path.isprintable():
        raise NotFound


def _account() -> str | None:
    account_id = g.unit.actor.account_id if "unit" in g else None
    return None if account_id is None else str(account_id)


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.started
    route = None if request.url_rule is None else request.url_rule.rule
    metrics.observe_request(request.method, route, response.status_code, seconds)
    _LOG.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        account=_account(),
    )
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response
