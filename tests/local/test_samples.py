"""What `talent sample` makes is taken by the service."""

from __future__ import annotations

import io
from datetime import date

import pytest
from click.testing import CliRunner

from service.cli import main
from tests.packs import publish, whole_pack


def run(*words):
    return CliRunner().invoke(main, ["sample", *words], catch_exceptions=False)


def test_a_number_is_right_and_another_one_each_time(world):
    numbers = {run("id").output.strip() for _ in range(3)}
    assert len(numbers) == 3
    for number in numbers:
        talent = world.stranger()
        profile = {"name": "王芳", "id_type": "citizen_id", "id_number": number}
        assert talent.patch("/v1/me", json=profile).status_code == 200


@pytest.mark.parametrize("born", [date(1990, 3, 7), date(2019, 6, 1), date(987, 6, 1)])
def test_the_date_of_birth_can_be_chosen(born):
    number = run("id", "--born", f"{born}").output.strip()
    assert number[6:14] == born.isoformat().replace("-", "")


def test_a_date_that_there_is_not_is_refused():
    assert run("id", "--born", "2019-02-30").exit_code == 2


def test_a_document_is_taken_and_a_file_never_overwritten(world, database, tmp_path):
    publish(database, whole_pack())
    file = tmp_path / "sample.pdf"
    assert run("pdf", str(file)).exit_code == 0
    sent = {"code": "id_card", "file": (io.BytesIO(file.read_bytes()), "sample.pdf")}
    assert world.talent().post("/v1/materials", data=sent).status_code == 201
    file.write_text("mine")
    assert run("pdf", str(file)).exit_code == 1
    assert file.read_text() == "mine"
