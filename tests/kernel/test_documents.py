"""The documents: committed as generated, whole, true of their own examples, shown by our pages."""

from __future__ import annotations

import re
from functools import cache
from uuid import UUID

import jsonschema_rs
import pytest
import yaml
from schemathesis.specs.openapi.definitions import OPENAPI_31

from service.app import api_documents
from service.kernel import messages
from service.kernel.http.documentation import as_yaml
from service.kernel.permissions import Permission
from service.kernel.settings import ROOT

AUDIENCES = ("public", "talent", "desk", "enterprise")
METHODS = {"get", "post", "put", "patch", "delete"}
PROBLEM = "application/problem+json"
# What takes a form with a file, and what answers with a file: neither is JSON.
FORMS = {"/v1/materials", "/v1/enterprise/authorities/{authority_id}/materials"}
FILES = {
    "/v1/materials/{material_id}/content",
    "/v1/desk/tasks/{task_id}/materials/{material_id}/content",
}


@cache
def committed(audience):
    text = (ROOT / "api_specs" / f"{audience}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def operations(audience):
    for path, methods in committed(audience)["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


EVERY = [
    pytest.param(audience, path, method, operation, id=f"{audience} {operation['operationId']}")
    for audience in AUDIENCES
    for path, method, operation in operations(audience)
]
every = pytest.mark.parametrize(("audience", "path", "method", "operation"), EVERY)


def faults(audience, schema, value):
    validator = jsonschema_rs.Draft202012Validator(
        {**schema, "components": committed(audience)["components"]}, validate_formats=True
    )
    return [
        f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(value)
    ]


# --- as a whole -----------------------------------------------------------------------------


def test_what_is_committed_is_what_the_routes_say():
    written = {audience: as_yaml(document) for audience, document in api_documents().items()}
    assert set(written) == {path.stem for path in (ROOT / "api_specs").glob("*.yaml")}
    for audience, text in written.items():
        path = ROOT / "api_specs" / f"{audience}.yaml"
        assert path.read_bytes() == text.encode(), f"{path.name}: make spec"


def test_the_documents_are_the_same_from_one_time_to_the_next():
    first, second = api_documents(), api_documents()
    assert {name: as_yaml(one) for name, one in first.items()} == {
        name: as_yaml(one) for name, one in second.items()
    }


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_document_is_valid_openapi(audience):
    document = committed(audience)
    assert document["openapi"].startswith("3.1")
    errors = jsonschema_rs.Draft202012Validator(OPENAPI_31).iter_errors(document)
    assert [f"{list(error.instance_path)}: {error.message}" for error in errors] == []
    assert document["info"]["title"]
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        )
        assert name


@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_reference_leads_somewhere_and_every_schema_is_used(audience):
    document = committed(audience)
    referred = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)))
    assert referred == set(document["components"]["schemas"])


@pytest.mark.parametrize("audience", AUDIENCES)
def test_tags_are_described(audience):
    told = {tag["name"]: tag["description"] for tag in committed(audience)["tags"]}
    assert all(told.values())
    used = {tag for _, _, operation in operations(audience) for tag in operation["tags"]}
    assert used == set(told)


def test_an_operation_id_stands_for_one_operation():
    for audience in AUDIENCES:
        ids = [operation["operationId"] for _, _, operation in operations(audience)]
        assert len(ids) == len(set(ids))
    places = {}
    for audience in AUDIENCES:
        for path, method, operation in operations(audience):
            places.setdefault(operation["operationId"], set()).add((path, method))
    assert all(len(place) == 1 for place in places.values()), places


def test_what_two_documents_tell_of_one_operation_is_the_same():
    told = {}
    for audience in AUDIENCES:
        for _, _, operation in operations(audience):
            assert told.setdefault(operation["operationId"], operation) == operation


# --- operation by operation -----------------------------------------------------------------


@every
def test_an_operation_is_named_and_summed_up(audience, path, method, operation):
    assert re.fullmatch("[a-z]+(_[a-z]+)+|logout", operation["operationId"])
    assert operation["summary"].strip().endswith((".", "?"))
    assert len(operation["tags"]) == 1
    for parameter in operation.get("parameters", []):
        assert parameter["schema"]


NOT_NEEDED = {"take_next_task"}
"""What needs nothing to be said."""


