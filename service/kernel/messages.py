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

    A parameter that is a text in both languages is said in the one asked for.
    """
    return catalogue()[code][language].format_map(said_in(language, params or {}))


def said_in(language: Language, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a message, those that are texts in both languages in one of them."""
    return {
        name: value[language] if isinstance(value, Mapping) and language in value else value
        for name, value in params.items()
    }
