"""What the two READMEs tell a newcomer to type is typed, and comes to what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from tests.conftest import PASSWORD
from tests.packs import publish, whole_pack
from tests.written import commands, outputs

pytestmark = pytest.mark.slow

ELEVEN = {
    "README.md": "From nothing to a filed ticket",
    "README.zh-CN.md": "从零到提交一个联办件",
}
LOOK = {"README.md": "A look at the interface", "README.zh-CN.md": "看看接口"}
NUMBER = re.compile(r"LB\d{6}\d{8}\d+[0-9A-Z]")
README = pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])


@pytest.fixture(scope="module")
def served(app, database):
    """The service on a port of this machine; the requests it has answered, as they come."""
    publish(database, whole_pack())
    asked: list[str] = []
    app.after_request(lambda answer: asked.append(f"{answer.status_code}") or answer)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def typed(served, tmp_path, pinned_day):
    """Types a block in a folder that looks like the checkout of somebody who runs `make up`."""
    port, asked = served
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo-password").write_text(PASSWORD + "\n")
    (tmp_path / "bin").mkdir()
    date = tmp_path / "bin" / "date"
    date.write_text(f'#!/bin/sh\nexec /bin/date --date={pinned_day} "$@"\n')
    date.chmod(0o700)

    def typed(*blocks):
        asked.clear()
        text = "\n".join(blocks).replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        done = subprocess.run(
            ["/bin/bash", "-u", "-o", "pipefail", "-c", text],
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stderr == ""
        assert done.returncode == 0
        return done.stdout, list(asked)

    return typed


@README
def test_eleven_requests_lead_from_nothing_to_a_filed_ticket(typed, readme):
    (block,) = commands(readme, ELEVEN[readme])
    printed, asked = typed(block)
    assert len(asked) <= 11
    assert set(asked) <= {"200", "201"}
    lines = printed.splitlines()
    assert lines[0] == "True"
    assert NUMBER.fullmatch(lines[-2])
    (shown,) = outputs(readme, ELEVEN[readme])
    told = [NUMBER.sub("LB…", line) for line in shown.splitlines()]
    before, after = told.index("…"), len(told) - told.index("…") - 1
    come = [NUMBER.sub("LB…", line) for line in lines]
    assert [*come[:before], "…", *come[-after:]] == told


@README
def test_the_interface_is_as_it_is_shown(typed, readme):
    """A clerk sees what was filed; every block of the page runs, and shows what it says it does."""
    typed(*commands(readme, ELEVEN[readme]))
    eligibility, form, desk, wrong = commands(readme, LOOK[readme])
    printed, _ = typed(eligibility)
    assert printed == outputs(readme, LOOK[readme])[0]
    printed, _ = typed("API=http://127.0.0.1:8000/v1", form)
    assert "'applicant'" in printed
    printed, _ = typed("API=http://127.0.0.1:8000/v1", desk)
    assert '"offering":"housing_rent"' in printed
    printed, asked = typed("API=http://127.0.0.1:8000/v1", wrong)
    assert asked == ["422"]
    assert '"code":"unknown_field"' in printed


def test_both_readmes_tell_the_same_commands():
    def known(readme, heading):
        words = r'\["(zh|en)"\]|text (zh|en)|-H .Accept-Language: en. '
        return [re.sub(words, "", block) for block in commands(readme, heading[readme])]

    assert known("README.md", ELEVEN) == known("README.zh-CN.md", ELEVEN)
    assert known("README.md", LOOK) == known("README.zh-CN.md", LOOK)
