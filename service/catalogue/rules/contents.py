"""What is published of a pack: every version is complete, and the pack can be rebuilt from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.catalogue.rules.pack import Consent, FactKind, Material, Offering, Pack, Plain, Section
from service.routing.conditions.asked import SourceKind, parse_condition, sources


def offering_content(pack: Pack, code: str) -> dict[str, Any]:
    """What is published of an offering: its sections, materials and kinds of facts are embedded."""
    one = pack.offerings[code]
    return {
        "code": one.code,
        "title": one.title,
        "summary": one.summary,
        "subject": one.subject.value,
        **({"private": True} if one.private else {}),
        "sections": [_section(pack.sections[name]) for name in one.sections],
        "materials": [
            {**asked, "material": _material(pack.materials[asked["code"]])}
            for asked in one.materials
        ],
        "citations": list(one.citations),
        "criteria": list(one.criteria),
        "facts": [_fact_kind(pack.facts[kind]) for kind in named_facts(one)],
        "flow": one.flow,
    }


def bundle_content(pack: Pack, code: str) -> dict[str, Any]:
    """What is published of a bundle: its offerings by code, and the consents that filing takes."""
    one = pack.bundles[code]
    return {
        "code": one.code,
        "title": one.title,
        "summary": one.summary,
        "offerings": list(one.offerings),
        "edges": list(one.edges),
        "consents": [_consent(each) for each in pack.consents],
    }


def named_facts(offering: Offering) -> list[str]:
    """The kinds of facts that an offering looks at or that its approval establishes."""
    stages = offering.flow["stages"]
    conditions = [one["when"] for one in offering.materials if "when" in one]
    conditions += [one["met_when"] for one in offering.criteria]
    conditions += [stage[key] for stage in stages for key in ("when", "checks") if key in stage]
    looked_at = [one for raw in conditions for one in sources(parse_condition(raw))]
    named = {one.parts[0] for one in looked_at if one.kind is SourceKind.FACT}
    tables = [stage["department"] for stage in stages if isinstance(stage.get("department"), dict)]
    named |= {one["by"]["fact"].partition(".")[0] for one in tables if "fact" in one["by"]}
    return sorted(
        named | {template["fact"] for stage in stages for template in stage.get("gives", ())}
    )


def fact_kinds_content(pack: Pack) -> list[dict[str, Any]]:
    """The kinds of facts as the district's table keeps them."""
    return [_fact_kind(one) for one in pack.facts.values()]


def _fact_kind(one: FactKind) -> dict[str, Any]:
    return {"code": one.code, "title": one.title, "schema": one.schema}


def _consent(one: Consent) -> dict[str, Any]:
    content = {"code": one.code, "version": one.version, "title": one.title, "text": one.text}
    return {**content, "optional": True} if one.optional else content


def _section(one: Section) -> dict[str, Any]:
    content = {"code": one.code, "scope": one.scope.value, "title": one.title, "schema": one.schema}
    return {**content, "rules": list(one.rules)} if one.rules else content


def _material(one: Material) -> dict[str, Any]:
    return {
        "code": one.code,
        "scope": one.scope.value,
        "title": one.title,
        **({"note": one.note} if one.note else {}),
        "formats": list(one.formats),
        "most": one.most,
    }


def pack_files(
    *,
    main: Plain,
    offerings: Mapping[str, Plain],
    bundles: Mapping[str, Plain],
    facts: Mapping[str, Plain],
) -> dict[str, Plain]:
    """The files of a pack, by path, out of what is published; publishing them changes nothing.

    `main`: `pack.yaml` without its consents, which the bundles have.
    """
    files: dict[str, Plain] = {}
    consents: dict[tuple[str, int], Plain] = {}
    for code, content in bundles.items():
        consents |= {(one["code"], one["version"]): one for one in content["consents"]}
        files[f"bundles/{code}.yaml"] = _without(content, "consents")
    for code, content in offerings.items():
        for part in content["sections"]:
            files[f"sections/{part['code']}.yaml"] = part
        for asked in content["materials"]:
            files[f"materials/{asked['code']}.yaml"] = asked["material"]
        files[f"offerings/{code}.yaml"] = {
            **_without(content, "facts"),
            "sections": [part["code"] for part in content["sections"]],
            "materials": [_without(asked, "material") for asked in content["materials"]],
        }
    files |= {f"facts/{code}.yaml": kind for code, kind in facts.items()}
    return {"pack.yaml": {**main, "consents": list(consents.values())}, **files}


def _without(content: Plain, key: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != key}
