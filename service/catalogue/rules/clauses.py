"""Conditions of a pack against what it declares: do the names exist, do the types fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Final

from service.catalogue.rules.declared import TRIED_AT_MOST, TRIED_ON, Declared, Schema
from service.catalogue.rules.faults import PackFault, Words
from service.catalogue.rules.forms import BadSchema, Form
from service.catalogue.rules.reading import Document, Path
from service.kernel.expressions import BadExpression, ExpressionFailed
from service.kernel.shown import as_key
from service.routing.conditions.asked import (
    DATED,
    DEEPEST,
    CelClause,
    MalformedCondition,
    Source,
    SourceKind,
    parse_condition,
)
from service.routing.conditions.expressed import cel_cases
from service.routing.conditions.known import Known, NotKnown, stated_year
from service.routing.dates import day_of

RESERVED: Final = ("today", "facts")
"""Names that expressions have besides the sections."""
_CAME_TO: Final[Schema] = {"enum": ["passed", "rejected", "skipped"]}
_AGE: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 150}
_ORDERED: Final = ("at_least", "at_most")
_DAYS: Final = ("date", "birth-date")
"""The formats of days."""
_NO_DATE: Final = Words.of("problem_no_date")
_NO_YEARS: Final = ("this year", "year", "202", "20260", "2026-1", 0, 10000, True)
"""What states no year; a field that takes any of these is no year."""


@dataclass(frozen=True)
class AllowedNames:
    """What a condition at one place of a pack may refer to.

    `sections`: codes of the sections whose answers are known there. `stages`: keys of the stages
    that can have come to something by then, of `all_stages` of the flow. `about_family`: whether
    there is a subject other than the applicant. `facts`, `ages`, `requests`: whether facts, birth
    dates and the other offerings of the filing are known there; ages are at filing, not to the
    departments later. `own`: the code of the offering that the condition belongs to.
    """

    declared: Declared
    sections: Collection[str]
    stages: Collection[str] = ()
    all_stages: Collection[str] = ()
    about_family: bool = False
    facts: bool = True
    ages: bool = True
    requests: bool = True
    own: str = ""


def condition_faults(
    document: Document, path: Path, raw: Mapping[str, Any], allowed: AllowedNames, *, depth: int = 1
) -> Iterator[PackFault]:
    """What is wrong with a condition of the right shape, clause by clause."""
    if depth > DEEPEST:
        yield document.fault(path, "nested_too_deep", deepest=DEEPEST)
        return
    for key in ("all", "any"):
        for place, part in enumerate(raw.get(key, ())):
            at = (*path, key, place)
            yield from condition_faults(document, at, part, allowed, depth=depth + 1)
    if "not" in raw:
        at = (*path, "not")
        yield from condition_faults(document, at, raw["not"], allowed, depth=depth + 1)
    if "cel" in raw:
        yield from _cel_faults(document, path, raw, allowed)
    elif not raw.keys() & {"all", "any", "not"}:
        yield from _clause_faults(document, path, raw, allowed)


def source_faults(
    document: Document, path: Path, raw: Mapping[str, Any], allowed: AllowedNames
) -> Iterator[PackFault]:
    """What is wrong with the thing that a clause, a table or a need looks at."""
    if "field" in raw:
        yield from _field_faults(document, (*path, "field"), raw["field"], allowed)
    if "fact" in raw:
        yield from _fact_faults(document, (*path, "fact"), raw["fact"], allowed)
    if "stage" in raw and raw["stage"] not in allowed.stages:
        code = "stage_not_before" if raw["stage"] in allowed.all_stages else "unknown_stage"
        yield document.fault((*path, "stage"), code, stage=raw["stage"])
    if "requested" in raw:
        yield from _request_faults(document, (*path, "requested"), raw["requested"], allowed)
    if "age" in raw and not allowed.ages:
        yield document.fault((*path, "age"), "no_ages_here")
    elif raw.get("age") == "subject" and not allowed.about_family:
        yield document.fault((*path, "age"), "no_subject")


def _request_faults(
    document: Document, path: Path, name: str, allowed: AllowedNames
) -> Iterator[PackFault]:
    if not allowed.requests:
        yield document.fault(path, "no_requests_here")
    elif name not in allowed.declared.codes("offerings"):
        yield document.fault(path, "unknown_offering", name=name)
    elif name == allowed.own:
        yield document.fault(path, "requests_itself")


def _field_faults(
    document: Document, path: Path, name: str, allowed: AllowedNames
) -> Iterator[PackFault]:
    section, _, field = name.partition(".")
    if section not in allowed.declared.codes("sections"):
        yield document.fault(path, "unknown_section", name=section)
    elif section not in allowed.sections and not allowed.facts:
        yield document.fault(path, "another_section", name=section)
    elif section not in allowed.sections:
        yield document.fault(path, "section_not_asked", name=section)
    else:
        known = allowed.declared.fields("sections", section)
        if known is not None and field not in known:
            yield document.fault(path, "unknown_field", section=section, name=field)


def _fact_faults(
    document: Document, path: Path, name: str, allowed: AllowedNames
) -> Iterator[PackFault]:
    kind, _, value = name.partition(".")
    if not allowed.facts:
        yield document.fault(path, "no_facts_here")
    elif kind not in allowed.declared.codes("facts"):
        yield document.fault(path, "unknown_fact", name=kind)
    else:
        known = allowed.declared.fields("facts", kind)
        if value and known is not None and value not in known:
            yield document.fault(path, "unknown_value", fact=kind, name=value)


def schema_of(raw: Mapping[str, Any], allowed: AllowedNames) -> Schema | None:
    """The schema of what a clause looks at; None where it is not known, or has none."""
    if "stage" in raw:
        return _CAME_TO
    if "age" in raw:
        return _AGE
    folder = "sections" if "field" in raw else "facts"
    name = raw.get("field", raw.get("fact", ""))
    first, _, second = name.partition(".")
    return (allowed.declared.fields(folder, first) or {}).get(second)


def _clause_faults(
    document: Document, path: Path, raw: Mapping[str, Any], allowed: AllowedNames
) -> Iterator[PackFault]:
    faults = list(source_faults(document, path, raw, allowed))
    yield from faults
    if "on" in raw:
        yield from _day_faults(document, (*path, "on"), raw["on"], allowed)
    if "requested" in raw or "given" in raw or faults:
        return
    schema = schema_of(raw, allowed)
    if schema is None:
        if "fact" in raw and "." not in raw["fact"]:
            yield document.fault((*path, "fact"), "value_needed", fact=raw["fact"])
        return
    yield from _literal_faults(document, path, raw, schema)
    yield from _order_faults(document, path, raw, schema, allowed)


def _day_faults(
    document: Document, path: Path, on: str | Mapping[str, Any], allowed: AllowedNames
) -> Iterator[PackFault]:
    """The day as of which a clause is asked is one: written there, or stated by an answer."""
    if isinstance(on, str):
        if day_of(on) is None:
            yield document.fault(path, "wrong_clause", problem=Words.of("problem_no_day", text=on))
        return
    each_year = "each_year" in on
    at, named = ((*path, "of"), on["of"]) if each_year else (path, on)
    faults = list(source_faults(document, at, named, allowed))
    yield from faults
    schema = None if faults else schema_of(named, allowed)
    if schema is None or is_date(schema):
        return
    if not each_year:
        yield document.fault((*at, "field"), "wrong_clause", problem=_NO_DATE)
        return
    section, _, name = named["field"].partition(".")
    examples = [one[name] for one in allowed.declared.examples("sections", section) if name in one]
    tried = [value for value in _NO_YEARS if fits(schema, value)]
    for value in [*examples, *schema.get("enum", ()), *tried]:
        if stated_year(value) is None:
            problem = Words.of("problem_no_year", value=value)
            yield document.fault((*at, "field"), "wrong_clause", problem=problem)
            return


def _literal_faults(
    document: Document, path: Path, raw: Mapping[str, Any], schema: Schema
) -> Iterator[PackFault]:
    literals = [((*path, "is"), raw["is"])] if "is" in raw else []
    literals += [((*path, "in", place), literal) for place, literal in enumerate(raw.get("in", ()))]
    for where, literal in literals:
        if not fits(schema, literal):
            yield document.fault(
                where, "wrong_clause", problem=Words.of("problem_never", value=as_key(literal))
            )


def _order_faults(
    document: Document, path: Path, raw: Mapping[str, Any], schema: Schema, allowed: AllowedNames
) -> Iterator[PackFault]:
    kind = _kind_of(schema)
    for op in _ORDERED:
        if op in raw:
            yield from _operand_faults(document, (*path, op), raw[op], kind, allowed)
    for op in DATED:
        if op in raw and kind != "date":
            yield document.fault((*path, op), "wrong_clause", problem=_NO_DATE)


def _operand_faults(
    document: Document, path: Path, operand: Any, kind: str, allowed: AllowedNames
) -> Iterator[PackFault]:
    if kind not in {"number", "date"}:
        yield document.fault(path, "wrong_clause", problem=Words.of("problem_not_ordered"))
        return
    if isinstance(operand, Mapping):
        faults = list(source_faults(document, path, operand, allowed))
        yield from faults
        schema = schema_of(operand, allowed)
        other = kind if schema is None else _kind_of(schema)
        if other == kind and operand.keys() & {"plus", "minus"}:
            kind = "date"
    else:
        other = literal_kind(operand)
    if other != kind:
        yield document.fault(path, "wrong_clause", problem=_compared(kind, other))


def _kind_of(schema: Schema) -> str:
    """How values of a schema compare: as number, date, text, or otherwise."""
    if schema.get("type") in ("integer", "number"):  # it may be a list, or no type at all
        return "number"
    if schema.get("type") == "string" and schema.get("format") in _DAYS:
        return "date"
    return "text" if schema.get("type") == "string" else "other"


def _compared(kind: str, other: str) -> Words:
    named = {"kind": Words.of(f"kind_{kind}"), "other": Words.of(f"kind_{other}")}
    return Words.of("problem_compared", **named)


def is_date(schema: Schema) -> bool:
    """Whether what a schema takes is a day."""
    return _kind_of(schema) == "date"


def literal_kind(literal: Any) -> str:
    """How a literal compares: as number, date or text."""
    if not isinstance(literal, str):
        return "number"
    return "text" if day_of(literal) is None else "date"


def fits(schema: Schema, value: Any) -> bool:
    """Whether a value is one that the schema takes; one that cannot be used takes everything."""
    bare = {key: part for key, part in schema.items() if not key.startswith("x-")}
    try:
        return not any(Form(bare).errors(value))
    except BadSchema:
        return True


def _cel_faults(
    document: Document, path: Path, raw: Mapping[str, Any], allowed: AllowedNames
) -> Iterator[PackFault]:
    """An expression is CEL, uses what it lists, and comes to yes or no on every example."""
    faults = [
        fault
        for place, need in enumerate(raw["needs"])
        for fault in source_faults(document, (*path, "needs", place), need, allowed)
    ]
    yield from faults
    try:
        condition = parse_condition(raw)
    except MalformedCondition as error:
        cause = error.__cause__
        problem = _words_of(cause) if isinstance(cause, BadExpression) else error
        yield document.fault((*path, "cel"), "bad_expression", problem=problem)
        return
    reserved = any(need.get("field", "").partition(".")[0] in RESERVED for need in raw["needs"])
    if isinstance(condition, CelClause) and not faults and not reserved:
        yield from _tried(document, (*path, "cel"), condition, allowed)


def _words_of(error: BadExpression | ExpressionFailed) -> Words:
    return Words.of(error.code, **error.params)


def _tried(
    document: Document, path: Path, clause: CelClause, allowed: AllowedNames
) -> Iterator[PackFault]:
    for known in _cases(clause.needs, allowed.declared):
        try:
            for values in cel_cases(clause, known):
                clause.expression.holds(values)
        except NotKnown:
            continue
        except ExpressionFailed as failed:
            yield document.fault(path, "expression_fails", problem=_words_of(failed))
            return


def _cases(needs: Sequence[Source], declared: Declared) -> Iterator[Known]:
    """What could be known: the examples of what is needed, combined."""
    homes = list(dict.fromkeys((_FOLDER[source.kind], source.parts[0]) for source in needs))
    choices: list[Iterable[Mapping[str, Any]]] = [declared.examples(*home) for home in homes]
    for chosen in islice(product(*choices), TRIED_AT_MOST):
        of = list(zip(homes, chosen, strict=True))
        yield Known(
            TRIED_ON,
            answers={code: value for (folder, code), value in of if folder == "sections"},
            facts={code: [value] for (folder, code), value in of if folder == "facts"},
        )


_FOLDER: Final = {SourceKind.FIELD: "sections", SourceKind.FACT: "facts"}
