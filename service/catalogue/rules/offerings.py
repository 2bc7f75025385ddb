"""What can be wrong with an offering: with what it asks for, and with its flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any, Final

from service.catalogue.rules.clauses import (
    AllowedNames,
    condition_faults,
    is_date,
    literal_kind,
    schema_of,
    source_faults,
)
from service.catalogue.rules.declared import TRIED_AT_MOST, TRIED_ON, Declared
from service.catalogue.rules.fact_templates import EndsBeforeItBegins, fact_dates, fact_value
from service.catalogue.rules.faults import PackFault, Words
from service.catalogue.rules.forms import BadSchema, Form, problem_of, where_of
from service.catalogue.rules.reading import Document, Path
from service.catalogue.rules.schemas import form_faults
from service.kernel.shown import as_key
from service.routing.check import check_flow
from service.routing.flow import FactTemplate, parse_flow
from service.routing.graph import reachable

_UNUSABLE: Final = frozenset({"bad_expression", "nested_too_deep"})
"""What keeps a condition from being read at all."""
Raw = Mapping[str, Any]


def offering_faults(document: Document, declared: Declared) -> Iterator[PackFault]:
    """Everything wrong with an offering of the right shape."""
    raw = document.value
    allowed = AllowedNames(
        declared, raw["sections"], about_family=raw["subject"] != "self", own=raw["code"]
    )
    yield from document.unknown(
        ("sections",), raw["sections"], declared.codes("sections"), "unknown_section"
    )
    yield from _asked_faults(document, allowed)
    conditions = [
        fault
        for path, condition in _conditions(raw)
        for fault in condition_faults(document, path, condition, _allowed_at(path, raw, allowed))
    ]
    yield from conditions
    for place, stage in enumerate(raw["flow"]["stages"]):
        yield from _stage_faults(document, ("flow", "stages", place), stage, allowed)
    if not any(fault.code in _UNUSABLE for fault in conditions):
        for found in check_flow(parse_flow(raw["flow"]), day_minutes=_office_day(declared)):
            yield document.fault(("flow", *found.path), found.code, **found.params)


def _allowed_at(path: Path, raw: Raw, allowed: AllowedNames) -> AllowedNames:
    """In a flow, ages are not known, and stages are that have come to something by then.

    Those are the ones before it, and those that may send the flow back.
    """
    if path[0] != "flow":
        return allowed
    stages = raw["flow"]["stages"]
    own = stages[int(path[2])]["key"]
    graph = {stage["key"]: tuple(stage.get("after", ())) for stage in stages}
    sending_back = {stage["key"] for stage in stages if "on_reject" in stage}
    known = (reachable(graph, own) | sending_back) & set(graph) - {own}
    return replace(allowed, ages=False, stages=known, all_stages=set(graph))


def _conditions(raw: Raw) -> Iterator[tuple[Path, Raw]]:
    """Every condition of an offering with its place."""
    for place, asked in enumerate(raw.get("materials", ())):
        if "when" in asked:
            yield ("materials", place, "when"), asked["when"]
    for place, criterion in enumerate(raw.get("criteria", ())):
        yield ("criteria", place, "met_when"), criterion["met_when"]
    for place, stage in enumerate(raw["flow"]["stages"]):
        for key in ("when", "checks"):
            if key in stage:
                yield ("flow", "stages", place, key), stage[key]


def _office_day(declared: Declared) -> int:
    """Office minutes of a day; those of a usual one where the pack's are not known."""
    if declared.main.file in declared.misshapen:
        return 450
    spans = declared.main.value["office_hours"]
    return max(1, sum(_minutes(closes) - _minutes(opens) for opens, closes in spans))


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _asked_faults(document: Document, allowed: AllowedNames) -> Iterator[PackFault]:
    """Materials, citations and criteria: each named once, and what they name exists."""
    raw, declared = document.value, allowed.declared
    materials = [asked["code"] for asked in raw.get("materials", ())]
    citations = [citation["code"] for citation in raw["citations"]]
    criteria = raw.get("criteria", ())
    for place, code in enumerate(materials):
        if code not in declared.codes("materials"):
            yield document.fault(("materials", place, "code"), "unknown_material", name=code)
    yield from document.repeated(("materials",), materials, at="code")
    yield from document.repeated(("citations",), citations, at="code")
    yield from document.repeated(
        ("criteria",), [criterion["code"] for criterion in criteria], at="code"
    )
    for place, criterion in enumerate(criteria):
        cited = criterion["cites"]["citation"]
        if cited not in citations:
            path = ("criteria", place, "cites", "citation")
            yield document.fault(path, "unknown_citation", name=cited)


