"""What a talent sees of their documents: lists, single ones, contents, and how one is erased."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from service.kernel import clock, storage
from service.kernel.db import Scope
from service.kernel.deliveries import deliver
from service.kernel.errors import NotFound
from service.kernel.ids import new_id
from service.materials import actions, queries
from service.materials.rules import blob_of
from tests.facts.issuing import DISTRICT, ELSEWHERE
from tests.facts.issuing import talent as as_talent
from tests.materials.files import GOOD, pdf
from tests.materials.handing_in import FILE, delete, send, upload
from tests.scopes import scope_of_person


def listed(who, **query):
    return who.get("/v1/materials", query_string=query)


def codes(answer):
    return [material["code"] for material in answer.json["items"]]


# --- lists


def test_the_newest_come_first_each_as_it_was_told_at_once(talent):
    sent = [upload(talent, code=code) for code in ("id_card", "cv", "id_card")]
    assert listed(talent).json == {"items": sent[::-1], "next": None}
    for one in sent:
        assert talent.get(f"/v1/materials/{one['id']}").json == one


def test_pages_follow_each_other_without_a_gap(talent):
    ids = [upload(talent)["id"] for _ in range(5)]
    page = listed(talent, limit=2)
    seen = page.json["items"]
    while page.json["next"] is not None:
        assert 'rel="next"' in page.headers["Link"]
        page = listed(talent, limit=2, after=page.json["next"])
        seen += page.json["items"]
    assert [material["id"] for material in seen] == ids[::-1]


def test_a_list_of_one_code(talent):
    for code in ("cv", "id_card", "cv", "id_card", "cv"):
        upload(talent, code=code)
    page = listed(talent, code="cv", limit=2)
    assert codes(page) == ["cv", "cv"]
    assert "code=cv" in page.headers["Link"]
    rest = listed(talent, code="cv", limit=2, after=page.json["next"])
    assert codes(rest) == ["cv"]
    assert rest.json["next"] is None
    assert codes(listed(talent, code="unheard_of")) == []
    for query in ({}, {"code": "id_card"}):
        answer = listed(talent, after=page.json["next"], **query)
        assert answer.json["errors"][0]["code"] == "cursor_invalid"


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"after": "x"}, {"code": "A"}, {"person": "x"}]
)
def test_what_is_no_page_is_refused(talent, query):
    assert listed(talent, **query).status_code == 422


@pytest.mark.parametrize("number", [0, 1, 28])
def test_a_page_costs_the_same_whatever_is_on_it(talent, sql_count, number):
    for _ in range(number):
        upload(talent)
    with sql_count() as sent:
        answer = listed(talent)
    assert len(answer.json["items"]) == min(number, 25)
    assert sent.total == 3 + bool(number)  # for the key, where there is something to open


# --- contents


@pytest.mark.parametrize("ending", sorted(GOOD))
def test_a_content_comes_back_to_be_kept(talent, ending):
    told = upload(talent, file=GOOD[ending], name=f"我的 证书.{ending}")
    answer = talent.get(f"/v1/materials/{told['id']}/content")
    assert answer.status_code == 200
    assert answer.data == GOOD[ending]
    headers = answer.headers
    assert headers["Content-Type"] == told["media_type"]
    assert headers["Content-Length"] == str(told["size"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    plain, encoded = f"file.{ending}", f"%E6%88%91%E7%9A%84%20%E8%AF%81%E4%B9%A6.{ending}"
    [disposition] = headers.getlist("Content-Disposition")
    assert disposition == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


@pytest.mark.parametrize(
    "name",
    [
        "a\r\nSet-Cookie: stolen=1\r\n\r\n<script>.pdf",
        'a"; filename=evil.html; x=".pdf',
        "../../etc/passwd.pdf",
        "a\u202efdp.exe.pdf",
        "'%0d%0aX: y.pdf",
    ],
)
def test_no_name_gets_out_of_its_header(talent, name):
    told = upload(talent, name=name)
    answer = talent.get(f"/v1/materials/{told['id']}/content")
    assert answer.data == FILE
    assert "Set-Cookie" not in answer.headers
    [disposition] = answer.headers.getlist("Content-Disposition")
    begin = "attachment; filename=\"file.pdf\"; filename*=UTF-8''"
    assert disposition.startswith(begin)
    rest = disposition.removeprefix(begin)
    assert set(rest) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%"
    ), rest
    for path in ("..", "/", "\\", "%2F", "%5C", "%0D", "%0A", "%E2%80%AE"):
        assert path not in rest


def test_a_head_request_leaves_no_file_open(talent):
    told = upload(talent)
    path = f"/v1/materials/{told['id']}/content"
    with talent.client.head(path, headers=talent.headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Length"] == str(len(FILE))
        assert not answer.data


def test_a_content_is_sent_in_pieces_and_without_a_connection(talent, database):
    large = pdf(middle=b"% " + b"x" * 300_000 + b"\n")
    told = upload(talent, file=large)
    answer = talent.get(f"/v1/materials/{told['id']}/content", buffered=False)
    pieces = iter(answer.response)
    assert len(next(pieces)) < len(large)
    assert database.engine.pool.checkedout() == 0
    answer.close()


def test_a_content_that_the_storage_has_lost_is_a_matter_of_time(talent):
    told = upload(talent)
    storage.in_use().delete(f"materials/demo/{told['id']}")
    answer = talent.get(f"/v1/materials/{told['id']}/content")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert talent.get(f"/v1/materials/{told['id']}").status_code == 200


def test_reading_costs_the_same_with_and_without_the_content(talent, sql_count):
    told = upload(talent)
    for path in ("", "/content"):
        with sql_count() as sent:
            assert talent.get(f"/v1/materials/{told['id']}{path}", buffered=True).data
        assert sent.total == 4  # one of them reads a key


# --- erasing


@pytest.fixture
def delivered(database, superuser):
    """Has the worker deliver what happened to a material."""

    def run(material_id):
        rows = superuser.execute(
            "SELECT id FROM events WHERE data->>'material' = %s", (material_id,)
        )
        deliver(database, district=DISTRICT, events=[str(row[0]) for row in rows])

    return run


def test_an_erased_document_is_gone_at_once_and_its_content_soon(
    talent, blobs, delivered, superuser
):
    kept, told = upload(talent), upload(talent)
    before = blobs()
    delivered(told["id"])
    assert blobs() == before, "keeping one deletes nothing"
    with_key = {"Idempotency-Key": uuid4().hex}
    answer = delete(talent, told["id"])
    assert (answer.status_code, answer.data) == (204, b"")
    assert listed(talent).json["items"] == [kept]
    for path in ("", "/content"):
        assert talent.get(f"/v1/materials/{told['id']}{path}").status_code == 404
    assert delete(talent, told["id"]).status_code == 404
    assert len(blobs()) == len(before), "not before the commit is known to have happened"
    delivered(told["id"])
    delivered(told["id"])
    assert {path.name for path in before - blobs()} == {told["id"]}
    row = superuser.execute(
        "SELECT erased_at >= uploaded_at, size FROM materials WHERE id = %s", (told["id"],)
    )
    assert row.fetchone() == (True, told["size"])
    kinds = superuser.execute(
        "SELECT kind FROM events WHERE data->>'material' = %s ORDER BY id", (told["id"],)
    )
    assert [kind for (kind,) in kinds] == ["material_kept", "material_erased"]
    assert send(talent, headers=with_key).status_code == 201


def test_a_document_is_not_erased_before_it_was_kept(talent, superuser):
    """Kept by a machine whose clock is ahead: the later moment counts."""
    told = upload(talent)
    superuser.execute(
        "UPDATE materials SET uploaded_at = uploaded_at + interval '9 minutes' WHERE id = %s",
        (told["id"],),
    )
    assert delete(talent, told["id"]).status_code == 204
    row = superuser.execute(
        "SELECT erased_at = uploaded_at FROM materials WHERE id = %s", (told["id"],)
    )
    assert row.fetchone() == (True,)


def test_erasing_costs_little(talent, sql_count):
    told = upload(talent)
    with sql_count() as sent:
        assert delete(talent, told["id"]).status_code == 204
    assert sent.total == 8  # one of them reads a key


# --- who else


def test_another_talents_document_is_not_there(world, talent):
    told = upload(talent)
    other = world.stranger()
    absent = uuid4()
    assert listed(other).json["items"] == []
    for path in ("", "/content"):
        foreign = other.get(f"/v1/materials/{told['id']}{path}")
        nobodys = other.get(f"/v1/materials/{absent}{path}")
        assert foreign.status_code == nobodys.status_code == 404
        assert {**foreign.json, "request_id": ""} == {**nobodys.json, "request_id": ""}
    assert delete(other, told["id"]).status_code == 404
    assert talent.get(f"/v1/materials/{told['id']}/content").data == FILE
    cursor = (upload(talent), listed(talent, limit=1).json["next"])[1]
    assert listed(other, after=cursor).status_code == 422


def test_staff_have_no_way_here(client, world, talent):
    told = upload(talent)
    paths = ("/v1/materials", f"/v1/materials/{told['id']}", f"/v1/materials/{told['id']}/content")
    for path in paths:
        assert client.get(path).status_code == 401
    assert client.delete(paths[1]).status_code == 401
    for name in ("clerk.public_security", "head.public_security", "secadmin", "auditor"):
        staff = world.staff(name)
        for path in paths:
            assert staff.get(path).status_code == 403
        assert delete(staff, told["id"]).status_code == 403


def test_a_document_stays_in_its_district(database, talent, actor_of):
    told, person = upload(talent), actor_of(talent).person
    there = as_talent(person, district=ELSEWHERE)
    with database.transaction(scope_of_person(ELSEWHERE, person)) as session:
        assert queries.materials_for(session, there, before=None, limit=25) == []
        for lock in (False, True):
            with pytest.raises(NotFound):
                queries.material_for(session, there, told["id"], lock=lock)
        with pytest.raises(NotFound):
            actions.erase_material(session, there, material_id=told["id"], at=clock.now())
        ids = [UUID(told["id"])]
        assert queries.handed_in(session, there, ids=ids, person=person) == {}
        assert queries.materials_allowed(session, there, ids=ids) == {}


# --- for other slices


def test_what_a_filing_may_refer_to(database, world, talent, actor_of, sql_count):
    mine, other = [upload(talent) for _ in range(3)], world.stranger()
    foreign = upload(other)
    delete(talent, mine[2]["id"])
    actor = actor_of(talent)
    ids = [*(UUID(one["id"]) for one in (*mine, foreign)), new_id()]
    with database.transaction(scope_of_person(DISTRICT, actor.person)) as session:
        with sql_count() as sent:
            found = queries.handed_in(session, actor, ids=ids, person=actor.person)
        assert sent.total == 1
        with sql_count() as sent:
            assert queries.handed_in(session, actor, ids=[], person=actor.person) == {}
        assert sent.total == 0
    assert {str(one) for one in found} == {one["id"] for one in mine[:2]}
    assert {(one.code, one.media_type.ending) for one in found.values()} == {("id_card", "pdf")}


def test_what_a_task_allows_is_shown_to_staff(database, world, talent, actor_of, delivered):
    kept, gone = upload(talent), upload(talent)
    delete(talent, gone["id"])
    delivered(gone["id"])
    clerk = actor_of(world.staff("clerk.public_security"))
    with database.transaction(Scope.system(DISTRICT)) as session:
        found = queries.materials_allowed(
            session, clerk, ids=[UUID(kept["id"]), UUID(gone["id"]), new_id()]
        )
        assert queries.materials_allowed(session, clerk, ids=[]) == {}
    assert len(found) == 2
    by_id = {str(key): value for key, value in found.items()}
    assert b"".join(queries.open_material(storage.in_use(), by_id[kept["id"]])) == FILE
    assert by_id[kept["id"]].blob == blob_of(DISTRICT, kept["id"])
    with pytest.raises(NotFound):
        queries.open_material(storage.in_use(), by_id[gone["id"]])
