"""Documents that come with a filing, and those that a correction asks for."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import pytest

from service.kernel import clock
from service.kernel.errors import Conflict
from service.materials.actions import erase_material
from tests.factories import REASON
from tests.materials.files import png
from tests.materials.handing_in import FILE, delete, send, upload
from tests.packs import demo_pack, publish, whole_pack
from tests.papers import with_documents

numbers = count()
TAKEN_IN_BY = {"recognition": "human_resources", "housing_rent": "construction"}


@pytest.fixture(scope="module", autouse=True)
def documents_are_asked(app, database):
    publish(database, whole_pack())
    yield
    publish(database, demo_pack())


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def body(world, talent):
    """A filing of recognition and rent with everything they may ask for."""
    wanted = world.filing("recognition", "housing_rent")
    return with_documents(wanted, lambda code: upload(talent, code=code)["id"])


def file(talent, body):
    return talent.post(
        "/v1/tickets", json=body, headers={"Idempotency-Key": f"doc-{next(numbers)}"}
    )


def faults(talent, body):
    answer = file(talent, body)
    assert answer.status_code == 422, answer.json
    assert talent.get("/v1/tickets").json["items"] == []
    return {(one["path"], one["code"]) for one in answer.json["errors"]}


def without(attached, code):
    return [one for one in attached if one["code"] != code]


def test_with_everything_it_is_filed_and_the_talent_sees_what_they_handed_in(talent, body):
    answer = file(talent, body)
    assert answer.status_code == 201, answer.json
    item = talent.get(f"/v1/items/{answer.json['items'][1]['id']}").json
    ids = {one["material"] for one in body["items"][1]["materials"]}
    assert ids <= {one["material"] for one in item["materials"]}


def test_what_is_missing_is_told_by_the_document_at_its_place(talent, body):
    body["materials"] = without(body["materials"], "id_card")
    body["items"][1]["materials"] = without(body["items"][1]["materials"], "lease_contract")
    there = whole_pack().materials["lease_contract"].scope.value
    expected = {("materials.id_card", "material_missing")}
    if there == "item":
        expected.add(("items.1.materials.lease_contract", "material_missing"))
    assert faults(talent, body) == expected


def test_what_is_optional_or_not_called_for_may_be_left_out(talent, body):
    """The insurance record is optional for both."""
    body["materials"] = without(body["materials"], "insurance_record")
    body["items"][0]["materials"] = without(body["items"][0]["materials"], "award_certificate")
    assert file(talent, body).status_code == 201


def test_what_nobody_asks_for_is_refused(talent, body):
    document = upload(talent, code="cv")["id"]
    place = len(body["materials"])
    body["materials"].append({"code": "cv", "material": document})
    assert faults(talent, body) == {(f"materials.{place}.code", "material_not_asked")}


def test_more_than_may_be_is_refused(talent, body):
    most = whole_pack().materials["id_card"].most
    for _ in range(most):
        document = upload(talent, code="id_card")["id"]
        body["materials"].append({"code": "id_card", "material": document})
    assert faults(talent, body) == {("materials", "material_too_many")}


def test_the_same_document_twice_is_refused(talent, body):
    place = len(body["materials"])
    first = next(one for one in body["materials"] if one["code"] == "id_card")
    body["materials"].append(copy.copy(first))
    assert faults(talent, body) == {(f"materials.{place}.material", "material_twice")}


def test_a_format_that_the_material_does_not_take_is_refused(talent, body):
    """At once, and not only when it is filed."""
    answer = send(talent, code="employment_contract", name="1.png", file=png())
    assert answer.status_code == 422
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [
        ("file", "material_format")
    ]
    assert answer.json["errors"][0]["message"].endswith("pdf。")


@pytest.mark.parametrize("whose", ["nobody", "another", "another_code"])
def test_a_document_that_is_not_ones_own_of_that_kind_does_not_exist(world, talent, body, whose):
    documents = {
        "nobody": lambda: str(uuid4()),
        "another": lambda: upload(world.stranger(), code="id_card")["id"],
        "another_code": lambda: upload(talent, code="cv")["id"],
    }
    place = [one["code"] for one in body["materials"]].index("id_card")
    body["materials"][place]["material"] = documents[whose]()
    assert faults(talent, body) == {(f"materials.{place}.material", "material_unknown")}


def test_what_is_filed_is_not_erased_and_serves_another_filing(world, talent, body):
    assert file(talent, body).status_code == 201
    used = body["materials"][0]["material"]
    answer = delete(talent, used)
    assert (answer.status_code, answer.json["code"]) == (409, "material_in_use")
    own = {one["code"]: one["material"] for one in body["materials"]}
    again = with_documents(
        world.filing("settlement"),
        lambda code: own.get(code) or upload(talent, code=code)["id"],
    )
    assert used in {one["material"] for one in again["materials"]}
    assert file(talent, again).status_code == 201


class TestRetention:
    """What a decision rests on stays; the owner is told why, and until when."""

    @pytest.fixture
    def decided(self, world, talent, body):
        """Both items are not accepted; gives a document of theirs."""
        for item in file(talent, body).json["items"]:
            clerk = world.staff(f"clerk.{TAKEN_IN_BY[item['offering']]}")
            world.decide(clerk, world.claimed(clerk, item["number"]), "not_accept")
        return body["materials"][0]["material"]

    def test_a_document_of_a_decision_stays_with_reason_and_date(self, talent, decided):
        answer = delete(talent, decided)
        assert (answer.status_code, answer.json["code"]) == (409, "material_is_evidence")
        assert answer.json["params"] == {"until": "2036-12-31"}
        assert "2036-12-31" in answer.json["detail"]
        assert talent.get(f"/v1/materials/{decided}/content").data == FILE

    def test_it_may_go_when_its_retention_is_over(self, acting, talent, decided):
        owner, material = acting(talent), UUID(decided)
        last = datetime(2036, 12, 31, 15, 59, tzinfo=UTC)
        with pytest.raises(Conflict):
            owner(erase_material, material_id=material, at=last)
        owner(erase_material, material_id=material, at=last + timedelta(minutes=1))
        assert delete(talent, decided).status_code == 404

    def test_what_was_withdrawn_may_go_at_once(self, talent, body):
        ticket = file(talent, body).json
        headers = {"If-Match": ticket["etag"]}
        answer = talent.post(f"/v1/tickets/{ticket['id']}/withdrawal", headers=headers)
        assert answer.status_code == 200, answer.json
        assert delete(talent, body["materials"][0]["material"]).status_code == 204

    @pytest.mark.parametrize(
        ("valid_to", "revoked", "code", "params"),
        [
            (None, False, "material_proves_fact", None),
            (date(2030, 1, 1), False, "material_is_evidence", {"until": "2040-12-31"}),
            (None, True, "material_is_evidence", {"until": "2036-12-31"}),
        ],
    )
    def test_a_fact_keeps_what_established_it(
        self, superuser, talent, body, establish, valid_to, revoked, code, params
    ):
        items = file(talent, body).json["items"]
        superuser.execute(
            "UPDATE items SET phase = 'ended', outcome = 'approved', ended_at = received_at,"
            " next_alarm_at = NULL WHERE ticket_id = (SELECT ticket_id FROM items WHERE id = %s)",
            (items[0]["id"],),
        )
        about = {"item_id": UUID(items[0]["id"]), "valid_to": valid_to}
        fact = establish(talent, "recognition", {"class": "B"}, **about)
        if revoked:
            superuser.execute(
                "UPDATE facts SET revoked_at = '2026-11-24', revoked_by = id,"
                " revocation_reason = '' WHERE id = %s",
                (fact,),
            )
        answer = delete(talent, body["materials"][0]["material"])
        assert (answer.status_code, answer.json["code"]) == (409, code)
        assert answer.json.get("params") == params


def test_a_process_that_does_not_know_what_rests_on_documents_erases_none(
    monkeypatch, acting, talent
):
    kept = upload(talent)["id"]
    monkeypatch.setattr("service.materials.actions._hold_of", None)
    with pytest.raises(RuntimeError, match="hold_by"):
        acting(talent)(erase_material, material_id=UUID(kept), at=clock.now())
    assert talent.get(f"/v1/materials/{kept}/content").data == FILE


class TestCorrection:
    """Construction returns the lease; the talent answers once."""

    @pytest.fixture
    def returned(self, world, talent, body):
        item = file(talent, body).json["items"][1]
        clerk = world.staff("clerk.construction")
        task = world.claimed(clerk, item["number"])
        mend = {"what": "缺少第二页", "material": "lease_contract"}
        answer = clerk.post(
            f"/v1/desk/tasks/{task['id']}/decision",
            json={
                "verdict": "return",
                "opinion": "需补正",
                "corrections": [mend],
                "reason": REASON,
            },
            headers={"If-Match": task["etag"]},
        )
        assert answer.status_code == 200, answer.json
        return talent.get(f"/v1/items/{item['id']}").json

    def mend(self, talent, item, *codes, **more):
        attached = [{"code": code, "material": upload(talent, code=code)["id"]} for code in codes]
        return talent.post(
            f"/v1/items/{item['id']}/correction",
            json={"materials": attached, **more},
            headers={"If-Match": item["etag"]},
        )

    def test_it_is_told_what_and_until_when(self, returned):
        [asked] = returned["corrections"]
        assert [one["material"] for one in asked["points"]] == ["lease_contract"]
        assert asked["answered_at"] is None
        assert returned["hold"] == "correction"

    def test_the_clerk_gets_the_new_document_in_another_round(self, world, talent, returned):
        assert self.mend(talent, returned, "lease_contract").status_code == 200
        item = talent.get(f"/v1/items/{returned['id']}").json
        assert item["hold"] is None
        assert item["corrections"][0]["answered_at"] is not None
        rounds = [one["round"] for one in item["stages"] if one["key"] == "acceptance"]
        assert max(rounds) == 2
        clerk = world.staff("clerk.construction")
        task = world.claimed(clerk, item["number"])
        shown = clerk.get(f"/v1/desk/tasks/{task['id']}").json["materials"]
        before = {one["material"] for one in returned["materials"]}
        new = [one for one in shown if one["code"] == "lease_contract"]
        assert new
        assert not {one["id"] for one in new} & before

    @pytest.mark.parametrize(
        ("codes", "more", "fault"),
        [
            ((), {}, ("materials.lease_contract", "material_missing")),
            (
                ("lease_contract", "no_home_certificate"),
                {},
                ("materials.1.code", "material_not_asked"),
            ),
            (
                ("lease_contract",),
                {"sections": {"lease": {}}},
                ("sections.lease", "section_not_expected"),
            ),
        ],
    )
    def test_all_that_was_asked_for_and_nothing_else(self, talent, returned, codes, more, fault):
        answer = self.mend(talent, returned, *codes, **more)
        assert answer.status_code == 422, answer.json
        assert {(one["path"], one["code"]) for one in answer.json["errors"]} == {fault}
        assert talent.get(f"/v1/items/{returned['id']}").json == returned

    def test_once(self, talent, returned):
        assert self.mend(talent, returned, "lease_contract").status_code == 200
        assert self.mend(talent, returned, "lease_contract").status_code == 412
        now = talent.get(f"/v1/items/{returned['id']}").json
        answer = self.mend(talent, now, "lease_contract")
        assert (answer.status_code, answer.json["code"]) == (409, "nothing_to_correct")

    def test_not_by_somebody_else(self, world, returned):
        assert self.mend(world.stranger(), returned, "lease_contract").status_code == 404
