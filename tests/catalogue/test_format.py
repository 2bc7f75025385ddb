"""The published format: JSON Schemas by which an editor completes and checks a pack's files."""

from __future__ import annotations

from pathlib import PurePosixPath

import jsonschema_rs
import orjson
import pytest

from service.catalogue.actions.files import format_files
from service.catalogue.rules.declared import FOLDERS
from service.catalogue.rules.shape import KINDS
from service.kernel.settings import ROOT
from tests.catalogue.packs import DEMO, demo_files, plain

SCHEMAS = ROOT / "config" / "schema"
FILES = sorted(demo_files())


def kind_of(file):
    folder = str(PurePosixPath(file).parent)
    return FOLDERS.get(folder, "pack")


def published(kind):
    return orjson.loads((SCHEMAS / f"{kind}.json").read_bytes())


def test_what_is_published_is_what_the_check_goes_by():
    written = format_files(SCHEMAS)
    assert {file.stem for file in written} == set(KINDS)
    assert {file: file.read_bytes() for file in SCHEMAS.iterdir()} == written


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_stands_by_itself(kind):
    jsonschema_rs.meta.validate(published(kind))
    text = orjson.dumps(published(kind)).decode()
    for reference in {part.partition('"')[0] for part in text.split('"$ref":"')[1:]}:
        assert reference.removeprefix("#/$defs/") in published(kind)["$defs"]


@pytest.mark.parametrize("file", FILES)
def test_a_plain_validator_takes_every_file_of_the_demonstration(file):
    validator = jsonschema_rs.Draft202012Validator(published(kind_of(file)), offline=True)
    errors = [error.message for error in validator.iter_errors(plain(file, demo_files()[file]))]
    assert errors == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_validator_refuses_a_file_of_another_kind(kind):
    validator = jsonschema_rs.Draft202012Validator(published(kind), offline=True)
    others = {kind_of(file): file for file in FILES if kind_of(file) != kind}
    assert len(others) == len(KINDS) - 1
    for file in others.values():
        assert not validator.is_valid(plain(file, demo_files()[file]))


@pytest.mark.parametrize("file", FILES)
def test_every_file_names_its_schema_in_its_first_line(file):
    before, _, named = demo_files()[file].decode().partition("\n")[0].partition("$schema=")
    assert before == "# yaml-language-server: "
    schema = (DEMO / file).parent / named
    assert schema.resolve() == SCHEMAS / f"{kind_of(file)}.json"
    assert schema.exists()
