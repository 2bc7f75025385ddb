"""The settings of the service that runs here, for other commands that are to speak with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from service.local.private import write_private

_OURS: Final = ("DATABASE_", "REDIS_", "TALENT_")


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Keep the variables that are the service's own, for nobody but this user to read."""
    ours = {name: value for name, value in environment.items() if name.startswith(_OURS)}
    write_private(path, json.dumps(ours, indent=2) + "\n")


def read_environment(var: Path) -> dict[str, str]:
    """What `up` wrote in its folder; nothing where it does not run."""
    try:
        found: dict[str, str] = json.loads((var / "environment.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found