@every
def test_an_operation_says_what_may_go_wrong(audience, path, method, operation):
    answers = operation["responses"]
    assert [status for status in answers if status.startswith("2")]
    expected = {"400", "503"}
    if "security" in operation:
        assert operation["security"] == [{"bearer": []}]
        assert operation["x-permission"] in set(Permission)
        expected |= {"401", "403"}
    if "{" in path:
        expected |= {"404"}
    if "requestBody" in operation:
        assert operation["requestBody"]["required"] is (operation["operationId"] not in NOT_NEEDED)
        (media,) = operation["requestBody"]["content"]
        assert media == "application/json" or path in FORMS
        expected |= {"413", "415", "422"}
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        expected |= {"422"}
    if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", [])):
        expected |= {"412", "428"}
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", [])):
        expected |= {"409", "422"}
    assert expected <= set(answers)


@every
def test_the_problems_of_an_operation_are_known_codes(audience, path, method, operation):
    for status, answer in operation["responses"].items():
        if status < "4":
            continue
        assert list(answer["content"]) == [PROBLEM]
        codes = re.findall("`([a-z_]+)`", answer["description"])
        assert codes
        assert set(codes) <= set(messages.catalogue()), (path, status)
        example = answer["content"][PROBLEM]["example"]
        assert example["status"] == int(status)
        assert example["code"] in codes
        assert faults(audience, answer["content"][PROBLEM]["schema"], example) == []


@every
def test_an_operation_shows_examples_that_fit(audience, path, method, operation):
    shown = [("body", operation["requestBody"])] if "requestBody" in operation else []
    shown += [pair for pair in operation["responses"].items() if pair[0].startswith("2")]
    for name, part in shown:
        for media, content in part.get("content", {}).items():
            if content == {}:
                assert path in FILES
                continue
            assert media == "application/json" or path in FORMS
            assert "example" in content, f"{method} {path}: no example of {name}"
            assert faults(audience, content["schema"], content["example"]) == [], (path, name)


@every
def test_answers_have_no_unknown_members(audience, path, method, operation):
    schemas = committed(audience)["components"]["schemas"]
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            if content == {}:
                assert path in FILES
                continue
            name = content["schema"]["$ref"].rpartition("/")[2]
            assert schemas[name]["additionalProperties"] is False, (path, status)


# --- the pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_page_loads_and_loads_nothing_from_outside(client, audience):
    page = client.get(f"/docs/{audience}")
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    text = page.get_data(as_text=True)
    assert "://" not in text
    assert not re.search(r"(src|href|data-document)=\"//", text)
    loaded = re.findall(r'(?:src|href|data-document)="([^"]+)"', text)
    assert len(loaded) == 5
    for address in loaded:
        assert address.startswith("/docs/")
        with client.get(address) as answer:
            assert answer.status_code == 200, address
            assert answer.data
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "://" not in policy
    assert "'unsafe-eval'" not in policy
    assert "script-src 'self';" in policy


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_document_served_is_the_one_committed(client, audience):
    answer = client.get(f"/docs/{audience}.json")
    assert answer.mimetype == "application/json"
    assert answer.json == committed(audience)


def test_assets_have_their_types(client):
    for name, media in (
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("start.js", "text/javascript"),
        ("favicon-32x32.png", "image/png"),
    ):
        with client.get(f"/docs/assets/{name}") as answer:
            assert answer.status_code == 200
            assert answer.mimetype == media
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/docs/assets/index.html").status_code == 404


@every
def test_whatever_is_patched_may_be_put(app, audience, path, method, operation):
    """`wx.request` has no PATCH; the twin is said of the operation and is not another one."""
    assert method != "put"
    if method == "patch":
        assert operation["description"].endswith(
            "PUT means the same here, for clients that have no PATCH."
        )
        rule = re.sub(r"\{\w+\}", str(UUID(int=0)), path)
        bound = app.url_map.bind("localhost")
        assert bound.match(rule, method="PUT") == bound.match(rule, method="PATCH")


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_query_that_the_introduction_names_is_asked_for_so(audience):
    names = set(re.findall(r"`\?(\w+)=", committed(audience)["info"]["description"]))
    declared = {
        parameter["name"]
        for one in AUDIENCES
        for _, _, operation in operations(one)
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    assert "after" in names
    assert names <= declared
