"""Whatever is done to a pack, it is told what is wrong with it or it runs; nothing is raised."""

from __future__ import annotations

import copy
import re
from functools import cache

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.catalogue.rules import checks
from service.catalogue.rules.checks import parse_pack
from service.catalogue.rules.difference import files_of
from service.catalogue.rules.faults import CODES, FaultyPack
from tests.catalogue.packs import compiled, demo_files, plain, whole

FILES = demo_files()
PLAIN = {file: plain(file, content) for file, content in FILES.items()}
LINES = sorted({line for content in FILES.values() for line in content.decode().splitlines()})
ODD_LINES = ["", "  - x", "key: {", "null", "'", "code: 1.5", "? [a]", "- *x", "a: !!int 3", "---"]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 2, 10**15, 0.5, 1.0, -2.5, 1e-7]),
    st.sampled_from(["", " ", "a", "all", "subject", "2026-01-31", "12:30", "no", "x" * 600, "码"]),
    st.sampled_from([[], {}, [[]], [{}], [None], {"a": 1}, {"zh": "一", "en": "One"}]),
)
BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML counts lines
SEARCH = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Files that are as they were are read once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "read_document", cache(checks.read_document))
        yield


def nodes(value, path=()):
    """Every place within a value."""
    yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nodes(part, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


NODES = {file: list(nodes(value)) for file, value in PLAIN.items()}


@st.composite
def places(draw):
    """A file, and a place in it other than the whole."""
    file = draw(st.sampled_from(sorted(PLAIN)))
    return file, draw(st.sampled_from(NODES[file][1:]))


@st.composite
def operations(draw):
    """What is done at one place: what is there goes, comes twice, or something else comes."""
    file, path = draw(places())
    what = draw(st.sampled_from(["replace", "junk", "delete", "repeat", "add"]))
    if what == "junk":
        return file, path, what, draw(JUNK)
    other, there = draw(places())
    return file, path, what, at(PLAIN[other], there)


def done(value, path, what, other):
    """The value after it; as it was where the place has gone in the meantime."""
    try:
        home, key = at(value, path[:-1]), path[-1]
        home[key]
    except (LookupError, TypeError):
        return
    if not isinstance(home, dict | list):
        return
    if what in {"replace", "junk"}:
        home[key] = copy.deepcopy(other)
    elif what == "delete":
        del home[key]
    elif what == "repeat" and isinstance(home, list):
        home.insert(key, copy.deepcopy(home[key]))
    elif isinstance(home, list):
        home.append(copy.deepcopy(other))
    else:
        home[f"{key}_" if what == "repeat" else str(path[0])] = copy.deepcopy(other)


def changed(edits):
    """The files of the pack after these operations."""
    values = {file: copy.deepcopy(PLAIN[file]) for file, *_ in edits}
    for file, path, what, other in edits:
        done(values[file], path, what, other)
    return FILES | {
        file: yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False).encode()
        for file, value in values.items()
    }


def told_or_running(files):
    """Faults with a place in a file, or a pack of which everything can be published and run."""
    try:
        run(parse_pack(files))
    except FaultyPack as faulty:
        located(faulty.faults, files)


def located(faults, files):
    assert faults
    for fault in faults:
        text = files.get(fault.file, b"").decode(errors="replace")
        assert 1 <= fault.line <= len(BREAKS.findall(text)) + 2  # at its end, something lacks
        assert fault.code in CODES
        assert fault.told("zh")
        assert fault.told("en")


def run(pack):
    for code in pack.offerings:
        compiled(pack, code)
    for code in pack.bundles:
        whole(pack, code)
    files_of(pack)


@settings(max_examples=60, **SEARCH)
@given(data=st.data())
def test_lines_that_are_changed_at_random(data):
    file = data.draw(st.sampled_from(sorted(FILES)))
    lines = FILES[file].decode().splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    other = data.draw(st.sampled_from([*LINES, *ODD_LINES]))
    edit = data.draw(st.sampled_from(["replace", "insert", "cut", "indent"]))
    if edit == "replace":
        lines[place] = other
    elif edit == "insert":
        lines.insert(place, other)
    elif edit == "cut":
        del lines[place : place + data.draw(st.integers(1, 5))]
    else:
        lines[place] = "  " + lines[place]
    told_or_running(FILES | {file: "\n".join(lines).encode()})


@settings(max_examples=150, **SEARCH)
@given(edits=st.lists(operations(), min_size=1, max_size=3))
def test_values_that_are_changed_at_random(edits):
    told_or_running(changed(edits))


@settings(max_examples=40, **SEARCH)
@given(file=st.sampled_from(sorted(FILES)), content=st.binary(max_size=80))
def test_bytes_that_are_no_file_at_all(file, content):
    told_or_running(FILES | {file: content})


@settings(max_examples=30, **SEARCH)
@given(gone=st.sets(st.sampled_from(sorted(FILES)), min_size=1, max_size=4))
def test_files_that_are_gone(gone):
    told_or_running({file: one for file, one in FILES.items() if file not in gone})
