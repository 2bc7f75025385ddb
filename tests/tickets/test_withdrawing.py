"""An applicant takes items back: what was told beforehand is what happens."""

from __future__ import annotations

import pytest

from tests.tickets.asking import seen

WANTED = ("recognition", "settlement", "purchase_discount", "medical", "housing_purchase")


@pytest.fixture
def talent(world):
    return world.talent()


def back(talent, ticket, version=None):
    return talent.post(
        f"/v1/tickets/{ticket['id']}/withdrawal", headers=seen("ticket", ticket, version)
    )


def read(talent, ticket):
    return talent.get(f"/v1/tickets/{ticket['id']}").json


def by_offering(answer):
    return {one["offering"]: one for one in answer["items"]}


def test_a_ticket_is_withdrawn_whole(world, talent):
    ticket = world.ticket(talent, "recognition", "settlement")
    foretold = talent.get(f"/v1/tickets/{ticket['id']}/withdrawal").json
    assert {one["consequence"] for one in foretold["items"]} == {"withdrawn"}
    answer = back(talent, ticket)
    assert answer.status_code == 200, answer.json
    assert {one["outcome"] for one in answer.json["items"]} == {"withdrawn"}
    assert answer.json["status"] == read(talent, ticket)["status"] == "withdrawn"
    clerk = world.staff("clerk.public_security")
    number = ticket["items"][1]["number"]
    open_tasks = clerk.get("/v1/desk/tasks").json["items"]
    assert number not in {one["item_number"] for one in open_tasks}


@pytest.mark.parametrize("offering", WANTED)
def test_what_was_foretold_of_an_item_happens(world, talent, offering):
    ticket = world.ticket(talent, *WANTED)
    item = by_offering(ticket)[offering]
    foretold = talent.get(f"/v1/items/{item['id']}/withdrawal").json
    answer = talent.post(f"/v1/items/{item['id']}/withdrawal", headers={"If-Match": item["etag"]})
    assert answer.status_code == 200, answer.json
    before, after = by_offering(ticket), by_offering(read(talent, ticket))
    told = {one["offering"]: one["consequence"] for one in foretold["items"]}
    assert told[offering] == "withdrawn"
    for code, consequence in told.items():
        outcome = after[code]["outcome"]
        assert outcome == {"withdrawn": "withdrawn", "closed": "cancelled"}.get(consequence)
        if consequence == "unchanged":
            assert after[code]["waiting_for"] == before[code]["waiting_for"]
        if consequence == "goes_on":
            assert after[code]["waiting_for"] == []
    if offering == "recognition":
        assert (told["purchase_discount"], told["medical"]) == ("closed", "closed")
        assert told["housing_purchase"] == "asked"


def test_another_version_or_a_decided_ticket_is_left_alone(world, talent):
    ticket = world.ticket(talent, "settlement")
    assert back(talent, ticket, 99).status_code == 412
    world.through(ticket["items"][0])
    ended = read(talent, ticket)
    answer = back(talent, ended)
    assert (answer.status_code, answer.json["code"]) == (409, "ticket_decided")
    assert read(talent, ticket) == ended


def test_what_has_happened_meanwhile_is_shown_before_anything_is_withdrawn(world, talent):
    """A claim is none of the applicant's business, an acceptance is."""
    ticket = world.ticket(talent, "settlement", "housing_rent")
    clerk = world.staff("clerk.public_security")
    claimed = world.claimed(clerk, ticket["items"][0]["number"])
    assert read(talent, ticket)["etag"] == ticket["etag"]
    world.decide(clerk, claimed, "accept")
    now = read(talent, ticket)
    assert now["version"] == ticket["version"]
    assert now["etag"] != ticket["etag"]
    answer = back(talent, ticket)
    assert (answer.status_code, answer.json["code"]) == (412, "stale_version")
    assert read(talent, ticket) == now
    (listed,) = talent.get("/v1/tickets").json["items"]
    assert listed["etag"] == now["etag"]
    assert back(talent, listed).status_code == 200


def test_an_items_tag_does_not_pass_for_its_tickets(world, talent):
    ticket = world.ticket(talent, "settlement")
    item = ticket["items"][0]
    for path, tag in (
        (f"/v1/tickets/{ticket['id']}", item["etag"]),
        (f"/v1/items/{item['id']}", ticket["etag"]),
    ):
        answer = talent.post(f"{path}/withdrawal", headers={"If-Match": tag})
        assert (answer.status_code, answer.json["code"]) == (412, "stale_version")
    assert read(talent, ticket) == ticket


def test_somebody_elses_ticket_is_not_there(world, talent):
    ticket = world.ticket(talent, "settlement")
    stranger = world.stranger()
    assert stranger.get(f"/v1/tickets/{ticket['id']}/withdrawal").status_code == 404
    assert back(stranger, ticket).status_code == 404
    assert read(talent, ticket)["status"] == "in_progress"
