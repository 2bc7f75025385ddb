"""Every value of every enumeration has its words, in one place, for people and for programs."""

from __future__ import annotations

import re

import pytest

from service.app import api_documents
from service.kernel.http.documents import introduction, version
from service.kernel.settings import ROOT
from service.kernel.words import vocabulary

AUDIENCES = ("public", "talent", "desk", "enterprise")


def enumerations(node, path=()):
    """`(path, node)` of everything in a document that is one of some values.

    Not in examples: what stands there as a schema is a form, an answer of the service.
    """
    if isinstance(node, dict):
        if "enum" in node and isinstance(node["enum"], list):
            yield path, node
        for key, inner in node.items():
            if key not in {"example", "examples"}:
                yield from enumerations(inner, (*path, key))
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from enumerations(inner, (*path, number))


@pytest.fixture(scope="module")
def documents():
    return api_documents()


@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_enumeration_of_a_document_has_words_for_its_values(documents, audience):
    found = list(enumerations(documents[audience]))
    assert found
    for path, node in found:
        values = [value for value in node["enum"] if value is not None]
        assert list(node.get("x-options", ())) == values, path
        assert node["x-options"] == vocabulary()[node["x-words"]], path
        for value in values:
            assert f"`{value}`: " in node["description"], path


def test_every_word_speaks_both_languages():
    for name, words in vocabulary().items():
        for value, word in words.items():
            assert set(word) == {"zh", "en"}, (name, value)
            assert re.search("[\u4e00-\u9fff]", word["zh"]) or word["zh"].isascii(), (name, value)
            assert re.fullmatch("[ -~]+", word["en"]), (name, value)


def test_no_words_are_kept_for_what_no_client_meets(documents):
    met = {node["x-words"] for written in documents.values() for _, node in enumerations(written)}
    assert set(vocabulary()) == met


def test_clients_fetch_the_same_words(client):
    told = {
        one["name"]: {word["value"]: word["title"] for word in one["values"]}
        for one in client.get("/v1/words").json["items"]
    }
    assert told == vocabulary()


# --- what a client reads first ----------------------------------------------------------------


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_document_says_what_holds_for_every_request(documents, audience):
    said = documents[audience]["info"]["description"]
    assert said == introduction(audience)
    for word in (
        "Authorization",
        "Idempotency-Key",
        "If-Match",
        "?after=",
        "Accept-Language",
        "application/problem+json",
        "fen",
        "UTC",
        "GET /v1/words",
        "GET /v1/districts",
        "?district=",
        "登录",
        "辖区",
    ):
        assert word in said, word


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_operations_that_an_introduction_names_are_there(documents, audience):
    everywhere = {
        (method.upper(), path)
        for written in documents.values()
        for path, methods in written["paths"].items()
        for method in methods
    }
    named = re.findall(r"\b(GET|POST|PATCH) (/v1/[a-z/{}]+)", introduction(audience))
    assert named
    for method, path in named:
        pattern = re.escape(path).replace(r"\{id\}", r"\{[a-z_]+\}")
        assert any(method == known and re.fullmatch(pattern, at) for known, at in everywhere), (
            method,
            path,
        )


@pytest.mark.parametrize("audience", ["talent", "desk", "enterprise"])
def test_signing_in_comes_first(documents, audience):
    assert next(iter(documents[audience]["paths"])).startswith("/v1/auth/")
    assert documents[audience]["tags"][0]["name"] == "auth"


def test_there_is_one_version(documents):
    assert {written["info"]["version"] for written in documents.values()} == {version()}
    assert f'version = "{version()}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