def _stage_faults(
    document: Document, path: Path, stage: Raw, allowed: AllowedNames
) -> Iterator[PackFault]:
    yield from _department_faults(document, path, stage, allowed)
    yield from _sight_faults(document, (*path, "sees"), stage["sees"], allowed)
    cited = stage.get("cites", {}).get("citation")
    if cited not in (None, *(one["code"] for one in document.value["citations"])):
        yield document.fault((*path, "cites", "citation"), "unknown_citation", name=cited)
    faults = list(form_faults(document, (*path, "records"))) if "records" in stage else []
    yield from faults
    for place, template in enumerate(stage.get("gives", ())):
        at = (*path, "gives", place)
        yield from _template_faults(document, at, template, stage, allowed, sound=not faults)


def _department_faults(
    document: Document, path: Path, stage: Raw, allowed: AllowedNames
) -> Iterator[PackFault]:
    named: list[tuple[Path, str]] = [
        ((*path, "departments", place), code)
        for place, code in enumerate(stage.get("departments", ()))
    ]
    department = stage.get("department")
    if isinstance(department, Mapping):
        at = (*path, "department")
        yield from _table_faults(document, at, department, allowed)
        named += [((*at, "cases", value), code) for value, code in department["cases"].items()]
        named.append(((*at, "otherwise"), department["otherwise"]))
    elif department is not None:
        named.append(((*path, "department"), department))
    if department is not None and "departments" in stage:
        yield document.fault((*path, "departments"), "departments_twice")
    known = allowed.declared.departments()
    for at, code in named:
        if known is not None and code not in known:
            yield document.fault(at, "unknown_department", name=code)


def _table_faults(
    document: Document, path: Path, table: Raw, allowed: AllowedNames
) -> Iterator[PackFault]:
    """What a table chooses by exists, and its cases are among the choices."""
    faults = list(source_faults(document, (*path, "by"), table["by"], allowed))
    yield from faults
    schema = schema_of(table["by"], allowed) or {}
    choices = [True, False] if schema.get("type") == "boolean" else schema.get("enum")
    for case in table["cases"]:
        if isinstance(choices, list) and not faults and case not in map(as_key, choices):
            yield document.fault(
                (*path, "cases", case),
                "wrong_clause",
                problem=Words.of("problem_never", value=case),
            )


def _sight_faults(
    document: Document, path: Path, sees: Raw, allowed: AllowedNames
) -> Iterator[PackFault]:
    """What a stage sees exists and is asked for by its offering."""
    for code, fields in sees["sections"].items():
        at = (*path, "sections", code)
        if code not in document.value["sections"]:
            yield document.fault(at, "section_not_asked", name=code)
        known = allowed.declared.fields("sections", code)
        if fields == "all" or known is None:
            continue
        for place, name in enumerate(fields):
            if name not in known:
                yield document.fault((*at, place), "unknown_field", section=code, name=name)
    asked = {material["code"] for material in document.value.get("materials", ())}
    kinds = allowed.declared.codes("facts")
    yield from document.unknown((*path, "facts"), sees.get("facts", ()), kinds, "unknown_fact")
    yield from document.unknown(
        (*path, "materials"), sees.get("materials", ()), asked, "material_not_asked"
    )
    stages = {one["key"] for one in document.value["flow"]["stages"]}
    yield from document.unknown(
        (*path, "opinions"), sees.get("opinions", ()), stages, "unknown_opinion"
    )
    if "subject" in sees and not allowed.about_family:
        yield document.fault((*path, "subject"), "no_subject")


