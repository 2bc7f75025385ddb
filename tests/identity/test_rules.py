"""What is decided about people and sign-ins, as tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.identity.auth.rules import RefreshVerdict, TokenState, judge_refresh, valid_username
from service.identity.consents.rules import parse_consent
from service.identity.people.rules import (
    ISSUING_STATES,
    GivenDocument,
    IdType,
    Kinship,
    birth_date_of,
    check_character,
    document_faults,
    document_of,
    masked,
    normal_id_number,
    normal_name,
    normal_phone,
    of_possible_age,
    valid_id_number,
)

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
GRACE = timedelta(seconds=10)


def numbered(seventeen: str) -> str:
    return seventeen + check_character(seventeen)


@pytest.mark.parametrize(
    ("id_type", "number"),
    [
        (IdType.CITIZEN_ID, "11010519491231002X"),  # the example of GB 11643
        (IdType.CITIZEN_ID, numbered("11010519000101001")),
        (IdType.CITIZEN_ID, numbered("11022119900101001")),  # Changping county, retired in 1999
        (IdType.CITIZEN_ID, numbered("71000019900101005")),
        (IdType.CITIZEN_ID, numbered("11010520240229001")),  # a leap day
        (IdType.CITIZEN_ID, numbered("11010520261122001")),  # born today
        (IdType.RESIDENCE_PERMIT, numbered("81000019900101001")),
        (IdType.RESIDENCE_PERMIT, numbered("82000019880808002")),
        (IdType.RESIDENCE_PERMIT, numbered("83000019750505003")),
        (IdType.PERMANENT_RESIDENCE, numbered("91115619900101001")),
        (IdType.PERMANENT_RESIDENCE, "USA460185031501"),  # a card of before December 2023
        (IdType.PERMANENT_RESIDENCE, "CHN110081010101"),
        (IdType.PASSPORT, "E12345678"),
        (IdType.PASSPORT, "12345"),
        (IdType.PASSPORT, "A" * 19 + "1"),
    ],
)
def test_valid_numbers(id_type, number):
    assert valid_id_number(id_type, number, latest=TODAY)


@pytest.mark.parametrize(
    ("id_type", "number"),
    [
        (IdType.CITIZEN_ID, "110105194912310021"),  # wrong check digit
        (IdType.CITIZEN_ID, "11010519491231002x"),  # not normalised
        (IdType.CITIZEN_ID, "１１０１０５１９４９１２３１００２Ｘ"),  # full width
        (IdType.CITIZEN_ID, "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X"),  # Arabic-Indic digits
        (IdType.CITIZEN_ID, "11010519491231002X\n"),
        (IdType.CITIZEN_ID, "110105491231002"),  # 15 digits, as before 1999
        (IdType.CITIZEN_ID, numbered("11010519490231002")),  # 31 February
        (IdType.CITIZEN_ID, numbered("11010520230229001")),  # no leap year
        (IdType.CITIZEN_ID, numbered("11010500000101001")),  # the year 0
        (IdType.CITIZEN_ID, "440524188001010014"),  # an example of GB 11643; nobody is as old
        (IdType.CITIZEN_ID, numbered("11010518991231001")),
        (IdType.CITIZEN_ID, numbered("11010520261123001")),  # tomorrow
        (IdType.CITIZEN_ID, numbered("10010519491231002")),  # no such province
        (IdType.CITIZEN_ID, numbered("81000019900101001")),  # a residence permit
        (IdType.CITIZEN_ID, numbered("91115619900101001")),
        (IdType.RESIDENCE_PERMIT, "11010519491231002X"),
        (IdType.RESIDENCE_PERMIT, numbered("81000119900101001")),
        (IdType.RESIDENCE_PERMIT, numbered("84000019900101001")),
        (IdType.PERMANENT_RESIDENCE, "11010519491231002X"),
        (IdType.PERMANENT_RESIDENCE, "US4601850315012"),
        (IdType.PERMANENT_RESIDENCE, "USA4601850315012"),
        (IdType.CITIZEN_ID, "USA460185031501"),
        (IdType.PASSPORT, "460106198503150015"),  # somebody's citizen number
        (IdType.PASSPORT, "460106198503150016"),  # and one with a slip in it
        (IdType.PASSPORT, "USA460185031501"),
        (IdType.PASSPORT, "110105491231002"),
        (IdType.PASSPORT, "E123"),
        (IdType.PASSPORT, "A" * 20 + "1"),
        (IdType.PASSPORT, "PASSPORT"),  # no digit
        (IdType.PASSPORT, "E 1234567"),
        (IdType.PASSPORT, "Ｅ12345678"),
        (IdType.PASSPORT, ""),
    ],
)
def test_invalid_numbers(id_type, number):
    assert not valid_id_number(id_type, number, latest=TODAY)


BODIES = {
    IdType.CITIZEN_ID: r"(1[1-5]|46|71)[0-9]{4}(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-2][0-9]{4}",
    IdType.RESIDENCE_PERMIT: r"8[123]0000(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-2][0-9]{4}",
    IdType.PERMANENT_RESIDENCE: r"9[0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-2][0-9]{4}",
}
NUMBERS = st.one_of(
    *(st.from_regex(body, fullmatch=True).map(numbered) for body in BODIES.values()),
    st.from_regex(r"[A-Z]{3}[0-9]{12}", fullmatch=True),
    st.from_regex(r"[0-9]{15}", fullmatch=True),
    st.text(alphabet="0123456789X", min_size=18, max_size=18),
    st.text(alphabet="0123456789ABX", min_size=5, max_size=20),
)


@given(NUMBERS)
def test_a_number_of_one_type_is_none_of_another(number):
    types = [one for one in IdType if valid_id_number(one, number, latest=TODAY)]
    assert len(types) <= 1


@pytest.mark.parametrize(
    ("given_number", "code"),
    [
        ((IdType.CITIZEN_ID, "110105491231002"), "id_number_first_generation"),
        ((IdType.CITIZEN_ID, "１１０１０５４９１２３１００２"), "id_number_first_generation"),
        ((IdType.PASSPORT, "110105491231002"), "id_number_first_generation"),
        ((IdType.PASSPORT, "11010519491231002x"), "id_number_of_another_type"),
        ((IdType.PASSPORT, "usa460185031501"), "id_number_of_another_type"),
        ((IdType.RESIDENCE_PERMIT, "11010519491231002X"), "id_number_of_another_type"),
        ((IdType.CITIZEN_ID, "E12345678"), "id_number_of_another_type"),
        ((IdType.CITIZEN_ID, "110105194912310021"), "id_number_wrong"),
        ((IdType.PASSPORT, "110105194912310021"), "id_number_wrong"),
    ],
)
def test_why_a_number_is_refused(given_number, code):
    id_type, number = given_number
    faults = document_faults(GivenDocument(id_type, number), today=TODAY)
    assert [one.code for one in faults if one.path == "id_number"] == [code]


BORN = date(1985, 3, 15)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (GivenDocument(IdType.PASSPORT, "e12 345-678", "gbr", BORN), ("E12345678", "GBR", BORN)),
        (GivenDocument(IdType.PASSPORT, "E12345678", "ＧＢＲ", BORN), ("E12345678", "GBR", BORN)),
        (
            GivenDocument(IdType.PERMANENT_RESIDENCE, "usa460185031501", None, BORN),
            ("USA460185031501", None, BORN),
        ),
        (
            GivenDocument(IdType.CITIZEN_ID, "11010519491231002x"),
            ("11010519491231002X", None, date(1949, 12, 31)),
        ),
        (
            GivenDocument(IdType.CITIZEN_ID, "11010519491231002x", None, date(1949, 12, 31)),
            ("11010519491231002X", None, date(1949, 12, 31)),
        ),
    ],
)
def test_a_document(document, expected):
    found = document_of(document, today=TODAY)
    assert (found.number, found.country, found.born) == expected
    assert found.number not in repr(found)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"id_country": None}, {("id_country", "id_country_needed")}),
        ({"id_country": "HKG"}, {("id_country", "id_country_unknown")}),
        ({"id_country": "GB"}, {("id_country", "id_country_unknown")}),
        ({"id_country": "ĞBR"}, {("id_country", "id_country_unknown")}),
        ({"birth_date": None}, {("birth_date", "birth_date_needed")}),
        ({"birth_date": date(1899, 12, 31)}, {("birth_date", "birth_date_too_early")}),
        ({"birth_date": date(1900, 1, 1)}, set()),
        ({"birth_date": TODAY}, set()),
        ({"birth_date": TODAY + timedelta(days=1)}, {("birth_date", "birth_date_in_future")}),
        (
            {"id_type": IdType.CITIZEN_ID, "id_number": "11010519491231002X"},
            {("birth_date", "birth_date_differs"), ("id_country", "id_country_not_asked")},
        ),
        ({"id_number": None}, {("id_number", "id_number_incomplete")}),
        ({"id_type": None}, {("id_type", "id_number_incomplete")}),
    ],
)
def test_what_is_wrong_with_a_document(changes, expected):
    passport = {
        "id_type": IdType.PASSPORT,
        "id_number": "E12345678",
        "id_country": "GBR",
        "birth_date": BORN,
    }
    faults = document_faults(GivenDocument(**(passport | changes)), today=TODAY)
    assert {(one.path, one.code) for one in faults} == expected


def test_passports_of_two_states_are_two_documents():
    british, french = (
        document_of(GivenDocument(IdType.PASSPORT, "E12345678", one, BORN), today=TODAY)
        for one in ("GBR", "FRA")
    )
    assert british.indexed != french.indexed


def test_states_that_issue_passports():
    assert len(ISSUING_STATES) == 196
    assert {len(one) for one in ISSUING_STATES} == {3}
    assert {"CHN", "GBR", "USA", "DEU"} <= ISSUING_STATES


@pytest.mark.parametrize(
    ("kinship", "member", "own", "possible"),
    [
        (Kinship.CHILD, date(1985, 3, 16), BORN, True),
        (Kinship.CHILD, BORN, BORN, False),
        (Kinship.CHILD, date(1985, 3, 14), BORN, False),
        (Kinship.CHILD, None, BORN, True),
        (Kinship.CHILD, BORN, None, True),
        (Kinship.SPOUSE, date(1985, 3, 14), BORN, True),
    ],
)
def test_a_child_is_younger_than_the_parent(kinship, member, own, possible):
    assert of_possible_age(kinship, member, own) is possible


@given(st.text(alphabet="0123456789X", min_size=18, max_size=18))
def test_no_text_of_the_form_crashes(number):
    for id_type in IdType:
        valid_id_number(id_type, number, latest=TODAY)


@given(
    st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999), st.integers(0, 16), st.integers(1, 9)
)
def test_one_wrong_digit_is_always_found(born, sequence, place, shift):
    number = numbered(f"110105{born:%Y%m%d}{sequence:03}")
    assert valid_id_number(IdType.CITIZEN_ID, number, latest=TODAY)
    assert birth_date_of(IdType.CITIZEN_ID, number) == born
    wrong = str((int(number[place]) + shift) % 10)
    changed = number[:place] + wrong + number[place + 1 :]
    assert not valid_id_number(IdType.CITIZEN_ID, changed, latest=TODAY)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 11010519491231002x ", "11010519491231002X"),
        ("e12345678", "E12345678"),
        ("ｘ１", "X1"),
        ("１１０１０５　１９４９１２３１　００２ｘ", "11010519491231002X"),
        ("110105-1949-1231-002x\n", "11010519491231002X"),
        ("\u202a110105\u200b19491231\u00a0002x\ufeff", "11010519491231002X"),
        ("1ß", "1ß"),  # what is not ASCII stays, and is refused
        ("١٢٣٤٥", "١٢٣٤٥"),
    ],
)
def test_numbers_are_normalised(text, number):
    assert normal_id_number(text) == number


def test_birth_dates():
    assert birth_date_of(IdType.CITIZEN_ID, "11010519491231002X") == date(1949, 12, 31)
    assert birth_date_of(IdType.PASSPORT, "E12345678") is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("110105194912311234", "110***********1234"),
        ("13800001234", "138****1234"),
        ("+447911123456", "+44******3456"),
        ("E12345678", "E******78"),
        ("12345", "1**45"),
    ],
)
def test_masking(text, shown):
    assert masked(text) == shown
    assert len(shown) == len(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("李娜", "李娜"),
        ("  李娜 ", "李娜"),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("买买提．艾山", "买买提·艾山"),
        ("买买提⋅艾山", "买买提·艾山"),
        ("买买提∙艾山", "买买提·艾山"),
        ("买买提﹒艾山", "买买提·艾山"),
        ("买买提.艾山", "买买提·艾山"),
        ("买买提 · 艾山", "买买提·艾山"),
        ("买买提··艾山", "买买提·艾山"),
        ("买买提 ．·艾山", "买买提·艾山"),
        ("买买提\u0387艾山", "买买提·艾山"),
        ("李\u3000娜", "李 娜"),
        ("Ａｎｎａ Ｓｍｉｔｈ", "Anna Smith"),
        ("刘〇", "刘〇"),
        ("李\U0002ebf0", "李\U0002ebf0"),
        ("\U00031350", "\U00031350"),
        ("a\u0301\u0323\u0302\u0303".replace("a\u0301", "a"), "ậ\u0303"),
        ("𠮷田", "𠮷田"),
        ("Zoe\u0308 O’Brien-Smith Jr.", "Zoë O’Brien-Smith Jr."),
        ("J. R.  Tolkien", "J. R. Tolkien"),
        ("བཀྲ་ཤིས"[:2], "བཀ"),
        ("ئابدۇللا", "ئابدۇللا"),
        ("x" * 64, "x" * 64),
    ],
)
def test_names(text, name):
    assert normal_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "x" * 65,
        "李娜1",
        "李\u200b娜",  # zero width space
        "李\u202e娜",  # right-to-left override
        "李\ufeff娜",
        "李\u3164娜",  # a filler: a letter that shows nothing
        "李\ufe0f娜",
        "李\n娜",
        "李\x00娜",
        "·李娜",
        "买买提1.艾山",
        "\u0301a",
        "a" + "\u0316" * 5,  # a heap of marks
        "=1+1",
        "<b>",
        "李娜；",
    ],
)
def test_what_is_no_name(text):
    assert normal_name(text) is None


# What names are made of, and what resembles it: few enough that they meet.
PIECES = st.sampled_from([*"李娜aB·.．﹒⋅∙•‧・･-'’ 　é\u0301\u0323Ａ〇\uf9e1\U00031350\u00a0"])


@given(st.text(max_size=80) | st.lists(PIECES, max_size=12).map("".join))
def test_a_normal_name_stays_as_it_is(text):
    name = normal_name(text)
    assert name is None or normal_name(name) == name


@given(st.sampled_from([*"·．﹒⋅∙•‧・･."]), st.sampled_from(["", " ", "　", "·", "."]))
def test_whatever_dot_is_typed_a_name_has_one_form(dot, beside):
    for text in (f"买买提{beside}{dot}艾山", f"买买提{dot}{beside}艾山"):
        assert normal_name(text) == "买买提·艾山"


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800001234", "13800001234"),
        ("+86 138 0000 1234", "13800001234"),
        ("+44 7911-123456", "+447911123456"),
        ("12800001234", None),
        ("1380000123", None),
        ("１３８００００１２３４", "13800001234"),
        ("（+86）138-0000-1234", "13800001234"),
        ("0086 13800001234", "13800001234"),
        ("86 138 0000 1234", "13800001234"),
        ("\u202d138 0000 1234\u202c", "13800001234"),
        ("0044 7911 123456", "+447911123456"),
        ("١٣٨٠٠٠٠١٢٣٤", None),
        ("+86 10 6512 3456", None),
        ("+0123456789", None),
        ("", None),
    ],
)
def test_phones(text, phone):
    assert normal_phone(text) == phone


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("processing@1", ("processing", 1)),
        ("a_b2@12", ("a_b2", 12)),
        ("processing", None),
        ("processing@0", None),
        ("processing@01", None),
        ("processing@１", None),
        ("Processing@1", None),
        ("@1", None),
    ],
)
def test_consents(text, parsed):
    assert parse_consent(text) == parsed


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("clerk.public_security", True),
        ("agent.1", True),
        ("a", False),
        ("Clerk", False),
        (".clerk", False),
        ("clerk one", False),
        ("ｃｌｅｒｋ", False),
    ],
)
def test_usernames(text, valid):
    assert valid_username(text) is valid


def state(*, used: float | None = None, expires: float = 60, ended: bool = False) -> TokenState:
    """A token used so many seconds ago, in a sign-in that goes on for so many more."""
    return TokenState(
        used_at=None if used is None else NOW - timedelta(seconds=used),
        expires_at=NOW + timedelta(seconds=expires),
        ended=ended,
    )


@pytest.mark.parametrize(
    ("token", "verdict"),
    [
        (state(), RefreshVerdict.FRESH),
        (state(used=0), RefreshVerdict.GRACE),
        (state(used=10), RefreshVerdict.GRACE),
        (state(used=-3), RefreshVerdict.GRACE),  # another process's clock is ahead
        (state(used=10.001), RefreshVerdict.REUSE),
        (state(expires=0), RefreshVerdict.ENDED),
        (state(ended=True), RefreshVerdict.ENDED),
        (state(used=10.001, ended=True), RefreshVerdict.ENDED),
        (state(used=10.001, expires=0), RefreshVerdict.ENDED),
    ],
)
def test_refreshing(token, verdict):
    assert judge_refresh(token, NOW, GRACE) is verdict


@given(st.floats(0, 1e6), st.floats(0, 1e4))
def test_a_used_token_is_never_fresh(used, grace):
    verdict = judge_refresh(state(used=used), NOW, timedelta(seconds=grace))
    assert verdict in {RefreshVerdict.GRACE, RefreshVerdict.REUSE}
