"""`talent pack` as somebody types it, on the database of this module."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import datetime

import pytest
from click.testing import CliRunner

from service.catalogue.actions.files import format_files, read_files
from service.catalogue.rules.hints import hints
from service.cli import main
from tests.catalogue.packs import DEMO, demo_pack

EVERYTHING = len(demo_pack().offerings) + len(demo_pack().bundles)
SETTLEMENT = "offerings/settlement.yaml"
CODES = {"nowhere": "350101", "north": "350102", "south": "350103", "west": "350104"}


pytestmark = pytest.mark.usefixtures("whole_district")


@pytest.fixture
def talent(settings):
    """Types a command; what it says and how it ends is the answer."""

    def typed(*words):
        return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)

    return typed


@pytest.fixture
def pack(tmp_path):
    """A copy of the demonstration pack to work on."""
    return shutil.copytree(DEMO, tmp_path / "copy" / "packs" / "demo")


def edit(folder, file, old, new):
    path = folder / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def into(folder, district):
    """The pack, for another district: what is published there is nobody else's."""
    edit(folder, "pack.yaml", "district: demo", f"district: {district}")
    edit(folder, "pack.yaml", '"350100"', f'"{CODES[district]}"')
    return folder


def said(answer):
    assert answer.exit_code == 0, answer.output
    return answer.stdout.splitlines()


def test_a_good_pack_has_nothing_wrong(talent):
    wrong, content = said(talent("pack", "check", DEMO))
    assert wrong == "nothing wrong"
    assert re.fullmatch("hash [0-9a-f]{64}", content)


def test_a_bad_pack_is_told_line_by_line_and_fails(talent, pack):
    edit(pack, SETTLEMENT, "role: reviewer", "role: auditor")
    edit(pack, SETTLEMENT, "promise: {working_days: 5}", "promise: {working_days: soon}")
    for command in ("check", "publish", "diff"):
        answer = talent("pack", command, pack)
        assert answer.exit_code == 1
        assert answer.stdout == ""
        first, second, last = answer.stderr.splitlines()
        assert first.startswith(f"{SETTLEMENT}:66: flow.promise.working_days: must be of type")
        assert second.startswith(f"{SETTLEMENT}:88: flow.stages.1.role: ")
        assert last == "Error: 2 faults"


@pytest.mark.parametrize(
    ("words", "locale", "told"),
    [
        ((), "zh_CN.UTF-8", "（整个文件）: kind 后面是全角冒号（：），不是 YAML 的冒号"),
        ((), "C.UTF-8", "(whole file): the colon behind kind is a full-width one"),
        (("--language", "zh"), "C.UTF-8", "（整个文件）: kind 后面是全角冒号"),
        (("--language", "en"), "zh_CN.UTF-8", "(whole file): the colon behind kind"),
    ],
)
def test_faults_are_told_in_the_language_of_who_types(
    talent, pack, monkeypatch, words, locale, told
):
    monkeypatch.setenv("LC_ALL", locale)
    path = pack / SETTLEMENT
    lines = path.read_text("utf-8").splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if "kind: acceptance" in line)
    lines[place] = lines[place].replace("kind: ", "kind： ")
    path.write_text("".join(lines), "utf-8")
    answer = talent("pack", "check", pack, *words)
    assert answer.exit_code == 1
    [line, _] = answer.stderr.splitlines()
    assert line.startswith(f"{SETTLEMENT}:{place + 1}: {told}")


def test_a_good_pack_is_told_in_chinese_too(talent, pack):
    (pack / "materials" / "photo.yaml").write_text(
        "code: photo\nscope: item\ntitle: {zh: 照片, en: Photo}\nformats: [jpg]\n", "utf-8"
    )
    answer = talent("pack", "check", pack, "--language", "zh")
    assert answer.stdout.startswith("没有错误\n")
    assert answer.stderr == "提示：没有事项要求材料 photo\n"


def test_what_nobody_can_file_and_nothing_uses_is_a_hint_and_no_fault(talent, pack):
    home = pack / "bundles" / "arrival.yaml"
    text = home.read_text("utf-8")
    assert "schooling, spouse,\n   medical]" in text
    cut = text.replace("schooling, spouse,\n   medical]", "schooling, spouse]")
    head, edges = cut.split("edges:\n")
    kept = [edge for edge in edges.split("  - from: ") if "medical" not in edge]
    home.write_text(f"{head}edges:\n{'  - from: '.join(kept)}", "utf-8")
    (pack / "materials" / "photo.yaml").write_text(
        "code: photo\nscope: item\ntitle: {zh: 照片, en: Photo}\nformats: [jpg]\n", "utf-8"
    )
    answer = talent("pack", "check", pack)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("nothing wrong\n")
    assert answer.stderr.splitlines() == [
        "hint: offering medical is in no bundle: nobody can file it",
        "hint: no offering asks for material photo",
    ]


