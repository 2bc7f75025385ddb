"""What is in force comes back as files, and says the same wherever it is published again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.catalogue.actions.files import load_pack, read_files, write_files
from service.catalogue.actions.installed import exported_files, installed_files
from service.catalogue.actions.publish import publish_pack, set_up_district
from service.catalogue.models import BundleVersion, OfferingVersion
from service.catalogue.queries.releases import newest_release
from service.catalogue.rules.difference import differences, files_of
from service.catalogue.rules.hints import hints
from service.kernel.db import Scope
from service.kernel.errors import NotFound
from service.kernel.settings import ROOT
from tests.catalogue.packs import demo_files, demo_pack, plain

PACK = demo_pack()
AT = datetime(2099, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
def published(session):
    publish_pack(session, PACK, at=AT)
    return session


@pytest.fixture
def exported(published, tmp_path):
    """The pack in force, as a folder of files."""
    folder = tmp_path / "demo"
    write_files(folder, exported_files(published, "demo"))
    return folder


@pytest.fixture
def elsewhere(database):
    """A transaction of a district that has nothing yet, rolled back at the end."""
    session = database.open(Scope.system("elsewhere"))
    yield session
    session.close()


def contents(session, model, district):
    rows = session.execute(
        select(model.code, model.content_hash)
        .where(model.district_id == district, model.retired_at.is_(None))
        .order_by(model.code)
    )
    return dict(rows.all())


def test_what_is_exported_is_the_pack_without_its_comments(published, exported):
    assert set(read_files(exported)) == set(demo_files())
    for file, content in read_files(exported).items():
        said = plain(file, demo_files()[file])
        written = plain(file, content)
        if file == "pack.yaml":
            release = newest_release(published, "demo")
            origin = {"district": "demo", "number": release.number, "hash": release.content_hash}
            assert written.pop("release") == origin
        assert written == ({"most": 1} | said if "materials/" in file else said)


def test_what_is_exported_has_no_fault_and_publishing_it_changes_nothing(published, exported):
    again = load_pack(exported)
    told = publish_pack(published, again, at=AT)
    assert (told.new, told.retired) == ((), ())
    assert len(told.unchanged) == len(PACK.offerings) + len(PACK.bundles)
    assert differences(installed_files(published, "demo"), files_of(again)) == []


def test_the_fields_of_a_form_are_exported_in_their_order(exported):
    for code in PACK.sections:
        file = f"sections/{code}.yaml"
        before, after = (plain(file, one[file]) for one in (demo_files(), read_files(exported)))
        assert list(after["schema"]["properties"]) == list(before["schema"]["properties"])


def test_in_another_district_it_is_the_same_pack(published, exported, elsewhere):
    main = exported / "pack.yaml"
    main.write_text(main.read_text().replace("district: demo", "district: elsewhere", 1))
    other = load_pack(exported)
    told = set_up_district(elsewhere, other, at=AT)
    assert (told.release, told.content_hash) == (1, other.origin.content_hash)
    assert newest_release(published, "demo").content_hash == told.content_hash
    assert {ref.partition("@")[2] for ref in told.new} == {"1"}
    for model in (OfferingVersion, BundleVersion):
        assert contents(elsewhere, model, "elsewhere") == contents(published, model, "demo")
    found = differences(installed_files(published, "demo"), installed_files(elsewhere, "elsewhere"))
    assert [str(one) for one in found] == ["~ pack.yaml: district: demo → elsewhere"]


def test_what_nothing_uses_is_not_published_and_not_exported(published):
    unused = {"unused": replace(PACK.sections["lease"], code="unused")}
    other = replace(PACK, sections=PACK.sections | unused)
    publish_pack(published, other, at=AT)
    assert "sections/unused.yaml" not in installed_files(published, "demo")
    assert differences(installed_files(published, "demo"), files_of(other)) == []


def test_consents_are_published_with_bundles_alone_which_a_hint_says(published):
    other = replace(PACK, bundles={})
    publish_pack(published, other, at=AT)
    assert installed_files(published, "demo")["pack.yaml"]["consents"] == []
    assert differences(installed_files(published, "demo"), files_of(other)) == []
    said = "pack_hint_no_bundle"
    assert said in {one.code for one in hints(other)}
    assert said not in {one.code for one in (*hints(PACK), *hints(replace(other, consents=())))}


def test_departments_that_are_no_longer_named_are_not_exported(published):
    fewer = tuple(one for one in PACK.departments if one.code != "hospital_alliance")
    publish_pack(published, replace(PACK, departments=fewer), at=AT)
    named = [one["code"] for one in installed_files(published, "demo")["pack.yaml"]["departments"]]
    assert named == [one.code for one in fewer]


def test_a_district_without_a_pack_has_nothing_to_export(elsewhere):
    for files in (installed_files, exported_files):
        with pytest.raises(NotFound):
            files(elsewhere, "elsewhere")


def test_every_file_names_the_schema_by_which_editors_check_it(exported):
    for file, content in read_files(exported).items():
        kind = "pack" if "/" not in file else file.partition("/")[0].removesuffix("s")
        first = content.decode().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        named = (exported / file).parent / first.partition("$schema=")[2]
        assert named.resolve() == ROOT / "config" / "schema" / f"{kind}.json"


def test_what_lies_in_a_folder_is_never_overwritten(tmp_path):
    mine = tmp_path / "pack.yaml"
    mine.write_text("mine")
    with pytest.raises(FileExistsError):
        write_files(tmp_path, {"pack.yaml": {"district": "demo"}})
    assert [one.name for one in tmp_path.iterdir()] == ["pack.yaml"]
    assert mine.read_text() == "mine"


WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp"]), max_size=30
)
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,7})(\.[0-9]{1,7})?", fullmatch=True)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    WORDS,
    NUMBERS,
    NUMBERS.map(lambda text: plain("a.yaml", f"a: {text}".encode())["a"]),
    st.sampled_from(["no", "12:30", "2026-01-31", "~", "null", "1.0", "0x1f", "1e3", "a\nb", "\t"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda parts: st.one_of(st.lists(parts, max_size=3), st.dictionaries(WORDS, parts, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@example(value={"small": 0.0000001, "other": [-0.00005, 0.5, 1234567.25]})
@given(value=st.dictionaries(WORDS, VALUES, max_size=4))
def test_whatever_a_pack_says_is_written_so_that_it_is_read_again(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("written")
    write_files(folder, {"sections/a.yaml": value})
    back = plain("sections/a.yaml", read_files(folder)["sections/a.yaml"])
    assert back == value
    assert repr(back) == repr(value)  # in the same order, and 1 is not true
