"""Everything that speaks HTTP below the slices; only `routes`, `schemas` and `app` use it."""

from service.kernel.http import cursors, fields
from service.kernel.http.blueprint import AUDIENCES, Blueprint, Keyed
from service.kernel.http.context import (
    Runtime,
    actor,
    finish,
    idempotency_key,
    if_match,
    language,
    read_json,
    runtime,
    session,
    session_for,
    unless_committed,
)
from service.kernel.http.fields import Schema, SentFile
from service.kernel.http.files import attachment, read_form
from service.kernel.http.pages import Page
from service.kernel.http.shown import ShownOut, ShownSectionOut
from service.kernel.permissions import PUBLIC

__all__ = [
    "AUDIENCES",
    "PUBLIC",
    "Blueprint",
    "Keyed",
    "Page",
    "Runtime",
    "Schema",
    "SentFile",
    "ShownOut",
    "ShownSectionOut",
    "actor",
    "attachment",
    "cursors",
    "fields",
    "finish",
    "idempotency_key",
    "if_match",
    "language",
    "read_form",
    "read_json",
    "runtime",
    "session",
    "session_for",
    "unless_committed",
]
