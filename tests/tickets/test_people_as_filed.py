"""Who a ticket is for stays as they filed it: the desk is not shown what a profile became later."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from service.identity.people.models import Person
from service.kernel import clock, person_keys, rotation
from service.kernel.db import Scope
from service.kernel.sealed import seal
from tests.materials.handing_in import upload
from tests.packs import demo_pack, publish, whole_pack
from tests.papers import with_documents


@pytest.fixture
def keys_database(settings, database):
    database = rotation.connect_for_keys(settings)
    yield database
    database.dispose()


@pytest.fixture
def talent(world):
    return world.talent("张伟")


@pytest.fixture
def shown(world, superuser):
    """What a clerk is told of an item's open task."""

    def look(item):
        task, role, department = superuser.execute(
            "SELECT id, role, department FROM tasks WHERE item_id = %s AND status = 'open'",
            (item["id"],),
        ).fetchone()
        answer = world.staff(f"{role}.{department}").get(f"/v1/desk/tasks/{task}")
        assert answer.status_code == 200, answer.json
        return answer.json

    return look


def rename(talent, name):
    assert talent.patch("/v1/me", json={"name": name}).status_code == 200
    assert talent.get("/v1/me").json["name"] == name


def rename_member(keys_database, member, name):
    """No route does this: a member of the family stays as they were added."""
    with keys_database.transaction(Scope.system()) as session:
        sealed = seal(session, Person.name, name, row=UUID(member), of=UUID(member))
        table = Person.__table__
        session.execute(table.update().where(table.c.id == UUID(member)).values(name=sealed))


def test_the_desk_is_shown_the_name_that_was_filed(world, talent, shown):
    before = world.ticket(talent, "settlement")["items"][0]
    filed = shown(before)["applicant"]
    assert filed["name"] == "张伟"
    assert filed["id_type"] == "citizen_id"
    assert set(filed["id_number"][3:-4]) == {"*"}
    rename(talent, "张大伟")
    assert shown(before)["applicant"] == filed
    after = world.ticket(talent, "housing_rent")["items"][0]
    assert shown(after)["applicant"]["name"] == "张大伟"


def test_a_member_of_the_family_too(world, talent, shown, keys_database):
    child = world.child(talent, name="张小明")
    before = world.ticket(talent, ("schooling", child))["items"][0]
    filed = shown(before)["subject"]
    assert filed["name"] == "张小明"
    rename_member(keys_database, child, "张晓明")
    assert talent.get("/v1/me/family").json["items"][0]["name"] == "张晓明"
    assert shown(before)["subject"] == filed


def test_a_ticket_of_before_this_was_kept_shows_the_profile(
    world, talent, shown, superuser, keys_database
):
    child = world.child(talent, name="张小明")
    item = world.ticket(talent, ("schooling", child))["items"][0]
    now = shown(item)
    superuser.execute("UPDATE items SET filed_subject = NULL")
    superuser.execute("UPDATE tickets SET filed_applicant = NULL")
    assert shown(item) == now
    rename(talent, "张大伟")
    rename_member(keys_database, child, "张晓明")
    renamed = shown(item)
    assert (renamed["applicant"]["name"], renamed["subject"]["name"]) == ("张大伟", "张晓明")


def test_a_ticket_that_came_of_a_draft_keeps_who_filed_not_who_drafted(world, talent, shown):
    body = world.filing("settlement")
    drafted = talent.post(
        "/v1/tickets", json=body | {"file": False}, headers={"Idempotency-Key": uuid4().hex}
    )
    rename(talent, "张大伟")
    filed = talent.post(
        f"/v1/tickets/{drafted.json['id']}/filing",
        headers={"Idempotency-Key": uuid4().hex, "If-Match": drafted.headers["ETag"]},
    )
    assert filed.status_code == 201, filed.json
    assert shown(filed.json["items"][0])["applicant"]["name"] == "张大伟"


