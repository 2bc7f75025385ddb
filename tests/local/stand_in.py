"""`talent up` with small programs in the place of the service: python stand_in.py VAR PORT.

STAND_IN_<NAME> in the environment replaces the source of a program, STAND_IN_HELD names those that
load while it prepares; STAND_IN_PACK is the folder of a pack of the district hubin;
STAND_IN_NO_UNSHARE takes away root's first way of running PostgreSQL.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from service.local import accounts
from service.local.programs import Program, Programs
from service.local.supervisor import RestartPolicy
from service.local.up import OwnPack, up

PREPARE = """
import json, os, pathlib
account = {"username": "clerk.housing", "kind": "staff", "department": "housing"}
account["roles"] = ["clerk"]
path = pathlib.Path(os.environ["TALENT_DEMO_ACCOUNTS_FILE"])
path.write_text(json.dumps([account]))
"""

WEB = """
import http.server, os, subprocess, sys
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("grandchild", grandchild.pid, flush=True)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
import signal
def end(number, frame):
    grandchild.kill()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGQUIT, end)
http.server.HTTPServer(("127.0.0.1", int(os.environ["TALENT_HTTP_PORT"])), Answer).serve_forever()
"""

WORKER = "import time; time.sleep(600)"


def programs(env: Mapping[str, str]) -> Programs:
    def program(name: str, source: str, orphan: signal.Signals = signal.SIGKILL) -> Program:
        source = os.environ.get(f"STAND_IN_{name.upper()}", source)
        held = name in os.environ.get("STAND_IN_HELD", "").split()
        return Program(name, (sys.executable, "-c", source), env, orphan, held)

    return Programs(
        program("prepare", PREPARE),
        program("web", WEB, signal.SIGQUIT),
        program("worker", WORKER),
    )


if __name__ == "__main__":
    # As a terminal has it; the tests may run under nohup, which `up` would respect.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if "STAND_IN_NO_UNSHARE" in os.environ:
        accounts.UNSHARE = ("false",)
    policy = RestartPolicy(pause=0.05)
    own = os.environ.get("STAND_IN_PACK")
    sys.exit(
        up(
            Path(sys.argv[1]),
            http_port=int(sys.argv[2]),
            pack=None if own is None else OwnPack(Path(own), "hubin"),
            programs=programs,
            policy=policy,
        )
    )
