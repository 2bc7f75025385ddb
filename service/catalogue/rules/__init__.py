"""Packs and what is published of them, as values: reading, checking, compiling."""

from service.catalogue.rules.checks import parse_pack
from service.catalogue.rules.definitions import (
    BundleDefinition,
    OfferingDefinition,
    SectionForm,
    compile_bundle,
    compile_offering,
)
from service.catalogue.rules.faults import FaultyPack, PackFault
from service.catalogue.rules.forms import BadSchema, Form
from service.catalogue.rules.pack import (
    Bundle,
    Consent,
    Department,
    Offering,
    Pack,
    Scope,
    Section,
    Subject,
    bundle_content,
    offering_content,
)

__all__ = [
    "BadSchema",
    "Bundle",
    "BundleDefinition",
    "Consent",
    "Department",
    "FaultyPack",
    "Form",
    "Offering",
    "OfferingDefinition",
    "Pack",
    "PackFault",
    "Scope",
    "Section",
    "SectionForm",
    "Subject",
    "bundle_content",
    "compile_bundle",
    "compile_offering",
    "offering_content",
    "parse_pack",
]
