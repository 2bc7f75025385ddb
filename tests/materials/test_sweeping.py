"""Contents that belong to no material are swept out by the worker's daily round."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from uuid import UUID

import pytest

from service import worker
from service.kernel import clock, storage
from service.kernel.ids import new_id
from service.materials import actions
from tests.materials.handing_in import FILE, delete, upload

pytestmark = pytest.mark.dated


@pytest.fixture
def aged(settings):
    """Makes a blob look as if it had been written long ago."""

    def one(blob, age=actions.ORPHANED_AFTER + timedelta(hours=1)):
        then = (clock.now() - age).timestamp()
        os.utime(settings.storage_dir / blob, (then, then))
        return blob

    return one


@pytest.fixture
def put(aged):
    """Writes a blob just now, by the clock of the tests."""

    def one(blob):
        storage.in_use().put(blob, io.BytesIO(b"content"))
        return aged(blob, timedelta(0))

    return one


def there(settings, blob):
    return (settings.storage_dir / blob).exists()


def test_what_no_material_has_goes_and_what_one_has_stays(database, settings, talent, aged, put):
    kept, erased = upload(talent), upload(talent)
    delete(talent, erased["id"])
    stays = aged(f"materials/demo/{kept['id']}")
    goes = [
        aged(put(f"materials/demo/{new_id()}")),
        aged(put("materials/demo/tmphalf_written")),
        aged(f"materials/demo/{erased['id']}"),
    ]
    young = [
        put(f"materials/demo/{new_id()}"),
        aged(put(f"materials/demo/{new_id()}"), actions.ORPHANED_AFTER - timedelta(hours=1)),
    ]
    elsewhere = aged(put(f"materials/nowhere/{new_id()}"))
    worker.keep_house(database)
    assert there(settings, stays)
    assert not [blob for blob in goes if there(settings, blob)]
    assert all(there(settings, blob) for blob in young), "an upload may be on its way"
    assert there(settings, elsewhere), "of a district that is not here"
    assert talent.get(f"/v1/materials/{kept['id']}/content").data == FILE


def test_a_material_of_another_district_keeps_no_content_here(
    database, settings, talent, aged, put, superuser
):
    """Names are per district; an id alone does not protect a blob."""
    kept = upload(talent)
    superuser.execute("INSERT INTO districts VALUES ('other', '{}', '{}') ON CONFLICT DO NOTHING")
    blob = aged(put(f"materials/other/{kept['id']}"))
    worker.keep_house(database)
    assert not there(settings, blob)
    assert there(settings, f"materials/demo/{kept['id']}")


def test_many_are_asked_for_in_batches(settings, aged, put, monkeypatch):
    monkeypatch.setattr(actions, "_BATCH", 10)
    asked = []
    blobs = [aged(put(f"materials/many/{new_id()}")) for _ in range(21)]
    ids = {UUID(blob.rpartition("/")[2]) for blob in blobs}
    spared = next(iter(ids))

    def kept(batch):
        asked.append(len(batch))
        return {spared}

    swept = actions.sweep_orphans(storage.in_use(), district="many", kept=kept, at=clock.now())
    assert swept == 20
    assert asked == [10, 10, 1]
    assert there(settings, f"materials/many/{spared}")


def test_a_storage_that_is_away_does_not_keep_the_others_from_their_work(database, monkeypatch):
    class Away:
        def names(self, folder, *, before):
            raise OSError

    monkeypatch.setattr(storage, "_storage", Away())
    worker.keep_house(database)


def test_an_empty_storage_is_swept_quickly(database):
    assert worker.sweep_orphans(database, "empty", at=clock.now()) == 0