def test_a_consent_by_which_nobody_can_follow_is_a_hint():
    """The employer is found by one field of one section; a pack without it would never say so."""
    pack = demo_pack()
    sections = {**pack.sections, "employment": replace(pack.sections["employment"], schema={})}
    assert list(hints(pack)) == []
    (hint,) = hints(replace(pack, sections=sections))
    assert hint.told("en").startswith("no section employment asks for employer_code")
    assert list(hints(replace(pack, sections=sections, consents=pack.consents[:2]))) == []


def test_a_folder_that_is_named_like_a_file_is_passed_over(talent, pack):
    (pack / "offerings" / "drafts.yaml").mkdir()
    assert said(talent("pack", "check", pack)) == said(talent("pack", "check", DEMO))


def test_what_is_in_force_is_no_different(talent):
    assert said(talent("pack", "diff", DEMO)) == ["0 differences"]


def test_what_would_change_is_told_and_not_done(talent, pack):
    edit(pack, SETTLEMENT, "en: Household registration for talents", "en: Settling")
    edit(pack, "pack.yaml", "zone: Asia/Shanghai", "zone: Asia/Urumqi")
    (pack / "materials" / "photo.yaml").write_text(
        "code: photo\nscope: item\ntitle: {zh: 照片, en: Photo}\nformats: [jpg]\n", "utf-8"
    )
    edit(pack, SETTLEMENT, "  - {code: id_card}\n", "  - {code: id_card}\n  - {code: photo}\n")
    for _ in range(2):
        assert said(talent("pack", "diff", pack)) == [
            "+ materials/photo.yaml",
            f"~ {SETTLEMENT}: title.en: Household registration for talents → Settling",
            f"+ {SETTLEMENT}: materials.photo",
            "~ pack.yaml: zone: Asia/Shanghai → Asia/Urumqi",
            "4 differences",
        ]


def test_everything_is_new_in_a_district_that_has_nothing(talent, pack):
    lines = said(talent("pack", "diff", into(pack, "nowhere")))
    assert lines[:-1] == [f"+ {file}" for file in sorted(read_files(pack))]
    assert lines[-1] == f"{len(lines) - 1} differences"


def test_publishing_says_what_is_new_and_what_is_retired(talent, pack):
    first = talent("pack", "publish", into(pack, "north"))
    hints = first.stderr.splitlines()  # nobody works there yet
    assert "hint: nobody is clerk in construction" in hints
    assert all(hint.startswith("hint: nobody is ") for hint in hints)
    lines = said(first)
    assert len(lines) == EVERYTHING + 2
    assert "new      offerings/settlement@1" in lines
    content = said(talent("pack", "check", pack))[1]
    assert lines[-2:] == ["0 unchanged", f"release 1 (new), {content}"]
    assert said(talent("pack", "publish", pack)) == [
        f"{EVERYTHING} unchanged",
        f"release 1 (as before), {content}",
    ]
    edit(pack, SETTLEMENT, "en: Household registration for talents", "en: Settling")
    assert said(talent("pack", "publish", pack)) == [
        "new      offerings/settlement@2",
        "retired  offerings/settlement@1",
        f"{EVERYTHING - 1} unchanged",
        f"release 2 (new), {said(talent('pack', 'check', pack))[1]}",
    ]
    assert said(talent("pack", "diff", pack)) == ["0 differences"]


def test_a_folder_of_another_district_publishes_nothing(talent, pack):
    answer = talent("pack", "publish", pack, "--district", "north", "--language", "zh")
    assert answer.exit_code == 1
    assert answer.stdout == ""
    told, last = answer.stderr.splitlines()
    assert told == "配置包属于 demo，而要求发布的是 north"
    assert last == "Error: 没有发布任何内容"


