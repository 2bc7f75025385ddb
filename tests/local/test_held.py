"""Programs that load while the database is prepared."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from service.local.programs import Program, ProgramChild

from .conftest import PATH, alive, eventually

HELD = """
from service.local.held import wait_to_begin
print("loaded", flush=True)
wait_to_begin()
print("begun", flush=True)
"""
GOES_ON = f"import os\nprint(os.getpid(), flush=True)\n{HELD}\nimport time; time.sleep(600)"


@pytest.fixture
def child(tmp_path):
    argv = (sys.executable, "-c", HELD)
    one = ProgramChild(
        Program("one", argv, {**os.environ, "PYTHONPATH": PATH}, held=True), tmp_path
    )
    yield one
    one.stop()


def lines(child: ProgramChild) -> list[str]:
    return child.log_file.read_text().splitlines()


def test_a_held_program_begins_when_it_is_released(child):
    child.start()
    assert eventually(lambda: lines(child) == ["loaded"])
    assert child.running
    child.release()
    assert eventually(lambda: not child.running)
    assert lines(child) == ["loaded", "begun"]


def test_one_that_was_released_is_held_no_more(child):
    child.start()
    child.release()
    assert eventually(lambda: not child.running)
    child.start()
    assert eventually(lambda: not child.running)
    assert lines(child) == ["loaded", "begun"] * 2


def test_one_that_died_while_it_was_held_begins_as_it_is_started_again(child):
    child.start()
    assert eventually(lambda: lines(child) == ["loaded"])
    child.send(signal.SIGKILL)
    assert eventually(lambda: not child.running)
    child.release()
    child.start()
    assert eventually(lambda: not child.running)
    assert lines(child) == ["loaded", "loaded", "begun"]


def test_one_that_is_left_alone_ends_without_having_begun(child):
    child.start()
    assert eventually(lambda: lines(child) == ["loaded"])
    child.tell(b"")
    assert eventually(lambda: not child.running)
    assert child.poll() == 1
    assert lines(child) == ["loaded", "the database was not prepared"]


def test_it_loads_while_the_database_is_prepared_and_begins_after(stand, var):
    log = var / "log"
    waits = (
        "import os, pathlib, time\n"
        f"while 'loaded' not in pathlib.Path({str(log / 'worker.log')!r}).read_text():\n"
        "    time.sleep(0.02)\n"
        f"print(pathlib.Path({str(log / 'worker.log')!r}).read_text().splitlines()[1:])"
    )
    stand(STAND_IN_HELD="worker", STAND_IN_WORKER=GOES_ON, STAND_IN_PREPARE=waits).ready()
    assert (log / "prepare.log").read_text().strip() == "['loaded']"
    assert eventually(lambda: (log / "worker.log").read_text().endswith("begun\n"))


def test_what_is_held_ends_where_the_preparation_fails(stand, var):
    log = var / "log/worker.log"
    fails = (
        "import pathlib, time\n"
        f"while 'loaded' not in pathlib.Path({str(log)!r}).read_text(): time.sleep(0.02)\n"
        "raise SystemExit('pack is broken')"
    )
    one = stand(STAND_IN_HELD="worker", STAND_IN_WORKER=GOES_ON, STAND_IN_PREPARE=fails)
    code, text = one.outcome()
    assert (code, "pack is broken" in text) == (1, True)
    pid, *rest = log.read_text().splitlines()
    assert rest == ["loaded"]
    assert not alive(int(pid))
