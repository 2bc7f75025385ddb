"""schemathesis, with each committed document, as somebody of its audience.

Whatever it makes of the documents, right or wrong: no defect, only documented answers that
conform, wrong input turned away, and nothing for who is not signed in.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    positive_data_acceptance,
    unsupported_method,
)

from tests.conftest import PASSWORD
from tests.contract import document, operations
from tests.factories import World

SETTINGS = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
# Permission is asked before the version: who may not assign is told so, with If-Match or without.
# A right form may still name an absent bundle; a path may take a method of another audience.
LEFT_OUT = [positive_data_acceptance, allow_header_conformance]
PATCHED = {path for method, path in operations() if method == "PATCH"}
"""These take PUT too, with the same meaning, which the documents say once."""
CONFIG = {"checks": {"missing_required_header": {"expected-statuses": [400, 401, 403, 428]}}}


class Later:
    """The application, which is there only once the tests run."""

    app: Any = None

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


LATER = Later()
REAL: dict[str, list[str]] = {}
"""By path parameter, what really is there."""


def schema_of(audience):
    config = schemathesis.Config.from_dict(CONFIG)
    schema = schemathesis.openapi.from_dict(document(audience), config=config)
    schema.app = LATER

    @schema.hook
    def map_path_parameters(context, path_parameters):
        """Every other time something that is there, so that more than a 404 is seen."""
        for name, found in REAL.items():
            made = str((path_parameters or {}).get(name, ""))
            if made and sum(made.encode()) % 2:
                path_parameters[name] = found[sum(made.encode()) // 2 % len(found)]
        return path_parameters

    return schema


@pytest.fixture(scope="module", autouse=True)
def world(app):
    LATER.app = app
    return World(app, PASSWORD)


@pytest.fixture(scope="module", autouse=True)
def talent(world):
    """A talent with tickets, whose tasks the clerk finds on the desk."""
    talent, clerk = world.talent(), world.staff("clerk.construction")
    tickets = [world.ticket(talent, "housing_rent", "recognition")]
    tickets += [world.ticket(None, "housing_rent") for _ in range(5)]
    tasks = clerk.get("/v1/desk/tasks?limit=100").json["items"]
    assert tasks
    REAL.update(
        ticket_id=[ticket["id"] for ticket in tickets],
        item_id=[item["id"] for ticket in tickets for item in ticket["items"]],
        task_id=[task["id"] for task in tasks],
        code=["arrival", "settlement", "housing_rent"],
    )
    return talent


def hold(case, headers):
    left_out = [*LEFT_OUT, unsupported_method] if case.operation.path in PATCHED else LEFT_OUT
    case.call_and_validate(headers=headers, excluded_checks=left_out)


@schema_of("public").parametrize()
@SETTINGS
def test_public(case):
    hold(case, {})


@schema_of("talent").parametrize()
@SETTINGS
def test_talent(case, world, talent):
    hold(case, headers_of(case, talent, world.talent))


@schema_of("desk").parametrize()
@SETTINGS
def test_desk(case, world):
    def anew():
        sent = {"username": "clerk.construction", "password": PASSWORD}
        return world._signed(world.client.post("/v1/auth/password", json=sent))

    hold(case, headers_of(case, world.staff("clerk.construction"), anew))


@schema_of("enterprise").parametrize()
@SETTINGS
def test_enterprise(case, world):
    def anew():
        sent = {"username": "agent.1", "password": PASSWORD}
        return world._signed(world.client.post("/v1/auth/password", json=sent))

    hold(case, headers_of(case, world.staff("agent.1"), anew))


def headers_of(case, signed, anew):
    """Who signs out is somebody else each time."""
    return anew().headers if case.operation.label.endswith("/logout") else signed.headers
