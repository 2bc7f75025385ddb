"""The OpenAPI 3.1 documents: one per audience, out of one set of routes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import flask_smorest
from flask import Flask

from service.kernel import messages
from service.kernel.http.blueprint import AUDIENCES, Blueprint, Keyed, Policy
from service.kernel.permissions import PUBLIC
from service.kernel.settings import ROOT
from service.kernel.words import vocabulary

_INTRODUCTIONS: Final = Path(__file__).resolve().parents[2] / "introductions"
_TITLES: Final = {
    "public": "Talent service: what anybody may ask",
    "talent": "Talent service: for talents and their mini-program",
    "desk": "Talent service: for department clerks and their desk",
    "enterprise": "Talent service: for employers and their agents",
}
_PUT_TOO: Final = "PUT means the same here, for clients that have no PATCH."
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_PROBLEM: Final = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "errors", "request_id"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "description": "A reference that names the code."},
        "title": {"type": "string", "description": "The phrase of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people, in Chinese or English."},
        "code": {"type": "string", "description": "Stable, for programs."},
        "params": {"type": "object", "description": "The figures that `detail` names."},
        "errors": {
            "type": "array",
            "description": "What is wrong with which field.",
            "items": {
                "type": "object",
                "required": ["path", "code", "message"],
                "additionalProperties": False,
                "properties": {
                    "path": {"type": "string", "description": "Dotted, as the client wrote it."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "request_id": {"type": ["string", "null"]},
    },
}


@cache
def version() -> str:
    """The one version of the project: of the package, its changelog and its documents."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def introduction(audience: str) -> str:
    """What a client has to know before the first request, in Markdown: first how its users sign
    in, then what holds for all.
    """
    parts = (f"{audience}.md", "everybody.md")
    return "\n".join((_INTRODUCTIONS / part).read_text(encoding="utf-8") for part in parts)


