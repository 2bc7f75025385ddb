"""What is decided about people and sign-ins, as tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.identity.auth.rules import RefreshVerdict, TokenState, judge_refresh, valid_username
from service.identity.consents.rules import parse_consent
from service.identity.people.rules import (
    IdType,
    birth_date_of,
    check_character,
    latest_birth_date,
    masked,
    normal_id_number,
    normal_name,
    normal_phone,
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
        (IdType.CITIZEN_ID, "440524188001010014"),
        (IdType.CITIZEN_ID, numbered("11022119900101001")),  # Changping county, retired in 1999
        (IdType.CITIZEN_ID, numbered("71000019900101005")),
        (IdType.CITIZEN_ID, numbered("11010520240229001")),  # a leap day
        (IdType.CITIZEN_ID, numbered("11010520261122001")),  # born today
        (IdType.RESIDENCE_PERMIT, numbered("81000019900101001")),
        (IdType.RESIDENCE_PERMIT, numbered("82000019880808002")),
        (IdType.RESIDENCE_PERMIT, numbered("83000019750505003")),
        (IdType.PERMANENT_RESIDENCE, numbered("91115619900101001")),
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
        (IdType.CITIZEN_ID, numbered("11010518790101001")),  # nobody is as old
        (IdType.CITIZEN_ID, numbered("11010520261123001")),  # tomorrow
        (IdType.CITIZEN_ID, numbered("10010519491231002")),  # no such province
        (IdType.CITIZEN_ID, numbered("81000019900101001")),  # a residence permit
        (IdType.CITIZEN_ID, numbered("91115619900101001")),
        (IdType.RESIDENCE_PERMIT, "11010519491231002X"),
        (IdType.RESIDENCE_PERMIT, numbered("81000119900101001")),
        (IdType.RESIDENCE_PERMIT, numbered("84000019900101001")),
        (IdType.PERMANENT_RESIDENCE, "11010519491231002X"),
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
        ("ｘ1", "ｘ1"),  # what is not ASCII stays, and is refused
        ("1ß", "1ß"),
    ],
)
def test_numbers_are_normalised(text, number):
    assert normal_id_number(text) == number


def test_birth_dates():
    assert birth_date_of(IdType.CITIZEN_ID, "11010519491231002X") == date(1949, 12, 31)
    assert birth_date_of(IdType.PASSPORT, "E12345678") is None


def test_a_child_born_today_in_the_east_is_no_child_of_the_future():
    just_after_midnight_in_beijing = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
    assert latest_birth_date(just_after_midnight_in_beijing) == TODAY


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
        ("刘〇", "刘〇"),
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
        "李\u3000娜",
        "·李娜",
        "=1+1",
        "<b>",
        "李娜；",
    ],
)
def test_what_is_no_name(text):
    assert normal_name(text) is None


@given(st.text(max_size=80))
def test_a_normal_name_stays_as_it_is(text):
    name = normal_name(text)
    assert name is None or normal_name(name) == name


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800001234", "13800001234"),
        ("+86 138 0000 1234", "13800001234"),
        ("+44 7911-123456", "+447911123456"),
        ("12800001234", None),
        ("1380000123", None),
        ("１３８００００１２３４", None),
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
