"""What talents correct of their family, and the end of a link, before a filing and after it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from service.kernel.audit import AuditEntry
from service.kernel.db import Scope, scope_of
from tests.factories import citizen_id
from tests.tickets.acting import DISTRICT
from tests.tickets.asking import refused

CHILD = {"name": "李小明", "kinship": "child", "id_type": "citizen_id"}
PASSPORT = {"id_type": "passport", "id_country": "GBR", "birth_date": "2019-06-01"}


@pytest.fixture
def talent(world):
    return world.talent()


def passport():
    return PASSPORT | {"id_number": f"E{uuid4().int % 10**8:08}"}


def add(talent, **changes):
    answer = talent.post("/v1/me/family", json=CHILD | {"id_number": citizen_id(age=7)} | changes)
    assert answer.status_code == 201, answer.json["errors"]
    return answer.json


def file(world, talent, offering, subject):
    key = {"Idempotency-Key": uuid4().hex}
    return talent.post("/v1/tickets", json=world.filing((offering, subject)), headers=key)


def filed(world, talent, subject, offering="schooling"):
    answer = file(world, talent, offering, subject)
    assert answer.status_code == 201, answer.json["errors"]
    return answer.json["items"][0]


def withdraw(talent, item):
    body = talent.get(f"/v1/items/{item['id']}").json
    answer = talent.post(f"/v1/items/{item['id']}/withdrawal", headers={"If-Match": body["etag"]})
    assert answer.status_code == 200, answer.json


def at(member):
    return f"/v1/me/family/{member['id']}"


def family(talent):
    return talent.get("/v1/me/family").json["items"]


def wrong(answer):
    assert (answer.status_code, answer.json["code"]) == (422, "invalid"), answer.json
    return {(one["path"], one["code"]) for one in answer.json["errors"]}


@pytest.mark.parametrize("method", ["patch", "put"])
def test_what_is_left_out_stays(talent, method):
    member = add(talent)
    answer = getattr(talent, method)(at(member), json={"name": " 买买提．艾山"})
    assert answer.status_code == 200
    assert answer.json == member | {"name": "买买提·艾山"}
    assert family(talent) == [answer.json]
    assert getattr(talent, method)(at(member), json={}).json == answer.json


def test_every_patch_is_a_put_too(talent):
    """`wx.request` has no PATCH."""
    answer = talent.put("/v1/me", json={"phone": "１３８００００５６７８"})
    assert (answer.status_code, answer.json["phone"]) == (200, "138****5678")


@pytest.mark.parametrize("number", ["110105201906010023", "１１０１０５２０１９０６０１００２３"])
def test_a_slip_in_a_number_is_corrected(talent, number):
    member = add(talent)
    answer = talent.patch(at(member), json={"id_number": number})
    assert (answer.status_code, answer.json["id"]) == (200, member["id"])
    assert (answer.json["id_number"], answer.json["birth_date"]) == (
        "110***********0023",
        "2019-06-01",
    )
    again = CHILD | {"id_number": "110105201906010023"}
    refused(talent.post("/v1/me/family", json=again), 409, "family_member_known")


def test_another_kind_of_document(talent):
    member = add(talent)
    incomplete = talent.patch(at(member), json={"id_type": "passport", "id_number": "E1234567"})
    assert wrong(incomplete) == {
        ("id_country", "id_country_needed"),
        ("birth_date", "birth_date_needed"),
    }
    answer = talent.patch(at(member), json=passport())
    assert (answer.json["id_country"], answer.json["birth_date"]) == ("GBR", "2019-06-01")
    later = talent.patch(at(member), json={"birth_date": "2019-06-02"})
    assert later.json == answer.json | {"birth_date": "2019-06-02"}
    other = talent.patch(at(member), json={"id_country": "FRA"})
    assert other.json == later.json | {"id_country": "FRA"}


def test_what_holds_for_one_who_is_added_holds_for_one_who_is_corrected(talent):
    spouse_number = citizen_id(age=18)
    add(talent, kinship="spouse", id_number=spouse_number)
    member = add(talent)
    refused(talent.patch(at(member), json={"kinship": "spouse"}), 409, "spouse_known")
    refused(talent.patch(at(member), json={"id_number": spouse_number}), 409, "family_member_known")
    older = talent.patch(at(member), json={"id_number": citizen_id(age=90)})
    assert wrong(older) == {("id_number", "child_not_younger")}
    assert wrong(talent.patch(at(member), json={"name": "1"})) == {("name", "name_wrong")}
    assert member in family(talent)


def test_ones_own_number_is_no_correction(world):
    talent, number = world.stranger(), citizen_id()
    own = {"name": "张伟", "id_type": "citizen_id", "id_number": number}
    assert talent.patch("/v1/me", json=own).status_code == 200
    member = add(talent, kinship="spouse", id_number=citizen_id())
    answer = talent.patch(at(member), json={"id_number": number})
    assert wrong(answer) == {("id_number", "family_member_is_self")}


def test_while_an_item_is_open_nothing_changes(world, talent, footprint):
    member = add(talent)
    item = filed(world, talent, member["id"])
    before = footprint()
    for answer in (
        talent.patch(at(member), json={"name": "李明"}),
        talent.put(at(member), json={"id_number": citizen_id(age=7)}),
        talent.delete(at(member)),
    ):
        refused(answer, 409, "family_member_in_item")
        assert item["number"] in answer.json["detail"]
    assert footprint() == before
    assert family(talent) == [member]


def test_an_item_about_somebody_else_is_in_nobodys_way(world, talent):
    first, second = add(talent), add(talent)
    filed(world, talent, first["id"])
    assert talent.patch(at(second), json={"name": "李明"}).status_code == 200
    assert talent.delete(at(second)).status_code == 204


def test_once_something_was_filed_who_they_are_stays(world, talent):
    member = add(talent)
    withdraw(talent, filed(world, talent, member["id"]))
    for changes in ({"id_number": citizen_id(age=7)}, {"kinship": "spouse"}, passport()):
        refused(talent.patch(at(member), json=changes), 409, "family_member_fixed")
    assert talent.patch(at(member), json={"name": "李明"}).json == member | {"name": "李明"}
    assert talent.delete(at(member)).status_code == 204


def test_what_was_never_asked_may_be_added_once_something_was_filed(world, talent, superuser):
    member = add(talent, **passport())
    withdraw(talent, filed(world, talent, member["id"]))
    superuser.execute(
        "UPDATE persons SET id_country = NULL, birth_date = NULL WHERE id = %s", (member["id"],)
    )
    asked = {"id_country": "GBR", "birth_date": "2019-06-01"}
    assert talent.patch(at(member), json=asked).json == member
    refused(talent.patch(at(member), json={"id_country": "FRA"}), 409, "family_member_fixed")


def test_a_link_that_has_ended(world, talent, acting, superuser):
    member = add(talent)
    item = filed(world, talent, member["id"])
    withdraw(talent, item)
    assert talent.delete(at(member)).status_code == 204
    assert family(talent) == []
    for answer in (talent.delete(at(member)), talent.patch(at(member), json={"name": "李明"})):
        refused(answer, 404, "not_found")
    assert file(world, talent, "schooling", member["id"]).status_code == 422
    assert talent.get(f"/v1/items/{item['id']}").json["subject"] == member["id"]
    assert UUID(member["id"]) not in acting(talent).actor.family
    ended = "SELECT ended_at IS NOT NULL FROM family_links WHERE member_id = %s"
    assert superuser.execute(ended, (member["id"],)).fetchall() == [(True,)]


def test_who_was_family_may_be_named_again(talent):
    number = citizen_id()
    first = add(talent, kinship="spouse", id_number=number)
    assert talent.delete(at(first)).status_code == 204
    second = add(talent, kinship="spouse", id_number=citizen_id())
    again = CHILD | {"kinship": "spouse", "id_number": number}
    refused(talent.post("/v1/me/family", json=again), 409, "spouse_known")
    assert talent.delete(at(second)).status_code == 204
    third = add(talent, kinship="spouse", id_number=number)
    assert third["id"] != first["id"]
    assert family(talent) == [third]


def test_how_many_are_ever_named_is_bounded(talent, monkeypatch):
    monkeypatch.setattr("service.identity.people.actions.MOST_LINKS", 2)
    for _ in range(2):
        assert talent.delete(at(add(talent))).status_code == 204
    another = CHILD | {"id_number": citizen_id(age=7)}
    refused(talent.post("/v1/me/family", json=another), 409, "family_full")


def test_nobody_changes_another_ones_family(world, talent, acting, database):
    member, other = add(talent), world.talent()
    refused(other.patch(at(member), json={"name": "李明"}), 404, "not_found")
    refused(other.delete(at(member)), 404, "not_found")
    refused(other.delete(f"/v1/me/family/{uuid4()}"), 404, "not_found")
    with database.transaction(scope_of(acting(other).actor)) as session:
        for change in (
            "UPDATE persons SET name = 'x' WHERE id = :member",
            "UPDATE family_links SET ended_at = now() WHERE member_id = :member",
        ):
            assert session.execute(text(change), {"member": member["id"]}).rowcount == 0
    assert family(talent) == [member]


def test_corrections_and_ends_are_in_the_audit_log(talent, database):
    member = add(talent)
    talent.patch(at(member), json={"name": "李明"})
    talent.delete(at(member))
    with database.transaction(Scope.system(DISTRICT)) as session:
        rows = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject == UUID(member["id"]))
            .order_by(AuditEntry.id)
        ).all()
    assert [row.action for row in rows] == ["family_member.corrected", "family_link.ended"]
    assert {str(row.actor_id) for row in rows} == {talent.account["id"]}
    assert [row.data for row in rows] == [{}, {}]
