"""What is decided about people, their documents and names: values in, values out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from service.kernel.errors import FieldError, Invalid
from service.kernel.text import compact, half_width, is_han, is_letter, is_mark


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


_FIRST_GENERATION: Final = re.compile(r"[0-9]{15}")


_LIKE_FIRST_GENERATION: Final = frozenset({IdType.CITIZEN_ID, IdType.PASSPORT})


_OLD_RESIDENCE_CARD: Final = re.compile(r"[A-Z]{3}[0-9]{12}")


_PASSPORT: Final = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,20}")


EARLIEST_BIRTH: Final = date(1900, 1, 1)
"""The first date of birth that is taken: nobody alive is older."""


# Provinces of GB/T 2260. Counties come and go, and a number is kept for life: their codes are
# not looked up. 81, 82 and 83 begin the residence permits of Hong Kong, Macao and Taiwan
# residents, 9 the foreigners' permanent residence card.
_BEGINNINGS: Final[Mapping[IdType, re.Pattern[str]]] = {
    IdType.CITIZEN_ID: re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71"),
    IdType.RESIDENCE_PERMIT: re.compile("8[123]0000"),
    IdType.PERMANENT_RESIDENCE: re.compile("9"),
}


_STATES: Final = """
AFG AGO ALB AND ARE ARG ARM ATG AUS AUT AZE BDI BEL BEN BFA BGD BGR BHR BHS BIH BLR BLZ
BOL BRA BRB BRN BTN BWA CAF CAN CHE CHL CHN CIV CMR COD COG COL COM CPV CRI CUB CYP CZE
DEU DJI DMA DNK DOM DZA ECU EGY ERI ESP EST ETH FIN FJI FRA FSM GAB GBR GEO GHA GIN GMB
GNB GNQ GRC GRD GTM GUY HND HRV HTI HUN IDN IND IRL IRN IRQ ISL ISR ITA JAM JOR JPN KAZ
KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAR MCO MDA MDG
MDV MEX MHL MKD MLI MLT MMR MNE MNG MOZ MRT MUS MWI MYS NAM NER NGA NIC NLD NOR NPL NRU
NZL OMN PAK PAN PER PHL PLW PNG POL PRK PRT PRY PSE QAT ROU RUS RWA SAU SDN SEN SGP SLB
SLE SLV SMR SOM SRB SSD STP SUR SVK SVN SWE SWZ SYC SYR TCD TGO THA TJK TKM TLS TON TTO
TUN TUR TUV TWN TZA UGA UKR URY USA UZB VAT VCT VEN VNM VUT WSM YEM ZAF ZMB ZWE
"""


ISSUING_STATES: Final = frozenset(_STATES.split())
"""Who issues passports, by the code of ISO 3166-1 that the passport shows (ICAO Doc 9303).