class _Document(flask_smorest.Api):  # type: ignore[misc]  # the library has no types
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Errors are the business of `kernel.http.problems`."""


def build(app: Flask, blueprints: Iterable[Blueprint]) -> dict[str, dict[str, Any]]:
    """The documents by audience; the blueprints are registered in `app` already."""
    listed = list(blueprints)
    return {audience: _build_one(app, listed, audience) for audience in AUDIENCES}


def _build_one(app: Flask, blueprints: list[Blueprint], audience: str) -> dict[str, Any]:
    prefix = f"{audience.upper()}_"
    app.config[f"{prefix}API_TITLE"] = _TITLES[audience]
    app.config[f"{prefix}API_VERSION"] = version()
    app.config[f"{prefix}OPENAPI_VERSION"] = "3.1.0"
    app.config[f"{prefix}API_SPEC_OPTIONS"] = {"info": {"description": introduction(audience)}}
    api = _Document(app, config_prefix=prefix)
    for blueprint in blueprints:
        part = blueprint.for_audience(audience)
        if part._docs:
            if part.tag == part.name:
                api.spec.tag({"name": part.name, "description": part.description})
            part.register_views_in_doc(api, app, api.spec, name=part.name, parameters=None)
    document: dict[str, Any] = api.spec.to_dict()
    for operation in _operations(document):
        _complete(operation)
    for path in document["paths"].values():
        if "patch" in path:
            said = path["patch"].get("description", "")
            path["patch"]["description"] = f"{said}\n\n{_PUT_TOO}".strip()
    components = document.setdefault("components", {})
    for unused in ("responses", "headers", "parameters"):
        components.pop(unused, None)
    schemas = components.get("schemas", {})
    components["schemas"] = {
        name: _strict_output(schema)
        for name, schema in sorted(schemas.items())
        if name not in {"Error", "PaginationMetadata"}
    }
    components["schemas"]["Problem"] = _PROBLEM
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    _put_in_words(document)
    return document


def _put_in_words(node: Any) -> None:
    """Give every enumeration the words for its values: `x-options`, as the fields of forms have
    them, and the description, which people read.
    """
    if isinstance(node, dict):
        if "x-words" in node and "enum" in node:
            words = vocabulary()[node["x-words"]]
            told = [f"- `{value}`: {word['zh']} ({word['en']})" for value, word in words.items()]
            described = [*filter(None, [node.get("description")]), "\n".join(told)]
            node |= {"x-options": words, "description": "\n\n".join(described)}
        for inner in node.values():
            _put_in_words(inner)
    elif isinstance(node, list):
        for inner in node:
            _put_in_words(inner)


def _strict_output(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "additionalProperties": False} if "properties" in schema else schema


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        for method, operation in path.items():
            if method in _METHODS:
                operation["x-has-path-parameters"] = "parameters" in path
                yield operation


def _complete(operation: dict[str, Any]) -> None:
    """Write what the policy demands: security, headers, problems."""
    policy: Policy = operation.pop("x-policy")
    in_path = operation.pop("x-has-path-parameters")
    if policy.allow != PUBLIC:
        operation["security"] = [{"bearer": []}]
        operation["x-permission"] = policy.allow.value
    headers = list(_headers(policy))
    if headers:
        operation["parameters"] = [*operation.get("parameters", []), *headers]
    answers = {str(k): v for k, v in operation.get("responses", {}).items() if int(k) < 400}  # noqa: PLR2004
    for status, codes in sorted(_problem_codes(operation, policy, in_path=in_path).items()):
        answers[str(status)] = _problem_response(status, codes)
    operation["responses"] = answers


_ETAG: Final = '"item.0199d3c2-7a52-7a10-8f2e-1d5b7c3e9a21.1"'
_KEY_OF_AN_ANSWER: Final = (
    "The same key with the same request returns the same answer for 24 hours."
)
_KEY_OF_WHAT_IS_MADE: Final = (
    "The same key with the same request returns what it made, permanently and as it stands; what"
    " does not keep its key is answered the same for 24 hours."
)


def _headers(policy: Policy) -> Iterator[dict[str, Any]]:
    if policy.versioned:
        yield _header("If-Match", True, "The `etag` last seen of what is changed.", _ETAG)
    if policy.keyed is not Keyed.NO:
        yield _header(
            "Idempotency-Key",
            policy.keyed is Keyed.REQUIRED,
            _KEY_OF_WHAT_IS_MADE if policy.keeps_key else _KEY_OF_AN_ANSWER,
            "7f0c2f9e-0001",
        )


def _header(name: str, required: bool, description: str, example: str) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "required": required,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


def _problem_codes(
    operation: dict[str, Any], policy: Policy, *, in_path: bool
) -> dict[int, list[str]]:
    """Every status the operation may answer besides success, with its codes."""
    codes: dict[int, list[str]] = {400: ["malformed"], 503: ["unavailable"]}
    if policy.allow != PUBLIC:
        codes |= {401: ["unauthenticated", "token_invalid"], 403: ["forbidden"]}
    if in_path:
        codes[404] = ["not_found"]
    if "requestBody" in operation:
        codes |= {413: ["body_too_large", "body_too_deep"], 415: ["unsupported_media_type"]}
    if "requestBody" in operation or operation.get("parameters"):
        codes[422] = ["invalid"]
    if policy.versioned:
        codes |= {412: ["stale_version"], 428: ["if_match_required"]}
    if policy.keyed is not Keyed.NO:
        codes[409] = ["request_in_progress"]
        codes[422] = [*codes.get(422, []), "idempotency_key_reused"]
    for status, named in policy.problems.items():
        codes[status] = [*codes.get(status, []), *named]
    return codes


def _problem_response(status: int, codes: list[str]) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    example = {
        "type": f"/problems/{codes[-1]}",
        "title": phrase,
        "status": status,
        "detail": messages.catalogue()[codes[-1]]["en"],
        "code": codes[-1],
        "errors": [],
        "request_id": "0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b11",
    }
    return {
        "description": f"{phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": example,
            }
        },
    }
