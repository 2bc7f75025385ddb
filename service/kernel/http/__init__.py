"""Everything that speaks HTTP below the slices; only `routes`, `schemas` and `app` use it."""

from service.kernel.http import cursors, fields
from service.kernel.http.blueprint import AUDIENCES, Blueprint, Keyed
from service.kernel.http.context import (
    Runtime,
    actor,
    idempotency_key,
    if_match,
    language,
    runtime,
    session,
    session_for,
)
from service.kernel.http.fields import Schema
from service.kernel.http.pages import Page
from service.kernel.permissions import PUBLIC

__all__ = [
    "AUDIENCES",
    "PUBLIC",
    "Blueprint",
    "Keyed",
    "Page",
    "Runtime",
    "Schema",
    "actor",
    "cursors",
    "fields",
    "idempotency_key",
    "if_match",
    "language",
    "runtime",
    "session",
    "session_for",
]
