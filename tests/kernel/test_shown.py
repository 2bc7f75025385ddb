"""Values as people read them, by the words of a schema."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.shown import shown_values, text_of

A, B = {"zh": "甲", "en": "first"}, {"zh": "乙", "en": "second"}
SCHEMA = {
    "properties": {
        "kind": {"x-title": {"zh": "种类", "en": "Kind"}, "x-options": {"a": A, "b": B}},
        "amount": {"x-title": {"zh": "金额", "en": "Amount"}, "x-widget": "money"},
    }
}


@pytest.mark.parametrize(
    ("schema", "value", "zh", "en"),
    [
        ({"x-options": {"a": A}}, "a", "甲", "first"),
        ({"x-options": {"a": A}}, "c", "c", "c"),
        ({"x-options": {"1": A}}, 1, "甲", "first"),
        ({"x-options": {"true": A}}, True, "甲", "first"),
        ({"x-options": {"a": A, "b": B}}, ["a", "b"], "甲、乙", "first, second"),
        ({"items": {"x-options": {"a": A, "b": B}}}, ["b"], "乙", "second"),
        ({"x-options": {"a": A}}, [], "", ""),
        ({}, True, "是", "yes"),
        ({}, False, "否", "no"),
        ({}, None, "", ""),
        ({}, "2026-11-24", "2026-11-24", "2026-11-24"),
        ({}, 36, "36", "36"),
        ({"x-widget": "money"}, 200000, "2,000.00 元", "2,000.00 yuan"),
        ({"x-widget": "money"}, 5, "0.05 元", "0.05 yuan"),
        ({"x-widget": "money"}, True, "是", "yes"),
    ],
)
def test_what_a_value_says(schema, value, zh, en):
    assert text_of(schema, value) == {"zh": zh, "en": en}


def test_an_object_is_shown_in_the_order_of_its_form_and_what_is_unknown_by_its_code():
    told = shown_values(SCHEMA, {"later": "x", "amount": 100, "kind": "b"})
    assert [(one.code, one.title["en"], one.text["en"]) for one in told] == [
        ("kind", "Kind", "second"),
        ("amount", "Amount", "1.00 yuan"),
        ("later", "later", "x"),
    ]
    assert [one.value for one in told] == ["b", 100, "x"]


def test_nothing_is_shown_of_nothing():
    assert shown_values(SCHEMA, None) is None
    assert shown_values(SCHEMA, {}) == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from(["kind", "amount", "other"]), VALUES))
def test_everything_is_shown_once_with_words_in_both_languages(values):
    told = shown_values(SCHEMA, values)
    assert {one.code: one.value for one in told} == values
    assert all(set(one.text) == set(one.title) == {"zh", "en"} for one in told)


@pytest.mark.parametrize(
    ("fen", "said"), [(-5, "-0.05"), (-195, "-1.95"), (0, "0.00"), (280000, "2,800.00")]
)
def test_money_below_nothing_has_its_sign_in_front(fen, said):
    assert said in text_of({"x-widget": "money"}, fen)["en"]
