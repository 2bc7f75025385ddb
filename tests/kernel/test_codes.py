"""Codes: every one has its words, and whatever is wrong with a field is one of them."""

from __future__ import annotations

import ast
import re
import string
from enum import StrEnum

import marshmallow as ma
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.app import BLUEPRINTS
from service.kernel import errors, messages
from service.kernel.http import fields
from service.kernel.settings import ROOT

SOURCES = sorted((ROOT / "service").rglob("*.py"))
KINDS = {
    kind.__name__: kind.default_code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.Problem)
}


def _codes_raised():
    """`(code, place)` of every literal code that a problem, a fault or a route's list names."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from _codes_called(node, f"{path.name}:{node.lineno}")


def _codes_called(node, place):
    name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
    given = [*node.args, *(word.value for word in node.keywords if word.arg == "code")]
    if name in KINDS:
        candidates = given[:1]
    elif name == "FieldError":
        own_words = len(node.args) > 3 or any(word.arg == "text" for word in node.keywords)
        candidates = [] if own_words else given[1:2] or given[-1:]
    elif name in {"Fault", "make_error"}:
        candidates = given[:1] if name == "Fault" else []
    else:
        candidates = [
            code
            for word in node.keywords
            if word.arg == "problems" and isinstance(word.value, ast.Dict)
            for codes in word.value.values
            for code in getattr(codes, "elts", ())
        ]
    for candidate in candidates:
        for leaf in ast.walk(candidate):
            if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                yield leaf.value, place


def test_every_code_that_is_raised_has_its_words():
    raised = list(_codes_raised())
    assert len({code for code, _ in raised}) > 40, "the walk finds what it looks for"
    known = messages.catalogue()
    missing = {code: place for code, place in raised if code not in known}
    assert not missing
    assert not {code for code in KINDS.values() if code not in known}


def test_every_code_that_a_route_or_a_default_names_has_its_words():
    known = messages.catalogue()
    for blueprint in BLUEPRINTS:
        for operations in blueprint._docs.values():
            for name, operation in operations.items():
                if name != "parameters":
                    policy = operation["manual_doc"]["x-policy"]
                    for codes in policy.problems.values():
                        assert set(codes) <= set(known)


def test_every_code_speaks_both_languages_with_the_same_figures():
    for code, texts in messages.catalogue().items():
        assert set(texts) == {"zh", "en"}, code
        figures = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            for text in texts.values()
        ]
        assert figures[0] == figures[1], code
        assert all(text.strip() for text in texts.values()), code
        assert re.search("[\u4e00-\u9fff]", texts["zh"]), code
        assert not re.search("[\u4e00-\u9fff]", texts["en"]), code
        assert re.fullmatch("[a-z][a-z0-9_]*", code)


FIELDS = {
    "string": fields.String(longest=5, pattern="[a-z]*"),
    "integer": fields.Integer(minimum=1, maximum=9),
    "query": fields.QueryInteger(minimum=1, maximum=9),
    "boolean": fields.Boolean(),
    "uuid": fields.UUID(),
    "date": fields.Date(),
    "enum": fields.Enum(StrEnum("Some", {"A": "a"})),
    "list": fields.List(fields.Integer(), shortest=1, longest=2),
    "object": fields.Object(),
    "nested": fields.Nested(fields.Schema.from_dict({"inner": fields.Date(required=True)})),
    "datetime": fields.DateTime(),
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(FIELDS)), ANYTHING)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_a_field_gets_its_faults_are_codes_with_words(name, value):
    schema = fields.Schema.from_dict({name: FIELDS[name]})()
    try:
        schema.load({name: value})
    except ma.ValidationError as error:
        found = fields.faults(error.messages)
        assert found
        for fault in found:
            assert fault.path.split(".")[0] == name
            for language in messages.LANGUAGES:
                assert messages.say(fault.code, language, fault.params)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("integer", True),
        ("integer", 1.0),
        ("integer", 1.9),
        ("integer", "1"),
        ("integer", "1_2"),
        ("integer", "１"),
        ("integer", 10),
        ("query", 1),
        ("boolean", 1),
        ("boolean", "true"),
        ("boolean", "yes"),
        ("string", 1),
        ("string", ""),
        ("string", "  "),
        ("string", "abcdef"),
        ("string", "a\n"),
        ("string", "a\u0085"),
        ("date", "2026-W01"),
        ("date", "20260101"),
        ("date", "2026-02-30"),
        ("date", "２０２６-01-01"),
        ("date", "2026-01-01\n"),
        ("date", 0),
        ("uuid", "0199d3c27a517e3c9a405f0c2a6d1b11"),
        ("uuid", "{0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b11}"),
        ("uuid", 5),
        ("enum", "A"),
        ("enum", ["a"]),
        ("list", "1,2"),
        ("list", [1, 2, 3]),
        ("list", {"0": 1}),
        ("object", []),
        ("nested", []),
        ("nested", "inner"),
    ],
)
def test_what_merely_resembles_a_value_is_refused(name, value):
    with pytest.raises(ma.ValidationError):
        fields.Schema.from_dict({name: FIELDS[name]})().load({name: value})


@pytest.mark.parametrize("value", ["zzz", "A", ["a"], None, 1, "", "a "])
def test_a_fault_of_a_choice_names_what_is_taken(value):
    schema = fields.Schema.from_dict({"enum": fields.Enum(StrEnum("Some", {"A": "a", "B": "b"}))})()
    with pytest.raises(ma.ValidationError) as caught:
        schema.load({"enum": value})
    (fault,) = fields.faults(caught.value.messages)
    if value is None:
        assert fault.code == "null_not_allowed"
        return
    assert (fault.path, fault.code) == ("enum", "not_one_of")
    assert fault.text == {
        "zh": "不在可选范围内，可填：a, b。",
        "en": "This is not one of the choices: a, b.",
    }
