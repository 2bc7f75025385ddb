"""What can be wrong with a pack, in words for the person who writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.kernel.messages import Language, catalogue, say


@dataclass(frozen=True, order=True, slots=True)
class Words:
    """What a fault names, or says of it, in both languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, code: str, **params: Any) -> Words:
        """The words of a code of `messages.toml`; parameters may be `Words` themselves."""
        return cls(say(code, "zh", _in("zh", params)), say(code, "en", _in("en", params)))

    @classmethod
    def quoted(cls, text: object) -> Words:
        """What is the same in both: a code, a value, what a parser says in English."""
        return cls(str(text), str(text))

    def told(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def _in(language: Language, params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: one.told(language) if isinstance(one, Words) else one for name, one in params.items()
    }


@dataclass(frozen=True, order=True, slots=True)
class PackFault:
    """One fault, with the place to correct: `file` within the pack, `line` from 1, dotted `key`."""

    file: str
    line: int
    key: str
    code: str
    params: tuple[tuple[str, Words], ...] = ()

    def __str__(self) -> str:
        return self.told("en")

    def told(self, language: Language) -> str:
        """The fault as a line, as compilers write them."""
        words = say(f"{_PREFIX}{self.code}", language, _in(language, dict(self.params)))
        return f"{self.file}:{self.line}: {self.key or _WHOLE[language]}: {words}"


_WHOLE: Final[Mapping[Language, str]] = {"zh": "（整个文件）", "en": "(whole file)"}


class FaultyPack(Exception):
    """The pack cannot be published; `faults` has everything that is wrong, in reading order."""

    def __init__(self, faults: Iterable[PackFault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


_PREFIX: Final = "pack_"
CODES: Final = frozenset(
    code.removeprefix(_PREFIX)
    for code in catalogue()
    if code.startswith(_PREFIX) and not code.startswith("pack_hint_")
)
"""The codes of all faults; their words are in `messages.toml`, under `pack_<code>`.

Where a fault repeats what the parser of YAML or of expressions says, that is English.
"""
