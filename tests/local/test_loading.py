"""What a process loads, and what it does with the collector of garbage meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .conftest import ROOT

LOADED = """
import json, sys
{}
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
ASKS = "from service.cli import main\ntry: main({!r}.split())\nexcept SystemExit: pass"
SERVES = "import gc\nfrom service.kernel import loading\nloading.begin()\n{}"


def answer(program: str):
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(told.stdout.splitlines()[-1])


@pytest.mark.parametrize("asked", ["--help", "up --help", "pack --help", "worker --help"])
def test_help_loads_no_framework_and_no_database(asked):
    loaded = answer(LOADED.format(ASKS.format(asked)))
    assert "click" in loaded
    assert not {"flask", "sqlalchemy", "psycopg", "marshmallow", "alembic"} & set(loaded)


def test_the_supervisor_loads_no_framework():
    loaded = answer(LOADED.format("import service.local.up"))
    assert not {"flask", "sqlalchemy", "marshmallow", "alembic", "argon2"} & set(loaded)


@pytest.mark.parametrize("module", ["service.app", "service.worker"])
def test_no_terminal_libraries_are_loaded(module):
    assert not {"prompt_toolkit", "typer"} & set(answer(LOADED.format(f"import {module}")))


def test_nothing_is_collected_while_it_loads_and_all_that_is_loaded_is_passed_over():
    told = "import json, service.app\nduring = gc.isenabled()\nloading.end()\n"
    asks = "print(json.dumps([during, gc.isenabled(), len(gc.get_objects())]))"
    during, after, left = answer(SERVES.format(told + asks))
    assert (during, after) == (False, True)
    assert left < 1000
