"""Credit codes, whom a filing names, and what of a ticket is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.employers.rules import told_items
from service.enterprises.rules import normal_credit_code
from service.filing.rules.filing import Filing, StatedEmployment, followed_by
from service.identity.people.rules import masked_name
from service.routing.states import Phase

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = [3**place % 31 for place in range(17)]


def check_character(body: str) -> str:
    """GB 32100-2015, written down anew."""
    total = sum(ALPHABET.index(one) * weight for one, weight in zip(body, WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("91350100M000100Y43", "91350100M000100Y43"),
        ("91350100m000100y43", "91350100M000100Y43"),
        (" 91350100-M000100Y4-3 ", "91350100M000100Y43"),
        ("91110000600037341L", "91110000600037341L"),
        ("９１３５０１００Ｍ０００１００ｙ４３", "91350100M000100Y43"),
        ("\u200b91350100—M000100Y4\u00a03\n", "91350100M000100Y43"),
    ],
)
def test_credit_codes(text, code):
    assert normal_credit_code(text) == code


# The widespread snippet counts I, O, S, V and Z, or forgets to take the sum from 31.
@pytest.mark.parametrize("character", ["D", "W", *ALPHABET.replace("3", "")])
def test_another_check_character_is_refused(character):
    assert normal_credit_code(f"91350100M000100Y4{character}") is None


@pytest.mark.parametrize("letter", "IOSVZ")
def test_skipped_letters_are_refused(letter):
    for end in ALPHABET:
        assert normal_credit_code(f"91350100M0001{letter}0Y4{end}") is None


@pytest.mark.parametrize(
    "text",
    ["", "91350100M000100Y4", "91350100M000100Y433", "٩1350100M000100Y43", "91350100M000100Y4三"],
)
def test_what_is_no_credit_code(text):
    assert normal_credit_code(text) is None


@given(st.text("123456789", min_size=8, max_size=8), st.text(ALPHABET, min_size=9, max_size=9))
def test_the_check_is_that_of_the_standard(region, organisation):
    body = region + organisation
    right = check_character(body)
    assert normal_credit_code(body + right) == body + right
    assert [one for one in ALPHABET if normal_credit_code(body + one)] == [right]


@pytest.mark.parametrize(
    ("name", "masked"), [("张伟", "张*"), ("欧阳明月", "欧***"), ("李", "李"), ("", "")]
)
def test_a_masked_name(name, masked):
    assert masked_name(name) == masked


def filing(consents=("processing@1", "enterprise@2"), **employment):
    return Filing("arrival", [], {"employment": employment}, list(consents))


@pytest.mark.parametrize(
    ("filed", "stated"),
    [
        (
            filing(employer_code="C", contract_from="2025-07-15"),
            StatedEmployment("C", date(2025, 7, 15)),
        ),
        (filing(employer_code="C"), StatedEmployment("C", None)),
        (filing(employer_code="C", contract_from="soon"), StatedEmployment("C", None)),
        (filing(employer_code="C", contract_from=[]), StatedEmployment("C", None)),
        (filing(("processing@1",), employer_code="C"), None),
        (filing(("enterprises@1",), employer_code="C"), None),
        (filing(contract_from="2025-07-15"), None),
        (filing(employer_code=7), None),
        (Filing("arrival", [], {}, ["enterprise@2"]), None),
        (Filing("arrival", [], {"employment": "C"}, ["enterprise@2"]), None),
    ],
)
def test_whom_a_filing_lets_follow(filed, stated):
    assert followed_by(filed) == stated


@dataclass
class Row:
    id: int
    offering_code: str
    phase: Phase
    day: int

    @property
    def due_at(self) -> datetime:
        return datetime(2026, 11, self.day, tzinfo=UTC)


def test_how_many_children_somebody_has_is_not_told():
    rows = [
        Row(1, "settlement", Phase.ACCEPTANCE, 1),
        Row(2, "schooling", Phase.ENDED, 9),
        Row(3, "schooling", Phase.ACCEPTANCE, 3),
        Row(4, "schooling", Phase.PROCESSING, 5),
        Row(5, "medical", Phase.ENDED, 2),
        Row(6, "spouse", Phase.ENDED, 2),
    ]
    told = told_items(rows, about_family={"schooling", "spouse"})
    assert [row.id for row in told] == [1, 4, 5, 6]
    assert told_items(rows[1:3], about_family={"schooling"}) == [rows[2]]
    assert told_items([], about_family={"schooling"}) == []
