"""First answers of a form, from what is known of the talent already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from service.catalogue.rules.definitions import SectionForm

Facts = Mapping[str, Sequence[Mapping[str, Any]]]


def prefilled(section: SectionForm, details: Mapping[str, str], facts: Facts) -> dict[str, Any]:
    """The answers of a section that are known: from the profile, or from the newest fact of a kind.

    What would be no answer that the field takes is left out: a kind of fact may have grown since.
    """
    found = {}
    for name, field in section.schema["properties"].items():
        value = _known(field.get("x-prefill", {}), details, facts)
        if value is not None:
            found[name] = value
    faults = section.form.faults(found, at="answers")
    wrong = {fault.path.partition(".")[2].partition(".")[0] for fault in faults}
    return {name: value for name, value in found.items() if name not in wrong}


def _known(prefill: Mapping[str, str], details: Mapping[str, str], facts: Facts) -> Any:
    if "profile" in prefill:
        return details.get(prefill["profile"])
    kind, _, value = prefill.get("fact", "").partition(".")
    return next((fact[value] for fact in facts.get(kind, ()) if value in fact), None)
