"""What may change with the answer to a correction, and what has to come with it."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from service.kernel import clock
from service.tickets.acts import act_on
from service.tickets.models.filed import Ticket
from tests.materials.handing_in import upload
from tests.packs import demo_pack, publish, whole_pack
from tests.papers import with_documents
from tests.tickets.asking import decide

pytestmark = pytest.mark.dated

YEAR = clock.now().year


@pytest.fixture(scope="module", autouse=True)
def documents_are_asked(app, database):
    publish(database, whole_pack())
    yield
    publish(database, demo_pack())


@pytest.fixture
def talent(world):
    return world.talent()


def codes(answer):
    assert answer.status_code == 422, answer.json
    return {(one["path"], one["code"]) for one in answer.json["errors"]}


@pytest.fixture
def returned(world, talent):
    """Files an item and has its acceptance ask for these points; returns the item."""

    def file(body, clerk, *points):
        body = with_documents(body, lambda code: upload(talent, code=code)["id"])
        headers = {"Idempotency-Key": uuid4().hex}
        answer = talent.post("/v1/tickets", json=body, headers=headers)
        assert answer.status_code == 201, answer.json
        item = answer.json["items"][0]
        staff = world.staff(clerk)
        task = world.claimed(staff, item["number"])
        points = [{"what": "请核对", **point} for point in points]
        assert decide(staff, task, "return", corrections=points).status_code == 200
        return talent.get(f"/v1/items/{item['id']}").json

    return file


def answered(talent, item, section=None, *papers, **changes):
    """The answer to a correction: a section with some fields changed, None: without them."""
    body = {}
    if section is not None:
        whole = {**item["sections"][section], **changes}
        body["sections"] = {
            section: {name: value for name, value in whole.items() if value is not None}
        }
    body["materials"] = [
        {"code": code, "material": upload(talent, code=code)["id"]} for code in papers
    ]
    return talent.post(
        f"/v1/items/{item['id']}/correction", json=body, headers={"If-Match": item["etag"]}
    )


ADDRESS = {"section": "schooling", "field": "proof_address"}
PROOF = {"section": "schooling", "field": "proof"}
ENTRY = {"section": "schooling", "field": "entry"}
CLERK = "clerk.development_support"


@pytest.fixture
def schooling(world, talent, returned):
    def file(*points, **answers):
        child = world.child(talent, born=date(YEAR - 6, 8, 31))
        body = world.filing(("schooling", child))
        body["items"][0]["sections"]["schooling"] |= {
            "proof": "household", "school_year": str(YEAR), "stage": "primary", "entry": "new",
            **answers,
        }  # fmt: skip
        return returned(body, CLERK, *points)

    return file


def test_only_the_fields_that_are_named_may_change(talent, schooling, footprint):
    item = schooling(ADDRESS)
    before = footprint()
    answer = answered(talent, item, "schooling", proof_address="东湾高新区观澜路 6 号", grade=2)
    assert codes(answer) == {("sections.schooling.grade", "field_not_asked")}
    assert footprint() == before
    answer = answered(talent, item, "schooling", proof_address="东湾高新区观澜路 6 号")
    assert answer.status_code == 200, answer.json


@pytest.mark.parametrize("change", [{"second_choice": "外国语学校"}, {"grade": None}])
def test_nor_may_one_be_added_or_taken_away(talent, schooling, change):
    item = schooling(ADDRESS, seat_by="proximity")
    answer = answered(talent, item, "schooling", proof_address="东湾高新区观澜路 6 号", **change)
    if change == {"grade": None}:
        assert ("sections.schooling.grade", "required") in codes(answer)
    else:  # it does not apply: left out, as in a filing
        assert answer.status_code == 200, answer.json
        assert {"section": "schooling", "field": "second_choice", "material": None} in (
            answer.json["items"][0]["left_out"]
        )


def test_where_a_section_is_named_all_of_it_may_change(talent, schooling):
    item = schooling({"section": "schooling"}, ADDRESS)
    answer = answered(talent, item, "schooling", proof_address="东湾高新区观澜路 6 号", grade=2)
    assert answer.status_code == 200, answer.json


def test_a_field_that_applies_by_what_is_corrected_comes_with_it(talent, schooling):
    item = schooling(ENTRY)
    without = answered(talent, item, "schooling", "student_record", entry="transfer")
    assert codes(without) == {("sections.schooling.present_school", "rule_broken")}
    answer = answered(
        talent, item, "schooling", "student_record", entry="transfer", present_school="文澜小学"
    )
    assert answer.status_code == 200, answer.json


def test_a_field_that_does_not_apply_any_more_goes(talent, schooling):
    item = schooling(ENTRY, entry="transfer", present_school="文澜小学")
    answer = answered(talent, item, "schooling", entry="new")
    assert answer.status_code == 200, answer.json
    now = talent.get(f"/v1/items/{item['id']}").json
    assert "present_school" not in now["sections"]["schooling"]
    assert {"section": "schooling", "field": "present_school", "material": None} in now["left_out"]


def test_a_document_that_becomes_necessary_is_asked_in_the_same_answer(talent, schooling):
    item = schooling(PROOF)
    assert "lease_contract" not in {one["code"] for one in item["materials"]}
    answer = answered(talent, item, "schooling", proof="lease")
    assert codes(answer) == {("materials.lease_contract", "material_missing")}
    assert "租赁" in answer.json["errors"][0]["message"]
    answer = answered(talent, item, "schooling", "lease_contract", proof="lease")
    assert answer.status_code == 200, answer.json
    now = talent.get(f"/v1/items/{item['id']}").json
    assert "lease_contract" in {one["code"] for one in now["materials"]}
    assert "lease_contract" not in {one["material"] for one in now["left_out"]}


def test_a_document_that_nobody_asks_for_any_more_counts_no_longer(world, talent, schooling):
    item = schooling(PROOF, proof="lease")
    assert "lease_contract" in {one["code"] for one in item["materials"]}
    assert answered(talent, item, "schooling", proof="household").status_code == 200
    now = talent.get(f"/v1/items/{item['id']}").json
    assert "lease_contract" not in {one["code"] for one in now["materials"]}
    assert "lease_contract" in {one["material"] for one in now["left_out"]}
    clerk = world.staff(CLERK)
    task = world.claimed(clerk, item["number"])
    shown = clerk.get(f"/v1/desk/tasks/{task['id']}").json["materials"]
    assert "lease_contract" not in {one["code"] for one in shown}


def test_a_document_that_was_asked_and_is_not_needed_any_more_need_not_come(talent, schooling):
    item = schooling(PROOF, {"material": "lease_contract"}, proof="lease")
    assert answered(talent, item, "schooling", proof="household").status_code == 200


def test_what_is_corrected_may_make_no_criterion_unmet(talent, schooling, footprint):
    """The child is six by 31 August of the year, not by that of the year before."""
    item = schooling({"section": "schooling", "field": "school_year"})
    before = footprint()
    answer = answered(talent, item, "schooling", school_year=str(YEAR - 1))
    assert codes(answer) == {("sections", "criterion_not_met")}
    assert footprint() == before
    assert answered(talent, item, "schooling", school_year=str(YEAR + 1)).status_code == 200


def test_a_criterion_that_was_unmet_before_is_no_matter_of_the_correction(
    world, talent, returned, establish, superuser
):
    """What has changed since elsewhere refuses no answer: here a fact that holds no longer."""
    establish(talent, "recognition", {"class": "D", "level": "district"})
    child = world.child(talent, born=date(YEAR - 6, 8, 31))
    body = world.filing(("schooling", child), applicant={"degree": "college"})
    item = returned(body, CLERK, ADDRESS)
    superuser.execute("UPDATE facts SET valid_from = '2020-01-01', valid_to = '2020-12-31'")
    answer = answered(talent, item, "schooling", proof_address="东湾高新区观澜路 6 号")
    assert answer.status_code == 200, answer.json


def test_what_is_shared_is_judged_for_the_other_items_too(world, talent, returned):
    """Both rest on the employer: an answer about the one may not undo the other."""
    body = world.filing("settlement", "housing_rent")
    point = {"section": "employment", "field": "insured_since"}
    item = returned(body, "clerk.public_security", point)
    lately = (clock.now() - timedelta(days=4)).date().isoformat()  # a month is asked for
    answer = answered(talent, item, "employment", insured_since=lately)
    assert answer.status_code == 422
    refused = [(one["code"], one["message"]) for one in answer.json["errors"]]
    assert [code for code, _ in refused] == ["criterion_not_met"] * 2


def test_conditions_are_asked_as_of_the_day_of_receipt(world, talent, acting):
    body = with_documents(world.filing("settlement"), lambda code: upload(talent, code=code)["id"])
    ticket = acting(talent).file(body, key=uuid4().hex).ticket
    filed = clock.now()
    later = filed + timedelta(days=40)

    def look(session, actor):
        row = session.get(Ticket, (ticket.district_id, ticket.id))
        with act_on(session, actor, row, at=later) as act:
            return act.today, act.look_up(act.items[0])[0].today

    zone = ZoneInfo("Asia/Shanghai")
    assert acting(talent)(look) == tuple(at.astimezone(zone).date() for at in (later, filed))


@pytest.mark.parametrize(
    "sections",
    [{"lodging": {}}, {"": {}}, {"schooling": 5}, {"schooling": None}, {"schooling": []}],
)
def test_what_is_no_section_of_the_item_is_refused(talent, schooling, footprint, sections):
    item = schooling(ADDRESS)
    body = {"sections": {"schooling": item["sections"]["schooling"], **sections}}
    before = footprint()
    path = f"/v1/items/{item['id']}/correction"
    answer = talent.post(path, json=body, headers={"If-Match": item["etag"]})
    assert answer.status_code == 422, answer.json
    assert footprint() == before


@pytest.mark.parametrize("employment", [5, [], None, {"insured_since": 5}, {}])
def test_a_shared_section_with_faults_is_not_judged_for_the_others(
    world, talent, returned, employment
):
    body = world.filing("settlement", "housing_rent")
    item = returned(body, "clerk.public_security", {"section": "employment"})
    if employment:
        employment = {**item["sections"]["employment"], **employment} if employment != 5 else 5
    path, sent = f"/v1/items/{item['id']}/correction", {"sections": {"employment": employment}}
    answer = talent.post(path, json=sent, headers={"If-Match": item["etag"]})
    assert answer.status_code == 422, answer.json
    assert "criterion_unknown" not in {one["code"] for one in answer.json["errors"]}