def test_people_are_sealed_with_the_ticket(world, talent, superuser, tables_with):
    ticket = world.ticket(talent, ("schooling", world.child(talent, name="欧阳金丝雀")))
    assert tables_with(ticket["number"])
    assert not tables_with("欧阳金丝雀")
    kept = superuser.execute(
        "SELECT filed_applicant, person_id FROM tickets WHERE id = %s"
        " UNION ALL SELECT filed_subject, subject_id FROM items WHERE ticket_id = %s",
        (ticket["id"], ticket["id"]),
    ).fetchall()
    assert len(kept) == 2
    assert all(value[1:17] == person.bytes for value, person in kept)


# --- where a key was destroyed -------------------------------------------------------------


@pytest.fixture
def whole(database):
    publish(database, whole_pack())
    yield
    publish(database, demo_pack())


def destroyed(keys_database, person):
    with keys_database.transaction(Scope.system()) as session:
        person_keys.destroy(session, person, at=clock.now())


def test_what_is_left_where_the_applicants_key_is_gone(
    world, talent, whole, shown, acting, establish, keys_database
):
    """Everybody is answered; whatever they filed, were told or is known of them is gone."""
    child = world.child(talent)
    body = world.filing("settlement", ("schooling", child))
    body = with_documents(body, lambda code: upload(talent, code=code)["id"])
    establish(talent, "recognition", {"class": "D", "level": "district"})
    key = {"Idempotency-Key": "one"}
    ticket = talent.post("/v1/tickets", json=body, headers=key).json
    drafted = talent.post(
        "/v1/tickets",
        json=world.filing("medical") | {"file": False},
        headers={"Idempotency-Key": "2"},
    ).json
    settlement = next(one for one in ticket["items"] if one["offering"] == "settlement")
    schooling = next(one for one in ticket["items"] if one["offering"] == "schooling")
    world.through(settlement)
    destroyed(keys_database, acting(talent).actor.person)

    told = shown(schooling)
    assert told["applicant"] == dict.fromkeys(("name", "id_type", "id_number", "id_country"))
    assert told["subject"]["name"] == "张小明"  # under the child's own key
    assert told["sections"] == {}
    assert all(one["name"] == one["code"] for one in told["materials"])
    mine = talent.get(f"/v1/tickets/{ticket['id']}")
    assert mine.status_code == 200
    assert mine.json["items"][0]["result"] is None
    assert talent.get(f"/v1/items/{settlement['id']}").json["sections"] == {
        code: {} for code in talent.get(f"/v1/items/{settlement['id']}").json["sections"]
    }
    assert talent.get(f"/v1/tickets/{drafted['id']}").status_code == 404
    assert talent.get("/v1/me").json["name"] is None
    facts = talent.get("/v1/me/facts").json["items"]
    assert facts
    assert all(one["value"] == {} for one in facts)
    (material, *_) = talent.get("/v1/materials").json["items"]
    assert material["name"] == material["code"]
    content = talent.get(f"/v1/materials/{material['id']}/content", buffered=True)
    assert content.status_code == 200


def test_nothing_more_is_written_of_somebody_whose_key_is_gone(
    world, talent, acting, keys_database
):
    world.ticket(talent, "settlement")
    destroyed(keys_database, acting(talent).actor.person)
    renamed = talent.patch("/v1/me", json={"name": "张大伟"})
    assert (renamed.status_code, renamed.json["code"]) == (409, "person_erased")
    filed = talent.post(
        "/v1/tickets", json=world.filing("housing_rent"), headers={"Idempotency-Key": "3"}
    )
    assert filed.status_code == 409


def test_a_subjects_key_takes_the_subject_alone(world, talent, shown, keys_database):
    child = world.child(talent, name="张小明")
    item = world.ticket(talent, ("schooling", child))["items"][0]
    destroyed(keys_database, UUID(child))
    told = shown(item)
    assert told["applicant"]["name"] == "张伟"
    assert told["subject"] is None
    assert told["sections"]
    assert talent.get("/v1/me/family").json["items"] == []
    again = talent.post(
        "/v1/tickets",
        json=world.filing(("schooling", child)),
        headers={"Idempotency-Key": "again"},
    )
    assert again.status_code == 422
