"""What a filing becomes."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import select

from service.kernel.db import Scope
from service.kernel.sealed import opened_json
from service.tickets.models.filed import TicketSection
from service.tickets.models.items import Item
from tests.tickets import invariants

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def answers_in(session, section):
    return opened_json(session, TicketSection.content, section, otherwise=None)


def file(talent, body, key=None):
    return talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": key or uuid4().hex})


def checks_out(number: str) -> bool:
    """ISO 7064, MOD 37,36, written down from the standard."""
    product = 36
    for character in number[:-1]:
        total = (product + ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return (product + ALPHABET.index(number[-1])) % 36 == 1


def test_a_filing_becomes_one_ticket_with_an_item_per_offering(world):
    ticket = world.ticket()
    assert (ticket["status"], ticket["bundle"]) == ("in_progress", "arrival")
    assert [item["offering"] for item in ticket["items"]] == ["settlement", "housing_rent"]
    assert {item["phase"] for item in ticket["items"]} == {"acceptance"}
    assert {item["outcome"] for item in ticket["items"]} == {None}
    assert {item["subject"] for item in ticket["items"]} == {None}
    stages = [[stage["department"] for stage in item["stages"]] for item in ticket["items"]]
    assert stages == [["public_security"], ["construction"]]


def test_a_number_tells_place_day_and_is_checked(world):
    ticket = world.ticket()
    day = datetime.fromisoformat(ticket["filed_at"]).astimezone(SHANGHAI)
    assert re.fullmatch(rf"LB350100{day:%Y%m%d}\d{{6}}[0-9A-Z]", ticket["number"])
    assert checks_out(ticket["number"])
    assert [item["number"] for item in ticket["items"]] == [
        f"{ticket['number']}-01",
        f"{ticket['number']}-02",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda number: number[:14] + number[15] + number[14] + number[16:],
        lambda number: number[:-2] + str((int(number[-2]) + 1) % 10) + number[-1],
    ],
    ids=["two neighbours changed places", "another digit"],
)
def test_a_mistyped_number_does_not_check_out(world, wrong):
    number = world.ticket()["number"]
    mistyped = wrong(number)
    assert mistyped == number or not checks_out(mistyped)


def test_the_answer_says_where_the_ticket_is(world):
    talent = world.talent()
    answer = file(talent, world.filing())
    assert answer.headers["Location"] == f"/v1/tickets/{answer.json['id']}"
    assert answer.headers["ETag"] == answer.json["etag"]
    assert talent.get(answer.headers["Location"]).json == answer.json


def test_items_keep_the_order_in_which_they_were_asked(world):
    body = world.filing()
    body["items"].reverse()
    ticket = file(world.talent(), body).json
    assert [item["offering"] for item in ticket["items"]] == ["housing_rent", "settlement"]
    assert [item["number"][-2:] for item in ticket["items"]] == ["01", "02"]


@pytest.fixture
def tangled(world):
    """Asked in an order in which what comes first is named last, and two children."""
    talent = world.talent()
    children = [("schooling", world.child(talent, name=name)) for name in ("张小明", "张小红")]
    return talent, world.filing("medical", *children, "settlement", "recognition")


def test_items_that_wait_for_each_other_are_answered_as_they_are_read(tangled):
    answer = file(*tangled)
    assert answer.status_code == 201, answer.json
    phases = {item["offering"]: item["phase"] for item in answer.json["items"]}
    assert phases == {
        "medical": "waiting", "schooling": "acceptance", "settlement": "acceptance",
        "recognition": "acceptance",
    }  # fmt: skip
    assert len(answer.json["edges"]) == 5
    assert tangled[0].get(answer.headers["Location"]).json == answer.json


def test_answers_stay_with_the_item_for_which_they_were_given(tangled, database):
    talent, body = tangled
    for place, grade in ((1, 2), (2, 5)):
        body["items"][place]["sections"]["schooling"]["grade"] = grade
    items = file(talent, body).json["items"]
    with database.transaction(Scope.system("demo")) as session:
        kept = {
            (str(one.item_id), one.section): answers_in(session, one)
            for one in session.scalars(
                select(TicketSection).where(TicketSection.item_id.in_([i["id"] for i in items]))
            )
        }
    assert kept == {
        (item["id"], code): answers
        for item, requested in zip(items, body["items"], strict=True)
        for code, answers in requested["sections"].items()
    }


def test_answers_are_sealed_and_read_back_whole(world, database, tables_with):
    body = world.filing()
    body["sections"]["applicant"]["school"] = school = "金丝雀大学"
    body["items"][1]["sections"]["lease"]["landlord"] = landlord = "canary-landlord"
    ticket = file(world.talent(), body).json
    assert tables_with(ticket["number"])
    for canary in (school, landlord):
        assert not tables_with(canary)
    with database.transaction(Scope.system("demo")) as session:
        sections = session.scalars(
            select(TicketSection).where(TicketSection.ticket_id == UUID(ticket["id"]))
        ).all()
        read = {(str(one.item_id), one.section): answers_in(session, one) for one in sections}
    items = [item["id"] for item in ticket["items"]]
    assert read == {
        ("None", "applicant"): body["sections"]["applicant"],
        ("None", "employment"): body["sections"]["employment"],
        ("None", "residence"): body["sections"]["residence"],
        (items[0], "household"): body["items"][0]["sections"]["household"],
        (items[1], "lease"): body["items"][1]["sections"]["lease"],
    }
    assert {one.revision for one in sections} == {1}


def test_consents_are_kept_once(world):
    talent = world.talent()
    for offering in ("settlement", "housing_rent"):
        world.ticket(talent, offering)
    given = talent.get("/v1/me/consents").json["items"]
    assert sorted((one["code"], one["version"]) for one in given) == [
        ("enterprise", 2),
        ("processing", 1),
        ("sensitive", 1),
    ]


class TestTheSameKey:
    def test_gives_the_same_answer(self, world, footprint):
        talent, body = world.talent(), world.filing()
        first = file(talent, body, "one")
        before = footprint()
        again = file(talent, body, "one")
        assert (again.status_code, again.json) == (201, first.json)
        for header in ("ETag", "Location"):
            assert again.headers[header] == first.headers[header]
        assert footprint() == before

    def test_gives_the_same_ticket_for_ever(self, world, footprint):
        """As it then stands: it is the ticket that keeps the key."""
        talent, body = world.talent(), world.filing()
        first = file(talent, body, "one").json
        world.through(first["items"][0])
        before = footprint()
        again = file(talent, body, "one").json
        assert (again["id"], again["number"]) == (first["id"], first["number"])
        assert again["items"][0]["phase"] == "ended"
        assert footprint() == before

    def test_with_another_body_is_refused(self, world, footprint):
        talent = world.talent()
        file(talent, world.filing("settlement"), "one")
        before = footprint()
        answer = file(talent, world.filing("housing_rent"), "one")
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
        assert footprint() == before

    def test_of_another_account_is_another_key(self, world):
        one, two = (file(world.talent(), world.filing(), "one").json for _ in range(2))
        assert one["id"] != two["id"]

    def test_that_failed_may_be_used_again(self, world):
        talent, body = world.talent(), world.filing()
        assert file(talent, body | {"consents": []}, "one").status_code == 422
        assert file(talent, body, "one").status_code == 201


def test_a_filing_is_put_into_the_outbox(world, superuser):
    ticket = world.ticket()
    (arguments,) = superuser.execute(
        "SELECT args FROM procrastinate_jobs WHERE lock = %s",
        (f"applicant_notices:{ticket['id']}",),
    ).fetchone()
    assert (arguments["district"], arguments["subscriber"]) == ("demo", "applicant_notices")
    kinds = superuser.execute(
        "SELECT kind FROM events WHERE id = ANY(%s::uuid[]) ORDER BY seq", (arguments["events"],)
    ).fetchall()
    assert kinds == [("ticket_filed",)], "what nobody subscribes to is not in it"
    text = orjson.dumps(arguments).decode()
    assert "张伟" not in text


def test_every_ticket_made_here_is_sound(database, superuser):
    assert invariants.check(database) > 5
    assert superuser.execute(f"SELECT count(*) FROM {Item.__tablename__}").fetchone()[0] > 10
