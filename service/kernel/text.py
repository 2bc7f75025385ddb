"""What people write, from whatever keyboard or chat, whatever the interpreter knows of Unicode."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_FULL_WIDTH: Final[dict[int, int | str]] = {0xFF01 + place: 0x21 + place for place in range(94)} | {
    0x3000: " "
}
_BETWEEN: Final = frozenset({"Pd", "Zs", "Zl", "Zp", "Cf"})
# What is no text, by code points and not by the interpreter's table: control characters (Cc), what
# is unseen and steers how others are shown (Cf: direction, tags, the soft hyphen, marks of
# annotations), halves of pairs (Cs), private use (Co), line and paragraph separators (Zl, Zp), and
# code points that are no characters.
_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff\U000f0000-\U0010ffff]"
)
# Persian, the scripts of India and others write words with joiners, Mongolian with its vowel
# separator, and several emoji are one with a joiner between them.
_JOINED: Final = re.compile(
    "(?<=[\u0600-\u109f\u1780-\u18af\ua800-\uabff\U00010a00-\U00011fff])[\u200c\u200d]"
    "|(?<=[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2600-\u27bf\U0001f000-\U0001faff])"
    "|(?<=[\u1820-\u18aa])\u180e"
)
# Characters that show nothing and are none of the above: fillers, selectors of variants, an empty
# Braille cell.
_UNSEEN: Final = re.compile(
    r"[\s"
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u200c\u200d"
    "\U000e0100-\U000e01ef]|" + _HIDDEN.pattern
)
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


def holds_hidden(text: str, *, lines: bool = False) -> bool:
    """Whether a text holds characters that are not seen, or turn what is seen around.

    `lines`: it may have several, ended by a line feed. Joiners count where the script before them
    does not use any. Code points that Unicode has not given away yet are no reason.
    """
    if text.isascii() and text.isprintable():
        return False
    return bool(_HIDDEN.search(_JOINED.sub("", text.replace("\n", "") if lines else text)))


def without_hidden(text: str) -> str:
    """A text without characters that are not seen or turn what is seen around, joiners included."""
    return _HIDDEN.sub("", text)


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: it is empty, or holds blanks and unseen characters alone."""
    return not _UNSEEN.sub("", text)
