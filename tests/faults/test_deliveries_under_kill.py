"""Workers are killed and cut off while a subscriber fails with everything: nobody else notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from service.kernel import subscriptions
from service.kernel.settings import ROOT
from service.subscribers import SUBSCRIPTIONS
from tests.conftest import url_of
from tests.faults.poisoned_worker import COUNTED, POISONED
from tests.local.conftest import eventually

pytestmark = pytest.mark.slow

KILLS, TICKETS, PATIENCE = 6, 5, 120
_HANDLED = "SELECT count(*) FROM handled_events"
_COUNTED = "SELECT count(*), count(DISTINCT subject) FROM audit_log WHERE action = %s"
_TOLD = """
SELECT count(*) FROM events event
LEFT JOIN notices notice ON notice.event_id = event.id
WHERE event.kind = 'ticket_filed' AND notice.id IS NULL
"""
_DEAD = (
    "SELECT subscriber, tries, count(*) FROM dead_deliveries GROUP BY subscriber, tries ORDER BY 1"
)
_LEFT = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'deliver'"
_NO_WAITING = "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'"
_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'poisoned'
"""


class Worker:
    """The process that runs at present; another takes its place when it has died."""

    def __init__(self, log):
        self._log = log
        self._start()

    def _start(self):
        program = [sys.executable, "-m", "tests.faults.poisoned_worker"]
        environment = {**os.environ, "PGAPPNAME": "poisoned"}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(program, cwd=ROOT, env=environment, stderr=log)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._start()

    def keep(self):
        """Start another where it has ended by itself."""
        if self.process.poll() is not None:
            self._start()

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def poisoned():
    subscriptions.use(POISONED)
    yield
    subscriptions.use(SUBSCRIPTIONS)


@pytest.fixture
def working(settings, database, poisoned, tmp_path):
    worker = Worker(tmp_path / "worker.log")
    yield worker
    worker.stop()


def test_killed_and_cut_off_nothing_is_lost_and_nothing_done_twice(working, world, superuser):
    """Every filing is counted once and told of once; what fails ends as dead, and is known."""

    def one(query, *arguments):
        return superuser.execute(query, arguments).fetchone()

    for number in range(KILLS):
        for _ in range(TICKETS):
            world.ticket()
        before = one(_HANDLED)

        def is_at_work(before=before):
            working.keep()
            return one(_HANDLED) > before

        assert eventually(is_at_work, PATIENCE)
        if number % 2:
            superuser.execute(_CUT)
        else:
            working.kill()

    def is_done():
        working.keep()
        superuser.execute(_NO_WAITING)
        time.sleep(0.5)
        return one(_LEFT) == (0,)

    assert eventually(is_done, PATIENCE)
    filed = KILLS * TICKETS
    assert one(_COUNTED, COUNTED) == (filed, filed)
    assert one(_TOLD) == (0,)
    assert superuser.execute(_DEAD).fetchall() == [
        ("always_fails", 2, filed),
        ("fails_in_batches", 2, filed),
    ]
