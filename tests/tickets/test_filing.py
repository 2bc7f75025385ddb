from __future__ import annotations

from uuid import uuid4


def file(talent, body, key=None):
    headers = {} if key == "" else {"Idempotency-Key": key or uuid4().hex}
    return talent.post("/v1/tickets", json=body, headers=headers)


def test_a_filing_becomes_one_ticket_with_an_item_per_offering(world):
    ticket = world.ticket()
    assert [item["offering"] for item in ticket["items"]] == ["settlement", "housing_rent"]
    assert [item["number"] for item in ticket["items"]] == [
        f"{ticket['number']}-01",
        f"{ticket['number']}-02",
    ]
    assert {item["phase"] for item in ticket["items"]} == {"acceptance"}
