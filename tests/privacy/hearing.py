"""Every answer that somebody gets, with the canaries that are in it and those that are to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.privacy.canaries import Canaries

_HEADERS = ("Content-Disposition", "Location", "Link", "ETag")
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Heard:
    """An answer to somebody. The talent may hear anything that is theirs: `named` is None."""

    who: str
    asked: str
    status: int
    found: frozenset[str]
    named: frozenset[str] | None

    @property
    def wrong(self) -> str:
        """What is too much in it, and what is missing; empty where it is as it is to be."""
        if self.named is None:
            return ""
        faults = [f"+ {one}" for one in sorted(self.found - self.named)]
        faults += [f"- {one}" for one in sorted(self.named - self.found)]
        return f"{self.who}: {self.asked}: {self.status} {faults}" if faults else ""


class Ear:
    """Listens to everybody."""

    def __init__(self, canaries: Canaries) -> None:
        self.canaries = canaries
        self.heard: list[Heard] = []

    def ask(
        self,
        who: str,
        signed: Any,
        method: str,
        path: str,
        *,
        named: set[str] | frozenset[str] | None = NOTHING,
        **sent: Any,
    ) -> Any:
        """One request; `named` is what has to be in the answer, and nothing else may be."""
        answer = getattr(signed, method)(path, **sent)
        head = " ".join(unquote(answer.headers.get(name, "")) for name in _HEADERS)
        found = self.canaries.found_in(f"{head} {answer.get_data().decode(errors='replace')}")
        expected = None if named is None else frozenset(named)
        asked = f"{method.upper()} {path}"
        self.heard.append(Heard(who, asked, answer.status_code, frozenset(found), expected))
        return answer
