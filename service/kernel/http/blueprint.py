"""The blueprint that every slice's routes are written on.

Its `route` wraps a view so that one request is one use case in one transaction: who asks → may
they → has this key been answered → parse, act, dump → commit → answer. What cannot be dumped is
not committed, and the commit comes before the answer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, Final, Literal, ParamSpec, TypeVar

import flask
import flask_smorest
from flask import Response, g, request
from flask_smorest.utils import get_appcontext
from webargs.flaskparser import FlaskParser

from service.kernel import clock, idempotency
from service.kernel.errors import FieldError, Forbidden, Invalid, Refusal, Unauthenticated
from service.kernel.http import context
from service.kernel.http.fields import faults
from service.kernel.permissions import PUBLIC, Permission

P = ParamSpec("P")
R = TypeVar("R")
Allow = Permission | Literal["public"]
Problems = Mapping[int, Iterable[str]]
Before = Callable[[], Mapping[str, Any]]
KeepsKey = Callable[[], bool]
Again = Callable[[str], Response]

AUDIENCES: Final = ("public", "talent", "desk", "enterprise")
_KEPT_HEADERS: Final = ("Content-Type", "ETag", "Location")


class Keyed(StrEnum):
    """Whether an operation takes an Idempotency-Key."""

    NO = "no"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route declares of itself; the documents and the tests read it too."""

    allow: Allow
    audiences: tuple[str, ...]
    versioned: bool
    keyed: Keyed
    problems: Problems
    before: Before | None = None
    keeps_key: KeepsKey | None = None
    again: Again | None = None