Territories are left out: their passports name the state, and with two codes for one passport its
holder would be two people.
"""


@dataclass(frozen=True, slots=True)
class IdDocument:
    """A document as it was checked; `born` is what its number says, or what was asked beside it."""

    id_type: IdType
    number: str = field(repr=False)
    country: str | None = field(repr=False)
    born: date = field(repr=False)

    @property
    def indexed(self) -> str:
        """What its blind index is made of: equal for one document, and for nothing else."""
        issued = "" if self.country is None else f"{self.country}|"
        return f"{self.id_type}|{issued}{self.number}"


@dataclass(frozen=True, slots=True)
class GivenDocument:
    """What somebody says of a document; None is not given."""

    id_type: IdType | None = None
    id_number: str | None = field(default=None, repr=False)
    id_country: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)


NOTHING_GIVEN: Final = GivenDocument()
"""No document at all."""


def document_of(given: GivenDocument, *, today: date) -> IdDocument:
    """The document that was given; raises `Invalid` that names each wrong field.

    A passport carries the state that issued it. The birth date is asked where the number has none;
    where it has one, another is refused.
    """
    if faults := list(document_faults(given, today=today)):
        raise Invalid(errors=faults)
    if given.id_type is None or given.id_number is None:
        raise Invalid(errors=[FieldError("id_number", "id_number_incomplete")])
    number = normal_id_number(given.id_number)
    born = birth_date_of(given.id_type, number) or given.birth_date
    if born is None:
        raise Invalid(errors=[FieldError("birth_date", "birth_date_needed")])
    return IdDocument(given.id_type, number, _country(given), born)


def document_faults(given: GivenDocument, *, today: date) -> Iterator[FieldError]:
    """What is wrong with a document; `today` is the last possible birth date."""
    if given.id_type is None:
        yield FieldError("id_type", "id_number_incomplete")
    if given.id_number is None:
        yield FieldError("id_number", "id_number_incomplete")
    if given.id_type is None or given.id_number is None:
        return
    number = normal_id_number(given.id_number)
    if not valid_id_number(given.id_type, number, latest=today):
        yield FieldError("id_number", _why_wrong(given.id_type, number, today))
    else:
        yield from _birth_faults(birth_date_of(given.id_type, number), given.birth_date, today)
    yield from _country_faults(given)


def _why_wrong(id_type: IdType, number: str, today: date) -> str:
    if id_type in _LIKE_FIRST_GENERATION and _FIRST_GENERATION.fullmatch(number):
        return "id_number_first_generation"
    others = set(IdType) - {id_type}
    if any(valid_id_number(other, number, latest=today) for other in others):
        return "id_number_of_another_type"
    return "id_number_wrong"


def _birth_faults(shown: date | None, given: date | None, today: date) -> Iterator[FieldError]:
    if shown is None and given is None:
        yield FieldError("birth_date", "birth_date_needed")
    elif given is not None and given < EARLIEST_BIRTH:
        yield FieldError("birth_date", "birth_date_too_early")
    elif given is not None and given > today:
        yield FieldError("birth_date", "birth_date_in_future")
    elif given is not None and shown is not None and given != shown:
        yield FieldError("birth_date", "birth_date_differs")


def _country_faults(given: GivenDocument) -> Iterator[FieldError]:
    country = _country(given)
    if given.id_type is not IdType.PASSPORT:
        if country is not None:
            yield FieldError("id_country", "id_country_not_asked")
    elif country is None:
        yield FieldError("id_country", "id_country_needed")
    elif country not in ISSUING_STATES:
        yield FieldError("id_country", "id_country_unknown")


def _country(given: GivenDocument) -> str | None:
    if given.id_country is None:
        return None
    country = normal_id_number(given.id_country)
    return "DEU" if country == "D" else country  # as German passports print it (ICAO Doc 9303)


def normal_id_number(text: str) -> str:
    """The form in which an id number is checked, sealed and indexed: upper-case ASCII.

    Full-width characters, and blanks, dashes and invisible characters from a chat, are folded. What
    holds letters or digits of other scripts stays as it is, and is refused by every check.
    """
    number = compact(text)
    return number.upper() if number.isascii() else text


def valid_id_number(id_type: IdType, number: str, *, latest: date) -> bool:
    """Whether a normalised number can be what it says; `latest` is the last possible birth date.

    GB 11643-1999 for citizens; the same form for residence permits (810000, 820000, 830000) and
    for permanent residence cards since December 2023 (9…). Of those before, which stay valid until
    they expire, three letters and twelve digits. A passport has 5 to 20 letters and digits, at
    least one of them a digit, and never the form of one of the others or of a citizen's number of
    15 digits. No number is valid as two types.
    """
    if id_type is IdType.PASSPORT:
        return bool(_PASSPORT.fullmatch(number)) and not any(
            form.fullmatch(number) for form in (_EIGHTEEN, _FIRST_GENERATION, _OLD_RESIDENCE_CARD)
        )
    if id_type is IdType.PERMANENT_RESIDENCE and _OLD_RESIDENCE_CARD.fullmatch(number):
        return True
    if not _EIGHTEEN.fullmatch(number) or not _BEGINNINGS[id_type].match(number):
        return False
    born = birth_date_of(id_type, number)
    if born is None or not EARLIEST_BIRTH <= born <= latest:
        return False
    return number[-1] == check_character(number[:17])


def check_character(digits: str) -> str:
    """The eighteenth character that belongs to seventeen digits (GB 11643-1999)."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def birth_date_of(id_type: IdType, number: str) -> date | None:
    """The birth date that a normalised number holds.

    None for impossible dates, passports, and old permanent residence cards, whose digits leave out
    the century.
    """
    if id_type is IdType.PASSPORT or not _EIGHTEEN.fullmatch(number):
        return None
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def of_possible_age(kinship: Kinship, member_born: date | None, own_born: date | None) -> bool:
    """Whether a child is younger than the parent; whose birth date is not known may be anything."""
    if kinship is not Kinship.CHILD or member_born is None or own_born is None:
        return True
    return member_born > own_born


