"""What the pages tell people to type, for tests that type it."""

from __future__ import annotations

import re
from pathlib import Path

from service.kernel.settings import ROOT

_FENCE = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def commands(page: str, heading: str) -> list[str]:
    """The blocks to type (```sh) below a heading of a page, up to the next heading, in order."""
    text = Path(ROOT / page).read_text(encoding="utf-8")
    parts = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return _FENCE.findall(found[heading])
