"""Which tables a piece of SQL names, and of which family they are.

A distributed engine keeps the district family on its shards and the global family elsewhere; it
refuses a statement that names both, and an INSERT from a SELECT on a protected table. The reference
tables are everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import service.worker  # noqa: F401 - fills the metadata with every slice's tables
from service.kernel.db import Base, DistrictScoped

DISTRICT = frozenset(
    mapper.local_table.name
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, DistrictScoped)
)
REFERENCE = frozenset({"districts"})
GLOBAL = frozenset(Base.metadata.tables) - DISTRICT - REFERENCE
# Functions that read the global family: for one row of the district family after the other they
# would run where it is not.
OF_GLOBAL = frozenset(
    {
        "employer_names",
        "identity_cases_of",
        "identity_family_of",
        "identity_kin",
        "identity_same",
        "identity_login",
        "identity_names_at_work",
        "identity_refresh",
        "identity_session",
        "person_key",
        "person_keys_made",
        "person_keys_of",
    }
)

_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_]\w*|\S')
_NAMES = {"FROM", "JOIN", "INTO", "UPDATE", "USING"}
_SKIPPED = {"ONLY", "LATERAL", "PUBLIC", "."}
_OVER = {"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "SET", "VALUES", "RETURNING", "SELECT"}


@cache
def tables_of(text: str) -> frozenset[str]:
    """The tables that stand in the FROM, JOIN, INTO, UPDATE or USING of a statement."""
    return frozenset(name for name in _names(text) if name in Base.metadata.tables)


def _names(text: str) -> Iterator[str]:
    listed, expected = [False], False
    for token in _TOKEN.findall(_NOISE.sub(" ", text)):
        word = token.upper()
        if word == "(":
            listed.append(False)
            expected = False
        elif word == ")":
            listed = listed[:-1] or [False]
        elif word in _NAMES:
            listed[-1], expected = word != "UPDATE", True
        elif word == ",":
            expected = listed[-1]
        elif word in _OVER:
            listed[-1], expected = False, False
        elif expected and word not in _SKIPPED:
            yield token.strip('"')
            expected = False


@cache
def fault_of(text: str) -> str | None:
    """What a distributed engine would refuse in a statement; None for one that it takes."""
    named = tables_of(text)
    plain = _NOISE.sub(" ", text)
    called = set(_TOKEN.findall(plain)) & OF_GLOBAL
    if named & DISTRICT and (named & GLOBAL or called):
        return f"both families: {sorted(named | called)}"
    if re.search(r"\bINSERT INTO [\w.\"]+ *(\([^)]*\))? *\(? *(SELECT|WITH)\b", plain):
        return "INSERT from a SELECT"
    return None
