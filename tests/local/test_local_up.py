"""The supervisor behind `talent up`, with programs that cost nothing."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from .conftest import PATH, alive, eventually

NOBODY = 65534
TELLS_AND_WAITS = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


def all_gone(pids: list[int]) -> bool:
    return eventually(lambda: not any(alive(pid) for pid in pids))


def test_tells_what_runs_and_stops_without_a_trace(stand, var):
    one = stand().ready()
    notice, everyone = one.notice, one.everyone
    assert notice["base_url"] == f"http://127.0.0.1:{one.port}"
    assert notice["docs"]["desk"] == f"http://127.0.0.1:{one.port}/docs/desk"
    assert [account["username"] for account in notice["accounts"]] == ["clerk.housing"]
    assert set(notice["pids"]) == {"web", "worker", "supervisor"}
    password = Path(notice["password_file"])
    for secret in (var / "up.json", password, var / "log/web.log"):
        assert secret.stat().st_mode & 0o777 == 0o600

    code, text = one.end(signal.SIGINT)

    assert code == 0
    assert notice["base_url"] in text
    assert "clerk.housing" in text
    assert "demo:<name>" in text
    assert password.read_text().strip() not in text
    assert all_gone(everyone)
    assert not (var / "up.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_stops_on_other_signals(stand, number):
    one = stand().ready()
    everyone = one.everyone
    assert one.end(number)[0] == 0
    assert all_gone(everyone)


def test_what_dies_is_started_again(stand):
    one = stand().ready()
    before, everyone = one.pids, one.everyone
    for name in ("web", "worker"):
        os.kill(before[name], signal.SIGKILL)
    again = ("web", "worker")
    assert eventually(lambda: all(one.pids.get(name, 0) not in (0, before[name]) for name in again))
    one.ready()
    assert all_gone([pid for pid in everyone if pid != one.pids["supervisor"]])
    code, text = one.end()
    assert code == 0
    assert "web was killed by SIGKILL" in text


def test_what_keeps_dying_is_started_ever_more_slowly_and_stops_nothing_else(stand, var):
    dies_later = (
        "import pathlib, time\n"
        f"counted = pathlib.Path({str(var / 'deaths')!r})\n"
        "while not counted.with_name('up.json').exists(): time.sleep(0.02)\n"
        "counted.open('a').write('.')\n"
        "raise SystemExit('no such queue')"
    )
    one = stand(STAND_IN_WORKER=dies_later).ready()
    web, everyone = one.pids["web"], one.everyone
    deaths = var / "deaths"
    assert eventually(lambda: deaths.exists() and len(deaths.read_text()) >= 6)
    assert alive(web)
    assert one.pids["web"] == web
    code, text = one.end()
    assert code == 0
    assert "no such queue" in text
    said = re.findall(r"worker keeps dying\. It is started again in ([0-9.]+) seconds", text)
    pauses = [float(pause) for pause in said]
    assert pauses[:2] == [0.4, 0.8]
    assert all_gone(everyone)


def test_gives_up_where_it_never_comes_up(stand, var):
    one = stand(STAND_IN_WEB="raise SystemExit('no such setting')")
    code, text = one.outcome()
    assert code == 1
    assert "no such setting" in text
    assert "web keeps dying, so everything is stopped" in text
    assert not (var / "up.json").exists()


def test_a_failed_preparation_is_shown(stand, var):
    code, text = stand(STAND_IN_PREPARE="raise SystemExit('pack is broken')").outcome()
    assert code == 1
    assert "pack is broken" in text
    assert not (var / "log/web.log").exists()


def test_ctrl_c_while_preparing(stand, var):
    one = stand(STAND_IN_PREPARE=TELLS_AND_WAITS)
    log = var / "log/prepare.log"
    assert eventually(lambda: log.exists() and log.read_text().strip())
    assert one.end(signal.SIGINT)[0] == 0
    assert all_gone([int(log.read_text())])


def test_a_second_ctrl_c_hurries(stand, var):
    """Without it, what does not listen to SIGTERM is given twenty seconds."""
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, lambda *_: 0)\n"
        "print('stubborn', flush=True)\nwhile 1: time.sleep(9)"
    )
    one = stand(STAND_IN_WORKER=stubborn).ready()
    everyone = one.everyone
    assert eventually(lambda: "stubborn" in (var / "log/worker.log").read_text())
    web = one.pids["web"]
    one.popen.send_signal(signal.SIGINT)
    assert eventually(lambda: not alive(web)), "the first has been heard"
    time.sleep(0.8)  # sooner it would be an echo of the first
    assert one.popen.poll() is None
    begun = time.monotonic()
    assert one.end(signal.SIGINT)[0] == 0
    assert time.monotonic() - begun < 15
    assert all_gone(everyone)


def test_a_second_one_is_refused(stand):
    one = stand().ready()
    code, text = stand().outcome()
    assert code == 2
    assert text.strip().count("\n") == 0
    assert f"already running at http://127.0.0.1:{one.port}" in text
    assert one.end()[0] == 0


def test_a_taken_port_is_named(stand, var):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = stand(port=port).outcome()
    assert code == 2
    assert f"Port {port}" in text
    assert not list((var / "log").iterdir())


@pytest.mark.parametrize("env", [{"port": 70_000}, {"TALENT_ENV": "production"}])
def test_nonsense_is_refused(stand, env):
    code, text = stand(**env).outcome()
    assert code == 2
    assert "TALENT_" in text


def test_a_killed_supervisor_takes_all_along(stand, var):
    one = stand().ready()
    everyone = one.everyone
    one.end(signal.SIGKILL)
    assert (var / "up.json").exists()
    two = stand(port=one.port).ready()
    assert all_gone(everyone)
    assert two.end()[0] == 0
    assert not (var / "up.json").exists()


def test_logs_are_fresh_and_the_former_are_kept(stand, var):
    for word in ("first", "second"):
        one = stand(STAND_IN_WORKER=f"print('{word}', flush=True)\nimport time; time.sleep(99)")
        log = var / "log/worker.log"
        assert eventually(lambda word=word, log=log: log.exists() and word in log.read_text())
        one.ready().end()
    assert (var / "log/worker.log").read_text() == "second\n"
    assert (var / "log/worker.log.1").read_text() == "first\n"


class TestWithServers:
    def test_whole_life(self, stand):
        """Killed servers come back on their ports, a killed supervisor leaves nothing."""
        tells = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'], flush=True)"
        one = stand(servers=True, STAND_IN_WORKER=f"{tells}\nimport time; time.sleep(99)").ready()
        before, everyone = one.pids, one.everyone
        assert set(before) == {"postgres", "valkey", "web", "worker", "supervisor"}
        assert eventually((one.var / "log/worker.log").read_text)
        database_url, redis_url = (one.var / "log/worker.log").read_text().split()
        for name in ("postgres", "valkey"):
            os.kill(before[name], signal.SIGKILL)
        servers = ("postgres", "valkey")
        assert eventually(
            lambda: all(one.pids.get(name, 0) not in (0, before[name]) for name in servers)
        )
        with psycopg.connect(database_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("talent_app",)
        port = int(redis_url.rpartition(":")[2].partition("/")[0])
        socket.create_connection(("127.0.0.1", port)).close()
        everyone += one.everyone
        one.end(signal.SIGKILL)
        two = stand(servers=True).ready()
        assert all_gone(everyone)
        everyone = two.everyone
        assert two.end(signal.SIGINT)[0] == 0
        assert all_gone(everyone)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    @pytest.mark.parametrize("user", [NOBODY, None], ids=["as nobody", "as root without unshare"])
    def test_other_users(self, stand, user):
        python = sys.executable if user is None else reachable_python()
        with tempfile.TemporaryDirectory() as place:
            var = Path(place, "目录 var")
            var.mkdir()
            (var / "keys.json").write_text("{}")
            Path(place).chmod(0o755)
            if user is not None:
                for path in (place, var, var / "keys.json"):
                    os.chown(path, user, user)
            for _ in range(2):
                settings = {"user": user, "python": python, "STAND_IN_NO_UNSHARE": "1"}
                one = stand(servers=True, where=var, **settings).ready()
                everyone = one.everyone
                assert Path(f"/proc/{one.pids['postgres']}").stat().st_uid == NOBODY
                one.end(signal.SIGKILL)
                assert all_gone(everyone)


def reachable_python() -> str:
    """A Python that can do what ours can, for a user who may not enter our home."""
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{ours}", f"/usr/local/bin/{ours}"):
        command = [python, "-c", "import psycopg, service.local.up"]
        with contextlib.suppress(OSError):
            env = {"PYTHONPATH": PATH}
            if subprocess.run(command, user=NOBODY, env=env, check=False).returncode == 0:
                return python
    pytest.skip("nobody can reach no Python here that has what we need")
