"""Which districts an installation serves; a district that there is not is said to be none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.catalogue.actions.publish import set_up_district
from service.kernel import clock
from service.kernel.db import Scope
from tests.packs import demo_pack


def district(client, code):
    return {one["code"]: one for one in client.get("/v1/districts").json["items"]}.get(code)


def test_a_district_has_its_name_zone_and_office_hours(client):
    assert district(client, "demo") == {
        "code": "demo",
        "name": {
            "zh": "东湾高新区（示范）",
            "en": "Dongwan High-tech Zone (demonstration)",
        },
        "zone": "Asia/Shanghai",
        "office_hours": [
            {"opens": "09:00", "closes": "12:00"},
            {"opens": "13:30", "closes": "18:00"},
        ],
        "default": True,
    }


def test_another_district_stands_beside_it_once_its_pack_is_published(client, database):
    assert district(client, "hubin") is None
    pack = demo_pack()
    hubin = replace(
        pack, district="hubin", settings={**pack.settings, "administrative_code": "330100"}
    )
    with database.transaction(Scope.system("hubin")) as session:
        set_up_district(session, hubin, at=clock.now())
    found = district(client, "hubin")
    assert (found["zone"], found["default"]) == ("Asia/Shanghai", False)
    assert district(client, "demo")["default"]
    assert client.get("/v1/offerings?district=hubin").json["items"]
    answer = client.post("/v1/auth/wechat", json={"code": "demo:hu", "district": found["code"]})
    assert answer.json["account"]["district"] == "hubin"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/offerings",
        "/v1/offerings/settlement",
        "/v1/bundles",
        "/v1/bundles/arrival",
        "/v1/bundles/arrival/form",
    ],
)
def test_a_district_that_there_is_not_is_refused(client, path):
    answer = client.get(f"{path}?district=nowhere")
    assert (answer.status_code, answer.json["code"]) == (422, "district_unknown")
    assert [fault["path"] for fault in answer.json["errors"]] == ["district"]
    assert client.get(f"{path}?district=demo").status_code == 200


def test_one_s_own_district_costs_no_statement_more(client, sql_count):
    with sql_count() as plain:
        client.get("/v1/bundles")
    with sql_count() as named:
        client.get("/v1/bundles?district=demo")
    assert named.total == plain.total
