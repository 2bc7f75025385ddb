"""A test client that holds every answer against the committed documents."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jsonschema_rs
import yaml
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.kernel.settings import ROOT

AUDIENCES = ("public", "talent", "desk", "enterprise")
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@cache
def document(audience: str) -> dict[str, Any]:
    """The committed document of an audience."""
    text = (ROOT / "api_specs" / f"{audience}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)


@cache
def operations() -> dict[tuple[str, str], list[tuple[str, dict[str, Any]]]]:
    """By method and path, the operation in every document that has it."""
    found: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    for audience in AUDIENCES:
        for path, methods in document(audience)["paths"].items():
            for method, operation in methods.items():
                if method != "parameters":
                    found.setdefault((method.upper(), path), []).append((audience, operation))
    return found


@cache
def _validator(audience: str, path: str, method: str, status: str, media: str):
    response = document(audience)["paths"][path][method]["responses"][status]
    schema = response["content"][media].get("schema", {})
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": document(audience)["components"]}, validate_formats=True
    )


def check(rule: str, method: str, response: TestResponse) -> None:
    """Fail where an answer is not what the documents say of it."""
    path = _CONVERTER.sub(r"{\1}", rule)
    method = "PATCH" if method == "PUT" else method  # the same operation, documented once
    for audience, operation in operations().get((method, path), ()):
        status = str(response.status_code)
        told = operation["responses"]
        assert status in told, f"{method} {path} answered {status}, {audience} knows {list(told)}"
        media = response.mimetype
        content = told[status].get("content")
        if content is None:
            assert not response.data
            continue
        assert media in content, f"{method} {path} answered {media}"
        validator = _validator(audience, path, method.lower(), status, media)
        faults = [
            f"{list(e.instance_path)}: {e.message}" for e in validator.iter_errors(response.json)
        ]
        assert not faults, f"{method} {path} {status}: {faults}"


class CheckedClient(FlaskClient):
    """Checks what comes back before the test sees it."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        assert response.status_code != 500, response.get_data(as_text=True)
        assert response.headers["X-Request-Id"]
        matched = self.application.url_map.bind("localhost")
        try:
            rule, _ = matched.match(
                response.request.path, method=response.request.method, return_rule=True
            )
        except Exception:
            return response
        check(rule.rule, response.request.method, response)
        if response.status_code < 300 and response.is_json and response.data:
            shown = self.application.extensions.setdefault("shown_tickets", {})
            same_tag_same_ticket(shown, response.json)
        return response


def same_tag_same_ticket(shown: dict[str, Any], body: Any) -> None:
    """Fail where a ticket shows something else than it did under the same ETag.

    `shown` is what has been shown so far. A ticket is known by its edges, wherever it is answered.
    """
    if isinstance(body, dict) and {"etag", "edges"} <= body.keys():
        told = without_lights(body)
        assert shown.setdefault(body["etag"], told) == told, body["etag"]


def without_lights(body: Any) -> Any:
    """What is shown but for the lights, which follow from the due dates and the time of day."""
    if isinstance(body, dict):
        return {name: without_lights(value) for name, value in body.items() if name != "light"}
    return [without_lights(value) for value in body] if isinstance(body, list) else body
