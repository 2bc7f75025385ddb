"""The schemas of a pack: of sections, of kinds of facts, of results. Do they say what they must?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from service.catalogue.rules.declared import TRIED_ON, Declared
from service.catalogue.rules.faults import PackFault, Words
from service.catalogue.rules.forms import BadSchema, Form, problem_of, where_of
from service.catalogue.rules.reading import Document, Path
from service.kernel.shown import as_key
from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Condition, Truth, parse_condition, sources
from service.routing.conditions.known import Known
from service.routing.graph import reachable


def form_faults(document: Document, at: Path, *, section: bool = False) -> Iterator[PackFault]:
    """A schema compiles, its examples satisfy it and show every field, every choice has a title.

    `section`: it is that of a section, whose fields alone depend on others and are prefilled.
    """
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
        yield from _option_faults(document, (*at, "properties", name), declared)
    yield from _idle_faults(document, at, section=section)


_TO_A_FIELD: Final = 2
_BY_NAME: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
"""The keywords of JSON Schema whose value has a schema under each name."""
_VALUES: Final = frozenset({"examples", "enum", "const", "default"})
"""The keywords whose value is no schema, whatever it looks like."""


def _idle_faults(document: Document, at: Path, *, section: bool) -> Iterator[PackFault]:
    """What counts at the fields of a section alone stands nowhere else, where it does nothing."""
    schema = reduce(getitem, at, document.value)
    for path in _schemas_within(schema):
        if section and len(path) == _TO_A_FIELD and path[0] == "properties":
            continue
        for key in ("x-when", "x-prefill"):
            if key in reduce(getitem, path, schema):
                yield document.fault((*at, *path, key), "not_at_a_field", name=key)


def _schemas_within(schema: Mapping[str, Any]) -> Iterator[Path]:
    """The paths of a schema and of all schemas that stand in it."""
    todo: list[tuple[Path, Any, bool]] = [((), schema, True)]
    while todo:
        path, here, is_schema = todo.pop()
        if isinstance(here, list):
            todo += [((*path, place), part, True) for place, part in enumerate(here)]
        elif isinstance(here, Mapping) and not is_schema:
            todo += [((*path, name), part, True) for name, part in here.items()]
        elif isinstance(here, Mapping):
            yield path
            todo += [
                ((*path, key), part, key not in _BY_NAME)
                for key, part in here.items()
                if key not in _VALUES and not key.startswith("x-")
            ]


def _option_faults(
    document: Document, path: Path, declared: Mapping[str, Any]
) -> Iterator[PackFault]:
    """Every option stands once and has a title, every title has an option.

    Options are told apart as titles name them: 1 and "1" would be one, so are 1.10 and 1.1. Those
    of a list are the options of its entries; their titles stand at the field, or at the entries.
    """
    items = declared.get("items")
    entries = items if isinstance(items, Mapping) else {}
    at_entries = "x-options" in entries and not declared.get("x-options")
    titled = (*path, "items", "x-options") if at_entries else (*path, "x-options")
    titles = entries["x-options"] if at_entries else declared.get("x-options", {})
    named = set[str]()
    for where, schema in ((path, declared), ((*path, "items"), entries)):
        options = [as_key(one) for one in schema.get("enum", ())]
        for place, option in enumerate(options):
            if option in options[:place]:
                yield document.fault((*where, "enum", place), "option_repeated", name=option)
            elif option not in titles:
                yield document.fault(titled, "option_untitled", name=option)
        named.update(options)
    for title in titles:
        if title not in named:
            yield document.fault((*titled, title), "title_of_no_option", name=title)


def _example_faults(
    document: Document, at: Path, form: Form, examples: Sequence[Any]
) -> Iterator[PackFault]:
    for place, example in enumerate(examples):
        for error in form.errors(example):
            path = (*at, "examples", place, *error.instance_path)
            told = {"where": where_of(error), "problem": problem_of(error)}
            yield document.fault(path, "example_invalid", **told)


def section_faults(document: Document, declared: Declared) -> Iterator[PackFault]:
    """What is wrong with a section: its schema, its rules, where its first answers come from."""
    if document.value["code"] in RESERVED:
        yield document.fault(("code",), "reserved_code", name=document.value["code"])
    faults = list(form_faults(document, ("schema",), section=True))
    yield from faults
    allowed = AllowedNames(declared, {document.value["code"]})
    for name, field in document.value["schema"]["properties"].items():
        path = ("schema", "properties", name, "x-prefill")
        yield from _prefill_faults(document, path, field, allowed)
    yield from _conditional_faults(document, declared, sound=not faults)
    for place, rule in enumerate(document.value.get("rules", ())):
        yield from _rule_faults(document, ("rules", place), rule, declared, sound=not faults)


def _conditional_faults(
    document: Document, declared: Declared, *, sound: bool
) -> Iterator[PackFault]:
    """A field applies by fields of its section alone, and no example has it where it does not."""
    code, schema = document.value["code"], document.value["schema"]
    allowed = AllowedNames(declared, {code}, facts=False, ages=False, requests=False)
    depends = dict[str, list[str]]()
    for name, field in schema["properties"].items():
        if "x-when" not in field:
            continue
        path = ("schema", "properties", name, "x-when")
        faults = list(condition_faults(document, path, field["x-when"], allowed))
        if name in schema.get("required", ()):
            faults.append(document.fault(path, "required_and_conditional"))
        yield from faults
        if faults:
            continue
        when = parse_condition(field["x-when"])
        depends[name] = [source.parts[1] or "" for source in sources(when)]
        if sound:
            yield from _left_out_faults(document, name, when)
    for name in depends:
        if name in reachable(depends, name):
            path = ("schema", "properties", name, "x-when")
            yield document.fault(path, "depends_on_itself", name=name)


def _left_out_faults(document: Document, name: str, when: Condition) -> Iterator[PackFault]:
    for place, example in enumerate(document.value["schema"]["examples"]):
        known = Known(TRIED_ON, {document.value["code"]: example})
        if name in example and evaluate(when, known).truth is Truth.NOT_MET:
            yield document.fault(("schema", "examples", place, name), "example_left_out")


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
        answer = evaluate(condition, Known(TRIED_ON, {code: example}))
        if answer.truth is Truth.NOT_MET or answer.malformed:
            where = ("schema", "examples", place)
            yield document.fault(where, "example_breaks_rule", rule=Words(**rule["message"]))
