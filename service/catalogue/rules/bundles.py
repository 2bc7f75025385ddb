"""What can be wrong with a bundle: the offerings it names, and the edges between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service.catalogue.rules.clauses import AllowedNames, condition_faults
from service.catalogue.rules.declared import Declared
from service.catalogue.rules.faults import PackFault
from service.catalogue.rules.reading import Document, Path
from service.routing.bundle import check_edges, parse_edges


def bundle_faults(document: Document, declared: Declared) -> Iterator[PackFault]:
    """Everything wrong with a bundle of the right shape."""
    yield from document.unknown(
        ("offerings",),
        document.value["offerings"],
        declared.codes("offerings"),
        "unknown_offering",
    )
    edges = document.value.get("edges", ())
    faults = [
        fault
        for place, edge in enumerate(edges)
        for fault in _edge_faults(document, ("edges", place), edge, declared)
    ]
    yield from faults
    if not faults:
        for fault in check_edges(parse_edges(edges)):
            yield document.fault(fault.path, fault.code, **fault.params)


def _edge_faults(
    document: Document, path: Path, edge: Mapping[str, Any], declared: Declared
) -> Iterator[PackFault]:
    for end in ("from", "to"):
        if edge[end] not in document.value["offerings"]:
            yield document.fault((*path, end), "offering_not_bundled", name=edge[end])
    if "if" in edge:
        allowed = AllowedNames(declared, _sections(edge["to"], declared), about_family=True)
        yield from condition_faults(document, (*path, "if"), edge["if"], allowed)


def _sections(offering: str, declared: Declared) -> list[str]:
    """The sections that a successor asks for: what its edges may look at."""
    document = declared.folders["offerings"].get(offering)
    if document is None or document.file in declared.misshapen:
        return list(declared.codes("sections"))
    return list(document.value["sections"])
