"""What the pages tell people to type, and show as the answer, for tests that type it."""

from __future__ import annotations

import re

from service.kernel.settings import ROOT

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def commands(page: str, heading: str) -> list[str]:
    """The blocks to type (```sh) below a heading of a page, up to the next heading, in order."""
    return [text for kind, text in _blocks(page, heading) if kind == "sh"]


def outputs(page: str, heading: str) -> list[str]:
    """The blocks below a heading that are no commands: what comes of them."""
    return [text for kind, text in _blocks(page, heading) if not kind]


def _blocks(page: str, heading: str) -> list[tuple[str, str]]:
    parts = re.split(r"^##+ (.*)$", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return _FENCE.findall(found[heading])
