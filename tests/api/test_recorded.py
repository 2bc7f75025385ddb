"""The examples of the documents are what the application answers; `make spec` records them anew."""

from __future__ import annotations

import os

import pytest

from service.kernel import clock
from service.kernel.http.examples import FOLDER
from tests.api.recording import Clock, record
from tests.conftest import PASSWORD
from tests.packs import publish, whole_pack
from tests.wall_clock import DAY, morning


@pytest.fixture(scope="module")
def recorded(app, database, pinned_day):
    """What is recorded on the day that every recording is of."""
    if pinned_day != DAY:
        pytest.skip("examples are recorded on one day")
    publish(database, whole_pack())
    standing = Clock(morning(DAY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", standing.now)
        return record(app, PASSWORD, standing)


def test_examples_are_as_recorded(recorded):
    if os.environ.get("RECORD"):
        for name, text in recorded.items():
            (FOLDER / f"{name}.json").write_text(text, "utf-8")
    assert {file.stem for file in FOLDER.glob("*.json")} == set(recorded)
    for name, text in recorded.items():
        assert (FOLDER / f"{name}.json").read_text("utf-8") == text, name
