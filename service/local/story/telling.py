"""Saying a story in one language, sentence by sentence, and only what is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from service.kernel.messages import Language


class StoryBroken(Exception):
    """Something did not come as the story has it."""


class Teller:
    """Says chapters and sentences; counts them."""

    def __init__(self, language: Language, say: Callable[[str], Any]) -> None:
        self.language, self._say = language, say
        self.sentences = 0
        self._chapter = 0

    def chapter(self, zh: str, en: str) -> None:
        self._chapter += 1
        self._say(f"\n{self._chapter}. {self._in(zh, en)}")

    def tell(self, zh: str, en: str, *, true: bool = True, found: Any = None) -> None:
        """Say a sentence; raises `StoryBroken` where it is not true."""
        if not true:
            raise StoryBroken(f"{self._in(zh, en)}  ✗  {found!r}")
        self.sentences += 1
        self._say(f"   {self._in(zh, en)}")

    def quote(self, text: str) -> None:
        """Something that the service itself said."""
        self._say(f"     · {text}")

    def _in(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en


def expect(condition: object, what: object) -> None:
    """Raises `StoryBroken` where something that is not told did not come true either."""
    if not condition:
        raise StoryBroken(str(what))
