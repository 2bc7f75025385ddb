"""What people write, from whatever keyboard or chat, whatever the interpreter knows of Unicode."""

from __future__ import annotations

import unicodedata
from typing import Final

_FULL_WIDTH: Final[dict[int, int | str]] = {0xFF01 + place: 0x21 + place for place in range(94)} | {
    0x3000: " "
}
_BETWEEN: Final = frozenset({"Pd", "Zs", "Zl", "Zp", "Cf"})
_MINUS: Final = "\u2212"
_FIRST_IDEOGRAPH, _LAST_IDEOGRAPH = "\U00020000", "\U0003fffd"


def is_letter(one: str) -> bool:
    """Whether a character is a letter of some script.

    All of planes 2 and 3 are: Unicode keeps them for Han characters and adds some every few years,
    for names among other things. Which of them `unicodedata` knows depends on the interpreter. 〇
    is a number to Unicode and a letter of names in China.
    """
    return unicodedata.category(one)[0] == "L" or one == "〇" or _is_later_ideograph(one)


def is_mark(one: str) -> bool:
    """Whether a character is a mark on the letter before it: an accent, a vowel sign."""
    return unicodedata.category(one)[0] == "M"


def is_han(one: str) -> bool:
    """Whether a character is a Han character, of whatever block."""
    return (
        "\u3400" <= one <= "\u9fff"
        or "\uf900" <= one <= "\ufaff"
        or one == "〇"
        or _is_later_ideograph(one)
    )


def half_width(text: str) -> str:
    """Full-width letters, digits, punctuation and blanks as their ASCII twins."""
    return text.translate(_FULL_WIDTH)


def compact(text: str) -> str:
    """What is left of a number that was typed or pasted: half-width, without what sets it apart.

    Blanks, tabs, line ends, dashes and characters that show nothing (zero-width, direction of
    writing) are dropped. Digits of other scripts stay as they are, for who checks to refuse.
    """
    return "".join(one for one in half_width(text) if not _sets_apart(one))


def _sets_apart(one: str) -> bool:
    return one.isspace() or one == _MINUS or unicodedata.category(one) in _BETWEEN


def _is_later_ideograph(one: str) -> bool:
    return _FIRST_IDEOGRAPH <= one <= _LAST_IDEOGRAPH
