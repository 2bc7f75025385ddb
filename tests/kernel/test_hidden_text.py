"""Texts that show what they hold, whatever the interpreter knows of Unicode."""

from __future__ import annotations

import sys
import unicodedata

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.catalogue.rules.forms import Form
from service.kernel.http import fields
from service.kernel.text import holds_hidden, is_blank

HIDDEN = {
    "nul": "a\x00b",
    "bell": "a\x07b",
    "tab": "a\tb",
    "carriage return": "a\r\nb",
    "escape": "\x1b[31m",
    "next line": "a\u0085b",
    "soft hyphen": "a\u00adb",
    "turned around": "\u202eABC\u202c",
    "isolated": "\u2066ABC\u2069",
    "left to right mark": "a\u200eb",
    "zero width blank": "a\u200bb",
    "byte order mark": "\ufeffa",
    "joiner among Latin letters": "a\u200db",
    "joiner among Han characters": "张\u200c伟",
    "two joiners": "می\u200c\u200cخواهم",
    "joiner behind an emoji": "👩\u200d",
    "vowel separator elsewhere": "a\u180eb",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "half of a pair": "a\ud800b",
    "private use": "a\ue000b",
    "private plane": "a\U00100000b",
    "tags": "a\U000e0041\U000e007fb",
    "no character": "a\uffffb",
}
SHOWN = {
    "Latin": "Zoë O'Brien-Łuk",
    "Han": "欧阳·娜娜，东湾高新区望海路 18 号",
    "later Han planes": "李\U0002ebf0\U00031350\U0003134a\U00033479\U0003fffd",
    "variant of a Han character": "葛\U000e0100城",
    "Arabic": "شينجاڭ ئۇيغۇر",
    "Persian with a joiner": "می\u200cخواهم",
    "Hindi with a joiner": "क्\u200dष",
    "Mongolian with its separator": "ᠬᠠᠷ\u180eᠠ",
    "family emoji": "👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥",
    "full-width": "ＡＢＣ　１２３",
    "money": "¥ 100 (€)",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_hidden_characters_are_found_alone_and_among_others(text):
    assert holds_hidden(text)
    assert holds_hidden(f"李娜{text}", lines=True)


@pytest.mark.parametrize("text", SHOWN.values(), ids=SHOWN)
def test_what_people_write_is_not_hidden(text):
    assert not holds_hidden(text)
    assert not is_blank(text)


def test_a_line_ends_where_there_may_be_several():
    assert holds_hidden("a\n")
    assert not holds_hidden("a\n\nb\n", lines=True)


BLANK = ["", " ", "\u3000", "\u00a0", "\u200b\u200b", "\u2060", "\u3164", "\u115f", "\uffa0"]
BLANK += ["\u2800", "\ufe0f", "\U000e0100", "\u202e\u202c", "\n\n", "\u180b", "\u200d", "\u034f"]


@pytest.mark.parametrize("text", BLANK)
def test_what_shows_nothing_is_blank(text):
    assert is_blank(text)
    assert not is_blank(f"{text}x{text}")


@given(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp"]))
def test_no_category_of_what_is_unseen_passes(character):
    assert holds_hidden(f"a{character}b") is True


@given(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"]))
def test_every_other_character_that_the_interpreter_knows_passes(character):
    assert not holds_hidden(f"a{character}b")


def test_the_whole_of_the_planes_of_han_characters_passes():
    """Unicode adds to them every few years; an interpreter that does not know it takes it too."""
    assert not holds_hidden("".join(map(chr, range(0x20000, 0x2FFFE))))
    assert not holds_hidden("".join(map(chr, range(0x30000, 0x3FFFE))))


def test_the_table_is_that_of_unicode():
    unseen = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    every = (chr(point) for point in range(sys.maxunicode + 1))
    missed = [
        one for one in every if unicodedata.category(one) in unseen and not holds_hidden(f"a{one}")
    ]
    assert missed == []


# --- a field of a request


class Asked(fields.Schema):
    name = fields.String()
    opinion = fields.String(lines=True)
    number = fields.String(pasted=True)


def told(**sent):
    try:
        Asked().load(sent)
    except ma.ValidationError as wrong:
        return {(fault.path, fault.code) for fault in fields.faults(wrong.messages)}
    return set()


@pytest.mark.parametrize("text", [one for one in HIDDEN.values() if "\r" not in one], ids=repr)
def test_a_field_refuses_what_is_hidden(text):
    assert told(name=f"x{text}") == {("name", "control_character")}
    assert told(opinion=f"x\n{text}") == {("opinion", "control_character")}


@pytest.mark.parametrize("text", SHOWN.values(), ids=SHOWN)
def test_a_field_takes_what_people_write(text):
    assert told(name=text, opinion=f"{text}\n{text}", number=text) == set()


@pytest.mark.parametrize("text", ["\u200b\u200b", "\u3000", "\u3164"])
def test_a_field_in_which_nothing_is_seen_is_blank(text):
    assert told(name=text, number=text) == {("name", "blank"), ("number", "blank")}


def test_a_field_that_is_folded_takes_what_a_chat_adds():
    assert told(number="\u202d110105\u200b1990\u202c\n") == set()
    assert told(number="110105\x07") == {("number", "control_character")}


# --- an answer of a form

FORM = Form(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "school": {"type": "string", "maxLength": 200},
            "story": {"type": "string", "x-widget": "textarea"},
            "posts": {"type": "array", "items": {"type": "object"}},
        },
    }
)


def faults(**answers):
    return [(fault.path, fault.code) for fault in FORM.faults(answers, at="x")]


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_an_answer_that_holds_what_is_hidden_is_told_once_at_its_field(text):
    assert faults(school=f"x{text}") == [("x.school", "control_character")]
    assert faults(story=f"x\n{text}") == [("x.story", "control_character")]
    assert faults(posts=[{}, {"a": f"x{text}"}]) == [("x.posts.1.a", "control_character")]
    assert faults(posts=[{f"x{text}": 1}]) == [("x.posts.0", "control_character")]


@pytest.mark.parametrize("text", SHOWN.values(), ids=SHOWN)
def test_an_answer_may_be_what_people_write(text):
    assert faults(school=text, story=f"{text}\n{text}", posts=[{"a": text}]) == []


def test_only_a_text_area_has_lines():
    assert faults(school="a\n", story="a\nb\n") == [("x.school", "control_character")]


@pytest.mark.parametrize("text", [one for one in BLANK if one])
def test_an_answer_in_which_nothing_is_seen_is_blank(text):
    assert faults(school=text) == [("x.school", "blank")]


def test_every_fault_has_its_words_in_both_languages():
    for fault in FORM.faults({"school": "\u200b", "story": "a\u202e"}, at="x"):
        assert fault.text["zh"]
        assert fault.text["en"]
