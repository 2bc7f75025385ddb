"""What people write: letters of names, and numbers pasted from somewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.text import compact, half_width, is_han, is_letter, is_mark


@pytest.mark.parametrize("one", ["李", "〇", "é", "ب", "\U00020bb7", "\U0002ebf0", "\U00031350"])
def test_letters_of_names(one):
    assert is_letter(one)
    assert not is_mark(one)


@given(st.integers(0x20000, 0x3FFFD).map(chr))
def test_planes_two_and_three_are_letters_on_every_interpreter(one):
    assert is_letter(one)
    assert is_han(one)


@pytest.mark.parametrize("one", ["1", "１", "·", " ", "\u200b", "\u0301", "\U0003ffff", "\ue000"])
def test_what_is_no_letter(one):
    assert not is_letter(one)


@pytest.mark.parametrize(
    ("one", "han"), [("李", True), ("\uf9e1", True), ("é", False), ("カ", False)]
)
def test_han_characters(one, han):
    assert is_han(one) is han


@pytest.mark.parametrize(
    ("pasted", "number"),
    [
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        (" 110105 19491231 002x\n", "11010519491231002x"),
        ("110105-19491231-002x", "11010519491231002x"),
        ("110105—19491231–002x", "11010519491231002x"),
        ("\u202d138\u00a00000\u20005678\u202c", "13800005678"),
        ("138\u200b0000\ufeff5678\t", "13800005678"),
        ("１３８－００００　５６７８", "13800005678"),
        ("١٢٣", "١٢٣"),
    ],
)
def test_what_sets_a_number_apart_is_dropped(pasted, number):
    assert compact(pasted) == number


@given(st.text(max_size=40))
def test_what_is_compact_stays_as_it_is(text):
    assert compact(compact(text)) == compact(text)
    assert half_width(half_width(text)) == half_width(text)
