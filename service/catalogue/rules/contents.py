"""What is published of a pack: every version is complete, and the pack can be rebuilt from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from service.catalogue.rules.pack import Consent, FactKind, Material, Offering, Pack, Plain, Section
from service.kernel.messages import LANGUAGES
from service.routing.conditions.asked import SourceKind, parse_condition, sources
from service.routing.flow import parse_flow


def offering_content(pack: Pack, code: str) -> dict[str, Any]:
    """What is published of an offering: its sections, materials and kinds of facts are embedded,
    and what the departments are called that its flow may come to.
    """
    offering = pack.offerings[code]
    return {
        "code": offering.code,
        "title": offering.title,
        "summary": offering.summary,
        "subject": offering.subject.value,
        **({"private": True} if offering.private else {}),
        "sections": [_section(pack.sections[name]) for name in offering.sections],
        "materials": [
            {**asked, "material": _material(pack.materials[asked["code"]])}
            for asked in offering.materials
        ],
        "citations": list(offering.citations),
        **({"remedies": offering.remedies} if offering.remedies else {}),
        "criteria": list(offering.criteria),
        "facts": [_fact_kind(pack.facts[kind]) for kind in named_facts(offering, pack.facts)],
        "departments": _departments(pack, offering),
        "flow": offering.flow,
    }


def bundle_content(pack: Pack, code: str) -> dict[str, Any]:
    """What is published of a bundle: its offerings by code, and the consents that filing takes."""
    bundle = pack.bundles[code]
    return {
        "code": bundle.code,
        "title": bundle.title,
        "summary": bundle.summary,
        "offerings": list(bundle.offerings),
        "edges": list(bundle.edges),
        "consents": [consent_content(consent) for consent in pack.consents],
    }


def named_facts(offering: Offering, kinds: Collection[str]) -> list[str]:
    """The kinds of facts that an offering looks at, that a stage of it may read, or that its
    approval establishes; `kinds`: all that the pack has.
    """
    seen = [stage.sees for stage in parse_flow(offering.flow).stages]
    stages = offering.flow["stages"]
    conditions = [asked["when"] for asked in offering.materials if "when" in asked]
    conditions += [criterion["met_when"] for criterion in offering.criteria]
    conditions += [stage[key] for stage in stages for key in ("when", "checks") if key in stage]
    looked_at = [source for raw in conditions for source in sources(parse_condition(raw))]
    named = {source.parts[0] for source in looked_at if source.kind is SourceKind.FACT}
    tables = [stage["department"] for stage in stages if isinstance(stage.get("department"), dict)]
    named |= {table["by"]["fact"].partition(".")[0] for table in tables if "fact" in table["by"]}
    named |= {kind for kind in kinds for sees in seen if sees.shows_fact(kind)}
    return sorted(
        named | {template["fact"] for stage in stages for template in stage.get("gives", ())}
    )


def _departments(pack: Pack, offering: Offering) -> dict[str, Any]:
    named = {code for stage in parse_flow(offering.flow).stages for code in stage.choice.possible}
    return {
        one.code: {language: one.name[language] for language in LANGUAGES}
        for one in sorted(pack.departments, key=lambda one: one.code)
        if one.code in named
    }


def fact_kinds_content(pack: Pack) -> list[dict[str, Any]]:
    """The kinds of facts as the district's table keeps them."""
    return [_fact_kind(kind) for kind in pack.facts.values()]


def _fact_kind(kind: FactKind) -> dict[str, Any]:
    return {"code": kind.code, "title": kind.title, "schema": kind.schema}


def consent_content(consent: Consent) -> dict[str, Any]:
    """What is published of a consent, inside of bundles."""
    content = {
        "code": consent.code,
        "version": consent.version,
        "title": consent.title,
        "text": consent.text,
    }
    return {**content, "optional": True} if consent.optional else content


def _section(section: Section) -> dict[str, Any]:
    content = {
        "code": section.code,
        "scope": section.scope.value,
        "title": section.title,
        "schema": section.schema,
    }
    return {**content, "rules": list(section.rules)} if section.rules else content


def _material(material: Material) -> dict[str, Any]:
    return {
        "code": material.code,
        "scope": material.scope.value,
        "title": material.title,
        **({"note": material.note} if material.note else {}),
        "formats": list(material.formats),
        "most": material.most,
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
        consents |= {
            (consent["code"], consent["version"]): consent for consent in content["consents"]
        }
        files[f"bundles/{code}.yaml"] = _without(content, "consents")
    for code, content in offerings.items():
        for part in content["sections"]:
            files[f"sections/{part['code']}.yaml"] = part
        for asked in content["materials"]:
            files[f"materials/{asked['code']}.yaml"] = asked["material"]
        files[f"offerings/{code}.yaml"] = {
            **_without(content, "facts", "departments"),
            "sections": [part["code"] for part in content["sections"]],
            "materials": [_without(asked, "material") for asked in content["materials"]],
        }
    files |= {f"facts/{code}.yaml": kind for code, kind in facts.items()}
    return {"pack.yaml": {**main, "consents": list(consents.values())}, **files}


def _without(content: Plain, *keys: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in keys}
