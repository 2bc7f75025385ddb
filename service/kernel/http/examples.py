"""Examples of the documents: requests and answers as they were recorded, not written by hand."""

from __future__ import annotations

from typing import Any, Final

import orjson

from service.kernel.settings import ROOT

FOLDER: Final = ROOT / "service" / "examples"


def recorded(name: str) -> Any:
    """What was recorded under a name; an empty object before it has been (`make spec`)."""
    file = FOLDER / f"{name}.json"
    return orjson.loads(file.read_bytes()) if file.exists() else {}
