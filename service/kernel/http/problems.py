"""Problems as RFC 9457 documents, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
import psycopg
from flask import Flask, Response, g
from psycopg.errors import IdleInTransactionSessionTimeout, ReadOnlySqlTransaction
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException

from service.kernel import errors, messages
from service.kernel.db.outages import kind_of
from service.kernel.http.context import language
from service.kernel.http.fields import MOST_FAULTS
from service.kernel.logs import logger

_LOG: Final = logger("http")

_BY_STATUS: Final[dict[int, type[errors.Problem]]] = {
    kind.status: kind
    for kind in (
        errors.Malformed,
        errors.Unauthenticated,
        errors.Forbidden,
        errors.NotFound,
        errors.MethodNotAllowed,
        errors.Conflict,
        errors.TooLarge,
        errors.UnsupportedMediaType,
        errors.Invalid,
        errors.TooManyRequests,
    )
}
_AWAY: Final = (
    exc.OperationalError,
    exc.InterfaceError,
    exc.TimeoutError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
_PASSED_ON: Final = ("Allow", "Retry-After")
REFUSAL: Final = "talent.refusal"
"""Where the WSGI environment holds the `Problem` with which the server itself refuses a request."""
_LONGEST: Final = 200
"""Characters of what is repeated from a request: a path, or a value among the figures."""


def register(app: Flask) -> None:
    """Answer everything that goes wrong with a problem document."""
    app.register_error_handler(errors.Problem, respond)
    app.register_error_handler(HTTPException, _from_werkzeug)
    app.register_error_handler(exc.SQLAlchemyError, _from_database)
    app.register_error_handler(psycopg.Error, _from_database)
    app.register_error_handler(Exception, _unexpected)


def respond(problem: errors.Problem) -> Response:
    """The problem document of `problem`."""
    tongue, params = language(), _repeated(problem.params)
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": messages.say(problem.code, tongue, params),
        "code": problem.code,
        "errors": [
            {"path": _short(error.path), "code": error.code, "message": _message(error, tongue)}
            for error in problem.errors[:MOST_FAULTS]
        ],
        "request_id": g.get("request_id"),
    }
    if params:
        body["params"] = messages.said_in(tongue, params)
    response = Response(
        orjson.dumps(body, default=str), problem.status, content_type="application/problem+json"
    )
    response.headers.update(problem.headers)
    response.headers["Content-Language"] = {"zh": "zh-CN", "en": "en"}[tongue]
    return response


def _message(error: errors.FieldError, tongue: messages.Language) -> str:
    if error.text is not None:
        return error.text[tongue]
    return messages.say(error.code, tongue, _repeated(error.params))


def _repeated(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _short(value) if isinstance(value, str) else value for name, value in params.items()
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _from_werkzeug(error: HTTPException) -> Response:
    """Flask's own refusals: no such route, method, a body too large, a range that is not there."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(error)
    kind = _BY_STATUS.get(status, errors.Malformed)
    headers = {name: value for name, value in error.get_headers() if name in _PASSED_ON}
    return respond(kind(headers=headers))


def _from_database(error: Exception) -> Response:
    """The database is away, slow, deadlocked or a replica that takes no change: nothing was
    changed, trying again helps.
    """
    if not _passes(error):
        return _unexpected(error)
    _LOG.warning("database_unavailable", kind=kind_of(error), exc_info=error)
    return respond(errors.Unavailable(headers={"Retry-After": "2"}))


def _passes(error: Exception) -> bool:
    if isinstance(error, exc.DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.orig if isinstance(error.orig, psycopg.Error) else error
    return isinstance(error, (*_AWAY, IdleInTransactionSessionTimeout, ReadOnlySqlTransaction))


def _unexpected(error: Exception) -> Response:
    """A defect: told without any detail, logged with its place."""
    _LOG.error("unexpected", exc_info=error)
    return respond(errors.Problem("internal"))
