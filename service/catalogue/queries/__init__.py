"""Reads of the catalogue: the definitions in force or filed under, and the form of a bundle."""

from service.catalogue.queries.definitions import (
    Listed,
    current_bundle,
    get_bundle,
    get_offering,
    list_bundles,
    list_offerings,
    offering_definition,
    offerings_in_force,
)
from service.catalogue.queries.form import BundleForm, bundle_form, form_shape

__all__ = [
    "BundleForm",
    "Listed",
    "bundle_form",
    "current_bundle",
    "form_shape",
    "get_bundle",
    "get_offering",
    "list_bundles",
    "list_offerings",
    "offering_definition",
    "offerings_in_force",
]
