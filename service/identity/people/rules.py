"""What is decided about people, their documents and names: values in, values out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final


class AccountKind(StrEnum):
    """Who an account belongs to."""

    TALENT = "talent"
    STAFF = "staff"
    AGENT = "agent"


class Kinship(StrEnum):
    """What a family member is to the talent."""

    SPOUSE = "spouse"
    CHILD = "child"


class IdType(StrEnum):
    """The documents that prove who somebody is."""

    CITIZEN_ID = "citizen_id"
    RESIDENCE_PERMIT = "residence_permit"
    PERMANENT_RESIDENCE = "permanent_residence"
    PASSPORT = "passport"


# GB 11643-1999: the sum of digit times weight, modulo 11, names the eighteenth character.
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


_CHECK_CHARACTERS: Final = "10X98765432"


_EIGHTEEN: Final = re.compile(r"[0-9]{17}[0-9X]")


_PASSPORT: Final = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,20}")


_EARLIEST_YEAR: Final = 1880  # nobody alive is older


# Provinces of GB/T 2260. Counties come and go, and a number is kept for life: their codes are
# not looked up. 81, 82 and 83 begin the residence permits of Hong Kong, Macao and Taiwan
# residents, 9 the foreigners' permanent residence card.
_BEGINNINGS: Final[Mapping[IdType, re.Pattern[str]]] = {
    IdType.CITIZEN_ID: re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71"),
    IdType.RESIDENCE_PERMIT: re.compile("8[123]0000"),
    IdType.PERMANENT_RESIDENCE: re.compile("9"),
}


def normal_id_number(text: str) -> str:
    """The form in which an id number is checked, sealed and indexed: trimmed, upper-case."""
    return text.strip(" ").upper() if text.isascii() else text


def valid_id_number(id_type: IdType, number: str, *, latest: date) -> bool:
    """Whether a normalised number can be what it says; `latest` is the last possible birth date.

    GB 11643-1999 for citizens; the same form for residence permits (810000, 820000, 830000) and
    for permanent residence cards of 2017 and later (9…). A passport has 5 to 20 letters and
    digits, at least one of them a digit.
    """
    if id_type is IdType.PASSPORT:
        return bool(_PASSPORT.fullmatch(number))
    if not _EIGHTEEN.fullmatch(number) or not _BEGINNINGS[id_type].match(number):
        return False
    born = birth_date_of(id_type, number)
    if born is None or born.year < _EARLIEST_YEAR or born > latest:
        return False
    return number[-1] == check_character(number[:17])


def check_character(digits: str) -> str:
    """The eighteenth character that belongs to seventeen digits (GB 11643-1999)."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def birth_date_of(id_type: IdType, number: str) -> date | None:
    """The birth date that a normalised number holds; None for passports and impossible dates."""
    if id_type is IdType.PASSPORT:
        return None
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def latest_birth_date(at: datetime) -> date:
    """The last date that has begun anywhere on earth: somebody may have been born on it."""
    return (at + timedelta(hours=14)).date()


def indexed_id(id_type: IdType, number: str) -> str:
    """What the blind index of a normalised number is made of."""
    return f"{id_type}|{number}"


_LONG_ENOUGH: Final = 11


def masked(text: str) -> str:
    """The first three and last four characters; of what is shorter than 11, the first and two."""
    head, tail = (3, 4) if len(text) >= _LONG_ENOUGH else (1, 2)
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]


def masked_name(name: str) -> str:
    """The first character of a person's name, and a star for every other one."""
    return name[:1] + "*" * (len(name) - 1)


LONGEST_NAME: Final = 64


_DOTS: Final = dict.fromkeys(map(ord, "•‧・･"), "·")


_NAME: Final = re.compile(r"a(?:[ ·.'’-]*a)*\.?")


# Letters and marks that show nothing: fillers, joiners, variation selectors.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def normal_name(text: str) -> str | None:
    """A person's name in NFC, its parts separated by `·` or one space; None where it is no name.

    1 to 64 characters: letters and marks of any script, with spaces, `·`, hyphens, apostrophes
    and full stops between them. Digits, and whatever is invisible or turns the direction of
    writing, are refused.
    """
    name = unicodedata.normalize("NFC", re.sub(" +", " ", text).strip(" ")).translate(_DOTS)
    shape = "".join("a" if _part_of_letter(character) else character for character in name)
    fits = len(name) <= LONGEST_NAME and not _INVISIBLE.search(name) and _NAME.fullmatch(shape)
    return name if fits else None


def _part_of_letter(character: str) -> bool:
    """Letters, the marks on them, and 〇, which is a number to Unicode and a name in China."""
    return unicodedata.category(character)[0] in "LM" or character == "〇"


_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")


_ABROAD: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def normal_phone(text: str) -> str | None:
    """A mainland mobile number, or `+` and the international number (E.164); else None."""
    phone = re.sub("[ -]", "", text).removeprefix("+86")
    return phone if _MOBILE.fullmatch(phone) or _ABROAD.fullmatch(phone) else None