def _template_faults(
    document: Document, path: Path, template: Raw, stage: Raw, allowed: AllowedNames, *, sound: bool
) -> Iterator[PackFault]:
    """A fact that an approval establishes has a kind, its parts exist, its kind's form fits."""
    if template["fact"] not in allowed.declared.codes("facts"):
        yield document.fault((*path, "fact"), "unknown_fact", name=template["fact"])
        return
    if template.get("about") == "subject" and not allowed.about_family:
        yield document.fault((*path, "about"), "no_subject")
    known = allowed.declared.fields("facts", template["fact"]) or {}
    for name in template["value"]:
        if known and name not in known:
            at = (*path, "value", name)
            yield document.fault(at, "unknown_value", fact=template["fact"], name=name)
    faults = [
        fault
        for at, part in _template_parts(path, template)
        for fault in _part_faults(document, at, part, stage, allowed)
    ]
    faults += _date_faults(document, path, template, stage, allowed)
    yield from faults
    if not faults and sound:
        yield from _dates_tried(document, path, template, stage, allowed.declared)
        yield from _values_tried(document, path, template, stage, allowed.declared)


def _template_parts(path: Path, template: Raw) -> Iterator[tuple[Path, Raw]]:
    """The parts of a template that are taken from elsewhere."""
    parts = [((*path, "value", name), part) for name, part in template["value"].items()]
    parts += [((*path, end), template[end]) for end in ("from", "until") if end in template]
    return ((at, part) for at, part in parts if isinstance(part, Mapping))


def _part_faults(
    document: Document, path: Path, part: Raw, stage: Raw, allowed: AllowedNames
) -> Iterator[PackFault]:
    yield from source_faults(document, path, part, allowed)
    recorded = stage.get("records", {}).get("properties", {})
    if "result" in part and part["result"] not in recorded:
        yield document.fault((*path, "result"), "unknown_result", name=part["result"])


def _date_faults(
    document: Document, path: Path, template: Raw, stage: Raw, allowed: AllowedNames
) -> Iterator[PackFault]:
    """A fact begins and ends with a day: one that is written there, or one that is asked for."""
    for end in ("from", "until"):
        part = template.get(end)
        if isinstance(part, Mapping) and part.keys() & {"result", "field"}:
            recorded = stage.get("records", {}).get("properties", {})
            schema = recorded.get(part.get("result")) or schema_of(part, allowed)
            if schema is not None and not is_date(schema):
                problem = Words.of("problem_asked_otherwise")
                yield document.fault((*path, end), "wrong_date", problem=problem)
        elif part is not None and not isinstance(part, Mapping) and literal_kind(part) != "date":
            yield document.fault((*path, end), "wrong_date", problem=str(part))


def _values_tried(
    document: Document, path: Path, template: Raw, stage: Raw, declared: Declared
) -> Iterator[PackFault]:
    """Every example of a result, with every example of the answers, makes a good fact."""
    schema = declared.form("facts", template["fact"])
    if schema is None:
        return
    try:
        form = Form(schema)
    except BadSchema:
        return
    results = stage.get("records", {}).get("examples", [{}])
    for result, answers in islice(_examples(results, template, declared), TRIED_AT_MOST):
        for error in form.errors(fact_value(template["value"], result=result, answers=answers)):
            problem = {"where": where_of(error), "problem": problem_of(error)}
            yield document.fault((*path, "value"), "fact_invalid", **problem)
            return


def _dates_tried(
    document: Document, path: Path, template: Raw, stage: Raw, declared: Declared
) -> Iterator[PackFault]:
    """With no example does a fact end before it begins."""
    results = stage.get("records", {}).get("examples", [{}])
    begins, ends = template.get("from"), template.get("until")
    plain = FactTemplate(template["fact"], "applicant", {}, begins, ends)
    for result, answers in islice(_examples(results, template, declared), TRIED_AT_MOST):
        try:
            fact_dates(plain, result=result, answers=answers, today=TRIED_ON)
        except ValueError as error:
            ends_first = isinstance(error, EndsBeforeItBegins)
            problem = Words.of("problem_ends_first") if ends_first else error
            yield document.fault(path, "wrong_date", problem=problem)
            return


def _examples(
    results: Sequence[Raw], template: Raw, declared: Declared
) -> Iterator[tuple[Raw, dict[str, Raw]]]:
    fields = [part["field"] for _, part in _template_parts((), template) if "field" in part]
    sections = list(dict.fromkeys(name.partition(".")[0] for name in fields))
    answered = (declared.examples("sections", code) for code in sections)
    for result, *answers in product(results, *answered):
        yield result, dict(zip(sections, answers, strict=True))
