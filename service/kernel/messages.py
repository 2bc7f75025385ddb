"""The words of a code in the language asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

BETWEEN: Final[Mapping[Language, str]] = {"zh": "、", "en": ", "}
"""What stands between the parts of a list."""

_FILE: Final = Path(__file__).resolve().parents[1] / "messages.toml"


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every code with its text in both languages."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def say(code: str, language: Language, params: Mapping[str, Any] | None = None) -> str:
    """The text of `code` with its placeholders filled; raises `KeyError` for an unknown code.

    A parameter that is a text in both languages is said in the one asked for; `{maximum:size}` is a
    number of bytes as people read it.
    """
    said = said_in(language, params or {})
    shown = {name: _Number(one) if type(one) is int else one for name, one in said.items()}
    return catalogue()[code][language].format_map(shown)


def said_in(language: Language, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a message, those that are texts in both languages in one of them."""
    return {
        name: value[language] if isinstance(value, Mapping) and language in value else value
        for name, value in params.items()
    }


class _Number(int):
    """A number that can be shown as a size."""

    def __format__(self, form: str) -> str:
        return size(self) if form == "size" else super().__format__(form)


def size(number: int) -> str:
    """A number of bytes in the largest unit of IEC 80000-13 that it fills: `20 MiB`, `1.5 KiB`."""
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if number >= 1024**power:
            return f"{number / 1024**power:.1f}".removesuffix(".0") + f" {unit}"
    return f"{number} B"
