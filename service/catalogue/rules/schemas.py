"""The schemas of a pack: of sections, of kinds of facts, of results. Do they say what they must?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from operator import getitem
from typing import Any, Final

from service.catalogue.rules.clauses import (
    RESERVED,
    AllowedNames,
    condition_faults,
    fits,
    source_faults,
)
from service.catalogue.rules.declared import Declared
from service.catalogue.rules.faults import PackFault
from service.catalogue.rules.forms import BadSchema, Form
from service.catalogue.rules.reading import Document, Path
from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Truth, parse_condition
from service.routing.conditions.known import Known
from service.routing.flow import as_key

_SOME_DAY: Final = date(2026, 6, 1)


def form_faults(document: Document, at: Path) -> Iterator[PackFault]:
    """A schema compiles, its examples satisfy it and show every field, every choice has a title."""
    schema = reduce(getitem, at, document.value)
    try:
        form = Form(schema)
    except BadSchema as bad:
        yield document.fault((*at, *bad.path), "bad_schema", problem=bad.problem)
        return
    yield from _example_faults(document, at, form, schema["examples"])
    for name, declared in schema["properties"].items():
        if not any(name in example for example in schema["examples"]):
            yield document.fault((*at, "examples"), "example_incomplete", name=name)
        for option in declared.get("enum", ()):
            if as_key(option) not in declared.get("x-options", {}):
                path = (*at, "properties", name, "x-options")
                yield document.fault(path, "option_untitled", name=option)


def _example_faults(
    document: Document, at: Path, form: Form, examples: Sequence[Any]
) -> Iterator[PackFault]:
    for place, example in enumerate(examples):
        for error in form.errors(example):
            where = ".".join(map(str, error.instance_path)) or "the top"
            path = (*at, "examples", place, *error.instance_path)
            yield document.fault(path, "example_invalid", where=where, problem=error.message)


def section_faults(document: Document, declared: Declared) -> Iterator[PackFault]:
    """What is wrong with a section: its schema, its rules, where its first answers come from."""
    if document.value["code"] in RESERVED:
        yield document.fault(("code",), "reserved_code", name=document.value["code"])
    faults = list(form_faults(document, ("schema",)))
    yield from faults
    allowed = AllowedNames(declared, {document.value["code"]})
    for name, field in document.value["schema"]["properties"].items():
        path = ("schema", "properties", name, "x-prefill")
        yield from _prefill_faults(document, path, field, allowed)
    for place, rule in enumerate(document.value.get("rules", ())):
        yield from _rule_faults(document, ("rules", place), rule, declared, sound=not faults)


def _prefill_faults(
    document: Document, path: Path, field: Mapping[str, Any], allowed: AllowedNames
) -> Iterator[PackFault]:
    """The fact that a first answer comes from exists, and its values are answers."""
    prefill = field.get("x-prefill", {})
    faults = list(source_faults(document, path, prefill, allowed))
    yield from faults
    if faults or "fact" not in prefill:
        return
    kind, _, value = prefill["fact"].partition(".")
    for example in allowed.declared.examples("facts", kind):
        if value in example and not fits(field, example[value]):
            params = {"fact": prefill["fact"], "value": example[value]}
            yield document.fault((*path, "fact"), "prefill_unfit", **params)
            return


def _rule_faults(
    document: Document, path: Path, rule: Mapping[str, Any], declared: Declared, *, sound: bool
) -> Iterator[PackFault]:
    """A rule speaks of fields of its section alone, and every example keeps it."""
    code, schema = document.value["code"], document.value["schema"]
    if rule["at"] not in schema["properties"]:
        yield document.fault((*path, "at"), "unknown_field", section=code, name=rule["at"])
    allowed = AllowedNames(declared, {code}, facts=False, ages=False, requests=False)
    faults = list(condition_faults(document, (*path, "must"), rule["must"], allowed))
    yield from faults
    if faults or not sound:
        return
    condition = parse_condition(rule["must"])
    for place, example in enumerate(schema["examples"]):
        answer = evaluate(condition, Known(_SOME_DAY, {code: example}))
        if answer.truth is Truth.NOT_MET or answer.malformed:
            where = ("schema", "examples", place)
            yield document.fault(where, "example_breaks_rule", rule=rule["message"]["en"])
