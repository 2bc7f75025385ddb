"""Questions drawn at random: of any shape, and well formed but such as nobody would put."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hypothesis import strategies as st

from service.catalogue.rules.contents import offering_content
from tests.packs import demo_pack

PACK = demo_pack()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
    | st.sampled_from(["2025-02-30", "0000-01-01", "9999-12-31", "2024-02-29", "", "A", "rent"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="ascii", min_codepoint=1), max_size=4), inner)
    ),
    max_leaves=6,
)
FORMS = {code: one.schema["properties"] for code, one in PACK.sections.items()}
KINDS = {
    kind["code"]: kind["schema"]
    for code in PACK.offerings
    for kind in offering_content(PACK, code)["facts"]
}
"""The kinds of facts that an offering looks at or gives; others cannot be stated."""

VALUES = {code: schema["properties"] for code, schema in KINDS.items()}
_DATES = ["0001-01-01", "9999-12-31", "2024-02-29"]
ANSWERS = st.one_of(
    st.dictionaries(
        st.sampled_from(sorted({name for form in FORMS.values() for name in form})), JSON
    ),
    JSON,
)
QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "offerings": st.lists(st.sampled_from(sorted(PACK.offerings)), max_size=3) | JSON,
        "together": st.lists(st.sampled_from(sorted(PACK.offerings)), max_size=3) | JSON,
        "sections": st.dictionaries(st.sampled_from(sorted(FORMS)) | st.text(max_size=3), ANSWERS)
        | JSON,
        "facts": st.lists(
            st.fixed_dictionaries({"kind": st.sampled_from(sorted(VALUES)) | JSON, "value": JSON}),
            max_size=3,
        )
        | JSON,
        "family": st.lists(
            st.fixed_dictionaries({"kinship": st.just("child")}, optional={"birth_date": JSON}),
            max_size=3,
        )
        | JSON,
        "birth_date": JSON,
    },
)


_BIRTHS = st.dates(date(1900, 1, 1), date(2026, 11, 24)).map(date.isoformat)


def _some_of(properties: Mapping[str, Any]) -> st.SearchStrategy:
    """Values that a form takes, one for some of its fields, at their bounds too."""
    drawn = {name: _taken(schema) for name, schema in properties.items()}
    return st.fixed_dictionaries(
        {}, optional={name: one for name, one in drawn.items() if one is not None}
    )


def _taken(schema: Mapping[str, Any]) -> st.SearchStrategy | None:
    """None for text: what it may look like is its pattern's affair, and no condition asks it."""
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    if schema.get("format") == "date":
        return st.dates().map(date.isoformat) | st.sampled_from(_DATES)
    kinds = {
        "boolean": lambda _: st.booleans(),
        "array": lambda one: st.lists(
            st.sampled_from(one["items"]["enum"]), min_size=1, unique=True
        ),
        "integer": _numbers,
        "number": _numbers,
    }
    return kinds[schema["type"]](schema) if schema["type"] in kinds else None


def _numbers(schema: Mapping[str, Any]) -> st.SearchStrategy:
    """JSON knows no difference between 1 and 1.0."""
    whole = st.integers(schema["minimum"], schema["maximum"])
    return whole | whole.map(float) | st.sampled_from([schema["minimum"], schema["maximum"]])


TAKEN = st.fixed_dictionaries(
    {
        "sections": st.fixed_dictionaries(
            {}, optional={code: _some_of(form) for code, form in FORMS.items()}
        ),
        "facts": st.lists(
            st.sampled_from(sorted(VALUES)).flatmap(
                lambda kind: st.fixed_dictionaries(
                    {"kind": st.just(kind), "value": _some_of(VALUES[kind])}
                )
            ),
            max_size=4,
        ),
        "family": st.lists(
            st.fixed_dictionaries(
                {
                    "kinship": st.sampled_from(["child", "spouse"]),
                    "birth_date": st.none() | _BIRTHS,
                }
            ),
            max_size=3,
        ),
        "birth_date": st.none() | _BIRTHS,
    }
)
