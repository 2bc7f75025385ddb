"""`talent up --pack`: a district of one's own takes the place of the demonstration's."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from service.app import create_app
from service.catalogue.actions.files import load_pack
from service.cli import main
from service.kernel.settings import load
from service.local import up as local
from service.local.demonstration import PACK, demonstration_accounts, prepare
from service.local.environment import write_environment
from service.local.notice import Notice
from service.local.story import StoryBroken, tell
from tests.conftest import PASSWORD

STEERING = {"coordinator", "sysadmin", "secadmin", "auditor"}


@pytest.fixture
def folder(tmp_path):
    """The demonstration's pack, for a district that has no department `office`."""
    copied = shutil.copytree(PACK, tmp_path / "湖滨 新区")
    for path in copied.rglob("*.yaml"):
        text = path.read_text("utf-8").replace("district: demo", "district: hubin")
        text = text.replace('administrative_code: "350100"', 'administrative_code: "330100"')
        path.write_text(re.sub(r"\boffice\b", "talent_centre", text), "utf-8")
    return copied


def test_departments_and_roles_are_those_of_the_pack(folder):
    accounts = demonstration_accounts(load_pack(folder))
    departments = {one["department"] for one in accounts} - {None}
    assert "office" not in departments
    assert {f"{role}.talent_centre" for role in ("clerk", "reviewer", "head")} <= {
        one["username"] for one in accounts
    }
    steering = [one for one in accounts if one["username"] in STEERING]
    assert {one["department"] for one in steering} == {load_pack(folder).departments[0].code}


def test_its_people_sign_in_to_it_without_naming_it(folder, settings, database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", settings.database_owner_url)
    monkeypatch.setenv("TALENT_DEFAULT_DISTRICT", "hubin")
    prepare(load(), folder)
    app = create_app(load(), database)
    app.test_client_class = FlaskClient
    client = app.test_client()
    for username in ("clerk.talent_centre", "coordinator", "agent.1"):
        sent = {"username": username, "password": PASSWORD}
        answer = client.post("/v1/auth/password", json=sent)
        assert answer.status_code == 200, answer.json
        assert answer.json["account"]["district"] == "hubin"
    assert client.get("/v1/offerings").json["items"]
    prepare(load(), folder)


def test_a_pack_with_faults_is_named_before_anything_is_touched(folder, settings):
    (folder / "pack.yaml").write_text("district: hubin\n", "utf-8")
    with pytest.raises(SystemExit, match=r"has faults:\n.*pack\.yaml"):
        prepare(settings, folder)


@pytest.fixture
def asked(monkeypatch):
    """What `talent up` is asked to run; nothing is."""
    asked = {}
    monkeypatch.setattr(local, "up", lambda var, **options: asked.update(options, var=var) or 0)
    return asked


def test_the_command_hands_the_pack_and_its_district_on(folder, asked):
    answer = CliRunner().invoke(main, ["up", "--pack", str(folder)], catch_exceptions=False)
    assert answer.exit_code == 0
    assert asked["pack"] == local.OwnPack(folder.resolve(), "hubin")
    CliRunner().invoke(main, ["up"], catch_exceptions=False)
    assert asked["pack"] is None


def test_the_command_lists_the_faults_of_a_pack_and_starts_nothing(folder, asked):
    (folder / "pack.yaml").write_text("district: hubin\n", "utf-8")
    answer = CliRunner().invoke(main, ["up", "--pack", str(folder)], catch_exceptions=False)
    assert answer.exit_code == 1
    assert "pack.yaml" in answer.output
    assert asked == {}


def test_what_is_shown_reaches_the_programs(stand, var, folder):
    told = (
        "import json, os, pathlib\n"
        "names = ('TALENT_DEMO_PACK', 'TALENT_DEFAULT_DISTRICT')\n"
        "pathlib.Path(os.environ['TALENT_DEMO_ACCOUNTS_FILE']).write_text('[]')\n"
        "print(json.dumps({name: os.environ.get(name) for name in names}))\n"
    )
    one = stand(STAND_IN_PREPARE=told, STAND_IN_PACK=str(folder)).ready()
    one.end()
    said = json.loads((var / "log/prepare.log").read_text("utf-8"))
    assert said == {"TALENT_DEMO_PACK": str(folder), "TALENT_DEFAULT_DISTRICT": "hubin"}


def test_the_story_is_not_told_of_another_district(tmp_path):
    (tmp_path / "up.json").write_text("{}")
    write_environment(tmp_path / "environment.json", {"TALENT_DEMO_PACK": "/somewhere"})
    with pytest.raises(StoryBroken, match="without PACK"):
        tell(tmp_path, language="en", say=print)


def test_who_may_do_nothing_is_said_to():
    accounts = demonstration_accounts(load_pack(PACK))
    text = Notice("http://127.0.0.1:1", {}, accounts, "p", {}).for_people()
    idle = {line.split()[0] for line in text.splitlines() if "no operations yet" in line}
    assert idle == STEERING
    for line in text.splitlines():
        assert len(line) <= 100
    assert "demo:王小明" in text


def test_installing_is_said_to_take_minutes():
    makefile = Path(PACK).parents[2].joinpath("Makefile").read_text("utf-8")
    said = makefile.index("this takes some minutes")
    assert makefile.index("$(STAMP): ") < said < makefile.index("-m venv --clear")
