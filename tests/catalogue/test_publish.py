from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from service.catalogue import queries
from service.catalogue.actions import publish_pack
from service.catalogue.models import BundleVersion, OfferingVersion
from service.kernel.db import District
from service.kernel.errors import NotFound
from service.kernel.ids import new_id
from tests.catalogue.packs import demo_pack

PACK = demo_pack()
# Later than whatever the fixtures have published.
AT = datetime(2099, 1, 5, 9, tzinfo=UTC)
LATER = AT + timedelta(days=1)


def changed(pack, code, **changes):
    return replace(
        pack, offerings=pack.offerings | {code: replace(pack.offerings[code], **changes)}
    )


def versions(session, model, code):
    rows = session.execute(
        select(model.version, model.retired_at)
        .where(model.district_id == "demo", model.code == code)
        .order_by(model.version)
    )
    return [(version, retired_at) for version, retired_at in rows]


@pytest.fixture(autouse=True)
def nothing_compiled():
    queries.compiled.clear()


@pytest.fixture
def published(session):
    publish_pack(session, PACK, at=AT)
    return session


def test_publishing_twice_changes_nothing(published):
    again = publish_pack(published, PACK, at=LATER)
    assert (again.new, again.retired) == ((), ())
    assert {ref.split("@")[0] for ref in again.unchanged} == {
        "offerings/settlement",
        "offerings/housing_rent",
        "bundles/arrival",
    }


def test_a_change_makes_a_version_and_retires_the_former(published):
    before = versions(published, OfferingVersion, "settlement")
    number = before[-1][0]
    other = changed(PACK, "settlement", title={"zh": "落户", "en": "Settling"})
    told = publish_pack(published, other, at=LATER)
    assert told.new == (f"offerings/settlement@{number + 1}",)
    assert told.retired == (f"offerings/settlement@{number}",)
    after = versions(published, OfferingVersion, "settlement")
    assert after == [*before[:-1], (number, LATER), (number + 1, None)]


def test_a_changed_section_changes_the_offerings_that_ask_it(published):
    lease = replace(PACK.sections["lease"], title={"zh": "租约", "en": "Lease contract"})
    other = replace(PACK, sections=PACK.sections | {"lease": lease})
    told = publish_pack(published, other, at=LATER)
    assert [ref.split("@")[0] for ref in told.new] == ["offerings/housing_rent"]


def test_what_leaves_the_pack_is_retired_and_may_return(published):
    number = versions(published, OfferingVersion, "settlement")[-1][0]
    arrival = replace(PACK.bundles["arrival"], offerings=("housing_rent",))
    without = replace(
        PACK,
        offerings={"housing_rent": PACK.offerings["housing_rent"]},
        bundles={"arrival": arrival},
    )
    assert f"offerings/settlement@{number}" in publish_pack(published, without, at=AT).retired
    with pytest.raises(NotFound):
        queries.get_offering(published, "demo", "settlement")
    assert f"offerings/settlement@{number + 1}" in publish_pack(published, PACK, at=LATER).new


def test_the_district_keeps_its_other_settings(published):
    district = published.get_one(District, "demo")
    district.settings = {**district.settings, "extra": 1}
    published.flush()
    published.expire_all()
    publish_pack(published, replace(PACK, settings={"zone": "Asia/Urumqi"}), at=LATER)
    settings = published.scalars(select(District.settings).where(District.id == "demo")).one()
    assert (settings["extra"], settings["zone"]) == (1, "Asia/Urumqi")
    assert settings["administrative_code"] == "350100"


def test_a_bundle_comes_whole_in_one_statement(published, sql_count):
    for _ in ("cold", "warm"):
        with sql_count() as count:
            bundle = queries.current_bundle(published, "demo", "arrival")
        assert count.total == 1
        assert list(bundle.offerings) == ["settlement", "housing_rent"]
        assert [consent.ref for consent in bundle.consents] == ["processing@1", "sensitive@1"]
        forms = [form.code for form in bundle.forms]
        assert forms == ["applicant", "employment", "residence", "household", "lease"]
    kept = bundle.offerings["settlement"]
    assert queries.current_bundle(published, "demo", "arrival").offerings["settlement"] is kept


def test_what_was_filed_under_a_version_stays_under_it(published, sql_count):
    filed = queries.get_offering(published, "demo", "settlement")
    publish_pack(published, changed(PACK, "settlement", title={"zh": "新", "en": "New"}), at=LATER)
    assert queries.get_offering(published, "demo", "settlement").title["en"] == "New"
    with sql_count() as count:
        assert queries.offering_definition(published, "demo", filed.version_id) is filed
    assert count.total == 0
    queries.compiled.clear()
    with sql_count() as count:
        again = queries.offering_definition(published, "demo", filed.version_id)
    assert count.total == 1
    assert (again.version, again.title) == (filed.version, filed.title)


def test_lists_show_what_is_in_force(published, sql_count):
    publish_pack(published, changed(PACK, "settlement", title={"zh": "新", "en": "New"}), at=LATER)
    with sql_count() as count:
        listed = queries.list_offerings(published, "demo")
    assert count.total == 1
    assert [(one.code, one.title["en"]) for one in listed] == [
        ("housing_rent", "Rent subsidy for talents"),
        ("settlement", "New"),
    ]
    assert [one.code for one in queries.list_bundles(published, "demo")] == ["arrival"]


def test_what_is_unknown_is_not_found(published):
    assert queries.current_bundle(published, "demo", "departure") is None
    for ask in (
        lambda: queries.get_bundle(published, "demo", "departure"),
        lambda: queries.get_offering(published, "demo", "departure"),
        lambda: queries.offering_definition(published, "demo", new_id()),
        lambda: queries.get_offering(published, "elsewhere", "settlement"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_process_keeps_a_bounded_number_of_definitions(published, monkeypatch):
    monkeypatch.setattr(queries, "KEPT", 1)
    first = queries.get_offering(published, "demo", "settlement")
    queries.get_offering(published, "demo", "housing_rent")
    assert list(queries.compiled.of("demo")) != [first.version_id]
    assert len(queries.compiled.of("demo")) == 1
    bundle = queries.current_bundle(published, "demo", "arrival")
    assert list(bundle.offerings) == ["settlement", "housing_rent"]


def test_one_version_of_a_code_is_in_force(published):
    for model in (OfferingVersion, BundleVersion):
        publish_pack(published, changed(PACK, "settlement", title={"zh": "x", "en": "x"}), at=AT)
        in_force = (
            select(func.count())
            .where(model.district_id == "demo", model.retired_at.is_(None))
            .group_by(model.code)
        )
        assert set(published.scalars(in_force)) == {1}
