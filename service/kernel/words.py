"""What the values of enumerations mean: one place, for the documents and for clients."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).resolve().parents[1] / "words.toml"

Words = Mapping[str, Mapping[str, str]]
"""By value, what it means in `zh` and `en`."""


@cache
def vocabulary() -> Mapping[str, Words]:
    """Every enumeration that clients meet, by its name."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def name_of(enum: type[StrEnum]) -> str:
    """The name of an enumeration in `words.toml`: that of its class, in snake case."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.__name__).lower()