class Parser(FlaskParser):
    """Reads bodies with the strict loader and tells faults as codes with paths."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - as webargs declares it
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": None,  # the schema's own: unknown parameters are refused
    }

    def load_json(self, _req: Any, schema: Any) -> Any:
        if schema.may_be_left_out and context.has_no_body():
            return {}
        return context.read_json()

    def load_querystring(self, req: Any, schema: Any) -> Any:
        twice = [name for name, values in req.args.lists() if len(values) > 1]
        if twice:
            raise Invalid(errors=[FieldError(name, "given_twice") for name in twice])
        return super().load_querystring(req, schema)

    def handle_error(self, error: Any, *_arguments: Any, **_options: Any) -> Any:
        messages = {} if not isinstance(error.messages, dict) else error.messages
        found = [fault for inner in messages.values() for fault in faults(inner)]
        raise Invalid(errors=found)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # the library has no types
    """Routes of one slice; every one states who may call it."""

    ARGUMENTS_PARSER = Parser()

    def __init__(
        self, name: str, import_name: str, *, tag: str | None = None, **options: Any
    ) -> None:
        """`tag` groups the routes in the documents; the name where none is stated."""
        super().__init__(name, import_name, **options)
        self.tag = tag or name

    def route(
        self,
        rule: str,
        *,
        allow: Allow,
        audiences: tuple[str, ...],
        versioned: bool = False,
        keyed: Keyed | None = None,
        problems: Problems | None = None,
        before: Before | None = None,
        keeps_key: KeepsKey | None = None,
        again: Again | None = None,
        **options: Any,
    ) -> Callable[[Callable[P, R]], Callable[..., Response]]:
        """Register a view.

        `allow` is a permission or `PUBLIC`; `versioned` demands If-Match; `keyed` says whether an
        Idempotency-Key is taken (default: on a POST that needs somebody signed in); `problems`
        names the codes that the view itself may answer, by status. `before` is called when the
        actor may do it, before any transaction is opened: for what is done outside. What it returns
        the view gets as arguments; what it did it undoes through `context.unless_committed`.
        `keeps_key` says of a request that its key is kept with what the view makes, and that the
        view itself knows a request that comes again: its answer is not stored. `again`, for answers
        that are as long as what was sent: of them the Location is stored and not the body, and a
        request that comes again is answered with what it returns for that, as it then stands.
        """
        posted = "POST" in options.get("methods", ()) and allow != PUBLIC
        policy = Policy(
            allow=allow,
            audiences=audiences,
            versioned=versioned,
            keyed=keyed or (Keyed.OPTIONAL if posted else Keyed.NO),
            problems=problems or {},
            before=before,
            keeps_key=keeps_key,
            again=again,
        )

        def decorator(view: Callable[P, R]) -> Callable[..., Response]:
            guarded = _guarded(view, policy)
            self.add_url_rule(rule, None, guarded, tags=[self.tag], **options)
            return guarded

        return decorator

    def get(self, rule: str, **options: Any) -> Callable[[Callable[P, R]], Callable[..., Response]]:
        """`route` for GET."""
        return self.route(rule, methods=["GET"], **options)

    def post(
        self, rule: str, **options: Any
    ) -> Callable[[Callable[P, R]], Callable[..., Response]]:
        """`route` for POST."""
        return self.route(rule, methods=["POST"], **options)

    def patch(
        self, rule: str, **options: Any
    ) -> Callable[[Callable[P, R]], Callable[..., Response]]:
        """`route` for PATCH, and for PUT with the same meaning, which the documents do not repeat.

        `wx.request` of a mini-program sends PUT, and no PATCH.
        """
        register = self.route(rule, methods=["PATCH"], **options)

        def decorator(view: Callable[P, R]) -> Callable[..., Response]:
            guarded = register(view)
            endpoint = guarded.__name__
            flask.Blueprint.add_url_rule(self, rule, endpoint, guarded, methods=["PUT"])
            return guarded

        return decorator

    def delete(
        self, rule: str, **options: Any
    ) -> Callable[[Callable[P, R]], Callable[..., Response]]:
        """`route` for DELETE."""
        return self.route(rule, methods=["DELETE"], **options)

    def arguments(
        self, schema: Any, **options: Any
    ) -> Callable[[Callable[..., R]], Callable[..., R]]:
        """Parse a part of the request with a schema; the view gets the result.

        Of a class one schema is made, and not another one for each request.
        """
        decorator: Callable[[Callable[..., R]], Callable[..., R]]
        made = schema() if isinstance(schema, type) else schema
        decorator = super().arguments(made, **options)
        return decorator

    def response(
        self, status_code: int, schema: Any = None, **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
        """Dump what the view returns with a schema."""
        decorator: Callable[[Callable[..., Any]], Callable[..., Response]]
        decorator = super().response(status_code, schema, **options)
        return decorator

    def doc(self, **options: Any) -> Callable[[Callable[..., R]], Callable[..., R]]:
        """Document by hand what no schema tells: a form with files, a body that is no JSON."""
        decorator: Callable[[Callable[..., R]], Callable[..., R]]
        decorator = super().doc(**options)
        return decorator

    def for_audience(self, audience: str) -> Blueprint:
        """A copy that documents only the routes of one audience."""
        part = copy.copy(self)
        part._docs = {
            endpoint: operations
            for endpoint, operations in self._docs.items()
            if audience in _policy_of(operations).audiences
        }
        return part


def _policy_of(operations: Mapping[str, Any]) -> Policy:
    methods = (operation for name, operation in operations.items() if name != "parameters")
    policy: Policy = next(iter(methods))["manual_doc"]["x-policy"]
    return policy


def _guarded(view: Callable[..., Any], policy: Policy) -> Callable[..., Response]:
    @wraps(view)
    def guarded(**arguments: Any) -> Response:
        g.unit = unit = context.identify(needed=policy.allow != PUBLIC)
        try:
            _permit(policy, unit)
            response = _answer(view, policy, unit, arguments)
            unit.commit()
        except Refusal:
            unit.commit()
            raise
        finally:
            unit.close()
        return response

    documented = copy.copy(getattr(view, "_apidoc", {}))
    documented["manual_doc"] = {
        **documented.get("manual_doc", {}),
        "operationId": view.__name__,
        "x-policy": policy,
    }
    guarded._apidoc = documented  # type: ignore[attr-defined]
    guarded.policy = policy  # type: ignore[attr-defined]
    return guarded


def _permit(policy: Policy, unit: context.Unit) -> None:
    if policy.allow == PUBLIC or policy.allow in unit.actor.permissions:
        return
    if unit.actor.account_id is None:
        raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
    raise Forbidden


def _answer(
    view: Callable[..., Any], policy: Policy, unit: context.Unit, arguments: dict[str, Any]
) -> Response:
    if policy.versioned:
        unit.seen = context.read_if_match()
    if policy.keyed is not Keyed.NO:
        unit.key = context.read_key(required=policy.keyed is Keyed.REQUIRED)
    if policy.before is not None:
        unit.close()  # what is done outside takes long, and needs no connection
        arguments = {**arguments, **policy.before()}
    if unit.key is None:
        return _viewed(view, arguments)
    unit.digest = context.request_digest()
    if policy.keeps_key is not None and policy.keeps_key():
        return _viewed(view, arguments)
    keyed = idempotency.Request(
        unit.actor.district,
        unit.actor.account,
        str(request.endpoint),
        unit.key,
        unit.digest,
        unit.actor.person_id,
        unit.actor.rights,
    )
    stored = idempotency.stored_answer(unit.session(), keyed)
    if stored is not None:
        if policy.again is not None:
            return policy.again(stored.headers["Location"])
        unit.close()
        return Response(stored.body, stored.status, stored.headers)
    response = _viewed(view, arguments)
    answer = _kept(response, keyed.rights, whole=policy.again is None)
    idempotency.store_answer(unit.session(), keyed, answer, at=clock.now())
    return response


def _viewed(view: Callable[..., Any], arguments: dict[str, Any]) -> Response:
    """Parse, act and dump; a dumped `etag` becomes the header of that name."""
    response: Response = view(**arguments)
    dumped = get_appcontext().pop("result_dump", None)
    if isinstance(dumped, dict) and "etag" in dumped:
        response.headers["ETag"] = dumped["etag"]
    return response


def _kept(response: Response, rights: str, *, whole: bool) -> idempotency.Answer:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = response.get_data(as_text=True) if whole else ""
    return idempotency.Answer(response.status_code, headers, body, rights)
