"""Packs and what is published of them, as values: reading, checking, compiling."""

from service.catalogue.rules.checks import parse_pack
from service.catalogue.rules.contents import (
    bundle_content,
    fact_kinds_content,
    offering_content,
    pack_files,
)
from service.catalogue.rules.definitions import (
    AskedMaterial,
    Binding,
    BundleDefinition,
    Criterion,
    FactForm,
    Need,
    OfferingDefinition,
    SectionForm,
    compile_bundle,
    compile_offering,
    forms_of,
    materials_of,
)
from service.catalogue.rules.difference import Difference, differences, files_of
from service.catalogue.rules.faults import FaultyPack, PackFault
from service.catalogue.rules.forms import BadSchema, Form
from service.catalogue.rules.gifts import gift_dates, gift_value
from service.catalogue.rules.pack import (
    SETTINGS,
    Bundle,
    Consent,
    Department,
    FactKind,
    Material,
    Offering,
    Pack,
    Scope,
    Section,
    Subject,
)
from service.catalogue.rules.prefill import prefilled

__all__ = [
    "SETTINGS",
    "AskedMaterial",
    "BadSchema",
    "Binding",
    "Bundle",
    "BundleDefinition",
    "Consent",
    "Criterion",
    "Department",
    "Difference",
    "FactForm",
    "FactKind",
    "FaultyPack",
    "Form",
    "Material",
    "Need",
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
    "differences",
    "fact_kinds_content",
    "files_of",
    "forms_of",
    "gift_dates",
    "gift_value",
    "materials_of",
    "offering_content",
    "pack_files",
    "parse_pack",
    "prefilled",
]