def test_what_would_do_harm_is_refused_all_at_once_and_done_when_asked(talent, pack):
    said(talent("pack", "publish", into(pack, "west")))
    before = said(talent("pack", "releases", "west"))
    edit(pack, "pack.yaml", f'"{CODES["west"]}"', '"350100"')
    edit(
        pack, "pack.yaml", "version: 1\n    title: {zh: 个人信息", "version: 1\n    title: {zh: 另"
    )
    for offering in ("recognition", "settlement", "spouse"):
        (pack / "offerings" / f"{offering}.yaml").unlink()
    arrival = pack / "bundles" / "arrival.yaml"
    whole = arrival.read_text("utf-8")
    head, rest = whole.partition("offerings:")[0], "offerings: [medical]\n"
    arrival.write_text(head + rest, "utf-8")
    for file in (pack / "offerings").glob("*.yaml"):
        if file.stem != "medical":
            file.unlink()
    medical = pack / "offerings" / "medical.yaml"
    medical.write_text(
        medical.read_text("utf-8").replace("        - {requested: recognition}\n", ""), "utf-8"
    )
    answer = talent("pack", "publish", pack)
    assert answer.exit_code == 1, answer.output
    told = answer.stderr.splitlines()
    assert any("7 of 8 offerings would be retired" in line for line in told)
    assert any("the administrative code would become 350100" in line for line in told)
    assert any("is that of demo already" in line for line in told)
    assert said(talent("pack", "releases", "west")) == before


def test_what_is_exported_can_be_published_again(talent, tmp_path):
    folder = tmp_path / "out"
    newest = said(talent("pack", "releases", "demo"))[0].split()
    number, content = newest[0], f"hash {newest[2]}"
    files = f"{len(read_files(DEMO))} files: release {number}, {content}"
    assert said(talent("pack", "export", "demo", folder)) == [files]
    checked = ["nothing wrong", content, f"is release {number} of demo"]
    assert said(talent("pack", "check", folder)) == checked
    assert said(talent("pack", "diff", folder)) == ["0 differences"]
    assert said(talent("pack", "publish", folder)) == [
        f"{EVERYTHING} unchanged",
        f"release {number} (as before), {content}",
    ]


def test_an_export_that_was_edited_is_no_longer_the_release(talent, tmp_path):
    folder = tmp_path / "out"
    said(talent("pack", "export", "demo", folder))
    content = said(talent("pack", "check", folder))[1]
    edit(folder, SETTLEMENT, "en: Household registration for talents", "en: Settling")
    _, other, origin = said(talent("pack", "check", folder))
    assert other != content
    assert origin.startswith("is no longer release ")


def test_the_releases_of_a_district_are_listed_the_newest_first(talent, pack):
    said(talent("pack", "publish", into(pack, "south")))
    first = said(talent("pack", "check", pack))[1].removeprefix("hash ")
    edit(pack, "pack.yaml", "zone: Asia/Shanghai", "zone: Asia/Urumqi")
    said(talent("pack", "publish", pack))
    newest = said(talent("pack", "check", pack))[1].removeprefix("hash ")
    listed = [line.split() for line in said(talent("pack", "releases", "south"))]
    assert [(number, content) for number, _, content in listed] == [("2", newest), ("1", first)]
    assert all(datetime.fromisoformat(at).tzinfo for _, at, _ in listed)


def test_a_district_without_a_pack_has_no_releases(talent):
    answer = talent("pack", "releases", "atlantis")
    assert answer.exit_code == 1
    assert answer.stderr == "Error: no pack is published in atlantis\n"


def test_an_export_into_an_empty_folder_that_is_there(talent, tmp_path):
    said(talent("pack", "export", "demo", tmp_path))
    assert (tmp_path / "pack.yaml").exists()


def test_an_export_overwrites_nothing(talent, pack):
    before = read_files(pack)
    answer = talent("pack", "export", "demo", pack)
    assert answer.exit_code == 1
    assert answer.stderr == f"Error: {pack} is not empty\n"
    assert read_files(pack) == before


def test_an_export_of_a_district_that_has_no_pack(talent, tmp_path):
    answer = talent("pack", "export", "atlantis", tmp_path / "out")
    assert answer.exit_code == 1
    assert answer.stderr == "Error: no pack is published in atlantis\n"
    assert not (tmp_path / "out").exists()


def test_the_published_format_is_up_to_date(talent):
    assert said(talent("pack", "schema", "--check")) == []


def test_a_format_that_is_out_of_date_is_told_and_written_anew(talent, tmp_path, monkeypatch):
    (tmp_path / "config").mkdir()
    monkeypatch.setattr("service.kernel.settings.ROOT", tmp_path)
    folder = tmp_path / "config" / "schema"
    answer = talent("pack", "schema", "--check")
    assert answer.exit_code == 1
    assert answer.stderr == "Error: pack.json is out of date: make spec\n"
    assert not folder.exists()
    assert said(talent("pack", "schema")) == []
    assert {file: file.read_bytes() for file in folder.iterdir()} == format_files(folder)
    (folder / "section.json").write_text("{}")
    assert "section.json is out of date" in talent("pack", "schema", "--check").stderr