_LONG_ENOUGH: Final = 11


def masked(text: str) -> str:
    """The first three and last four characters; of what is shorter than 11, the first and two."""
    head, tail = (3, 4) if len(text) >= _LONG_ENOUGH else (1, 2)
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]


def masked_name(name: str) -> str:
    """The first character of a person's name, and a star for every other one."""
    return name[:1] + "*" * (len(name) - 1)


LONGEST_NAME: Final = 64


_DOTS: Final = dict.fromkeys(map(ord, "•‧・･⋅∙"), "·") | {ord("﹒"): "."}


_BLANKS: Final = re.compile("[ \u00a0\u2000-\u200a\u202f\u205f]+")


_AROUND_DOTS: Final = re.compile(" *·[ ·]*")


_BETWEEN_HAN: Final = re.compile(r"(?<=h)[ .·]*[.·][ .·]*(?=h)")


# A letter has at most four marks: what Tibetan stacks and vowelled Arabic need, and no more.
_NAME: Final = re.compile(r"[ah]m{0,4}(?:[ ·.'’-]*[ah]m{0,4})*\.?")


# Letters and marks that show nothing: fillers, joiners, variation selectors.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def normal_name(text: str) -> str | None:
    """A person's name in its one form; None where it is no name.

    1 to 64 characters: letters of any script with the marks on them, and between them one space,
    `·`, hyphens, apostrophes and full stops. NFC; full-width letters are half-width; whatever dot
    stands between the parts of a name is `·`, and so is a full stop between Han characters, without
    blanks around it. Digits, and whatever is invisible or turns the direction of writing, are
    refused.
    """
    name = unicodedata.normalize("NFC", half_width(text)).translate(_DOTS)
    name = _AROUND_DOTS.sub("·", _BLANKS.sub(" ", name)).strip(" ")
    name = _dots_between_han(name)
    fits = (
        len(name) <= LONGEST_NAME and not _INVISIBLE.search(name) and _NAME.fullmatch(_shape(name))
    )
    return name if fits else None


def _dots_between_han(name: str) -> str:
    parts, done = [], 0
    for found in _BETWEEN_HAN.finditer(_shape(name)):
        parts += [name[done : found.start()], "·"]
        done = found.end()
    return "".join(parts) + name[done:]


def _shape(name: str) -> str:
    """A name with `h` for each Han character, `a` for other letters, and `m` for marks."""
    return "".join(map(_kind_of, name))


def _kind_of(one: str) -> str:
    if is_han(one):
        return "h"
    if is_letter(one):
        return "a"
    return "m" if is_mark(one) else one


_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")


_ABROAD: Final = re.compile(r"\+(?!86)[1-9][0-9]{6,14}")


_FROM_ABROAD: Final = re.compile(r"(?:\+|00)?86(?=1[3-9][0-9]{9}$)")


def normal_phone(text: str) -> str | None:
    """A mainland mobile number, or `+` and the international number (E.164); else None.

    Full-width characters, blanks, dashes and parentheses are folded, and so are the ways to write
    China's code before a mobile number: `+86`, `0086` and `86`. `00` before another code is `+`.
    """
    phone = _FROM_ABROAD.sub("", re.sub("[()]", "", compact(text)), count=1)
    phone = re.sub("^00", "+", phone)
    return phone if _MOBILE.fullmatch(phone) or _ABROAD.fullmatch(phone) else None
