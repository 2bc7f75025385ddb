"""What publishing a pack may not do unasked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from service.catalogue.rules.contents import consent_content
from service.catalogue.rules.publication import Installed, refusals
from service.catalogue.rules.releases import content_hash
from tests.catalogue.packs import demo_files, demo_pack, plain

PACK = demo_pack()
MINE = frozenset(PACK.offerings)
CODE = PACK.settings["administrative_code"]
AS_IT_IS = {(one.code, one.version): consent_content(one) for one in PACK.consents}
INSTALLED = Installed(MINE, AS_IT_IS, CODE)


WORDS = {
    "processing@1": "7f6768b2d2899a34d9232ef18578077c259d0737386da521e90019ca7733de8e",
    "sensitive@1": "59d2a60ac4e44f2c50146073c102edae0fd452cadafdd9b5d245c8d11aeda23b",
    "enterprise@2": "63e5df57a0d5d68413e583b696cfaab681263da7e58963693a355c274b1ec4d6",
}
"""The hash of every consent of the demonstration pack, as it was published for the first time."""


def refused(pack, installed, **asked):
    found = list(refusals(pack, installed, **asked))
    assert all(one.told(language) for one in found for language in ("zh", "en"))
    return [one.code for one in found]


@pytest.mark.parametrize("installed", [Installed(), INSTALLED], ids=["new", "as before"])
def test_what_is_new_or_as_before_is_published(installed):
    assert refused(PACK, installed) == []
    assert refused(PACK, installed, district="demo") == []


def test_a_pack_of_another_district_is_refused_whatever_else_was_said():
    asked = {"district": "xihu", "retire": True, "recode": True}
    assert refused(PACK, INSTALLED, **asked) == ["publish_other_district"]


@pytest.mark.parametrize(
    ("kept", "gone", "held"),
    [(8, 0, False), (8, 4, False), (8, 5, True), (0, 1, True), (0, 0, False), (1, 1, True)],
)
def test_more_than_a_third_goes_when_asked_alone(kept, gone, held):
    before = frozenset(sorted(MINE)[:kept]) | {f"other_{number}" for number in range(gone)}
    installed = replace(INSTALLED, offerings=before)
    assert refused(PACK, installed) == (["publish_retires_many"] if held else [])
    assert refused(PACK, installed, retire=True) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": {"zh": "另文", "en": "Other words"}}, "publish_consent_changed"),
        ({"title": {"zh": "另题", "en": "Another title"}}, "publish_consent_changed"),
        ({"optional": True}, "publish_consent_changed"),
        ({"version": 2, "text": {"zh": "另文", "en": "Other words"}}, None),
    ],
)
def test_the_words_of_a_version_of_a_consent_never_change(change, code):
    changed = replace(PACK.consents[0], **change)
    pack = replace(PACK, consents=(changed, *PACK.consents[1:]))
    asked = {"retire": True, "recode": True}
    assert refused(pack, INSTALLED, **asked) == ([] if code is None else [code])


def test_whoever_changes_a_consent_of_the_demonstration_raises_its_version():
    """Districts that have published it could publish no later pack: then add a line above."""
    assert {one.ref: content_hash(consent_content(one)) for one in PACK.consents} == WORDS


def test_a_version_of_a_consent_does_not_go_backwards():
    newer = {("processing", 2): {"any": "words"}, **AS_IT_IS}
    assert refused(PACK, replace(INSTALLED, consents=newer)) == ["publish_consent_older"]


def test_another_administrative_code_takes_a_word():
    installed = replace(INSTALLED, administrative_code="350200")
    assert refused(PACK, installed) == ["publish_other_code"]
    assert refused(PACK, installed, recode=True) == []


def test_two_districts_do_not_number_alike():
    installed = replace(INSTALLED, elsewhere=["xihu"])
    assert refused(PACK, installed, recode=True, retire=True) == ["publish_code_taken"]


def test_no_chinese_text_of_the_demonstration_is_folded_with_a_blank():
    def texts(value):
        if isinstance(value, dict):
            yield from [value["zh"]] if isinstance(value.get("zh"), str) else []
            for part in value.values():
                yield from texts(part)
        if isinstance(value, list | tuple):
            for part in value:
                yield from texts(part)

    every = [text for file, content in demo_files().items() for text in texts(plain(file, content))]
    assert len(every) > 500
    folded = re.compile("[\u3001\u3002\uff0c\uff1b\uff1a\u4e00-\u9fff] [\u4e00-\u9fff]")
    assert [text for text in every if folded.search(text)] == []
