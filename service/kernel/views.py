"""Read models: what a query returns to be shown.

A read model is a frozen dataclass next to the query that builds it. It names its fields and their
types once; the schema of the answer reads them as attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Listing(Generic[View]):
    """All of a list, in order."""

    items: Sequence[View]


@dataclass(frozen=True, slots=True)
class PageOf(Generic[View]):
    """One page of a list; `next` is the cursor of the page after it, None on the last page."""

    items: Sequence[View]
    next: str | None


def extended(base: Any, into: type[View], **more: Any) -> View:
    """A read model that has the fields of `base`, a parent of `into`, and `more`.

    A field in both is taken from `more`. Raises `TypeError` where `into` has a field that neither
    returns, or `more` has one that `into` lacks.
    """
    inherited = {field.name: getattr(base, field.name) for field in fields(base)}
    return into(**{**inherited, **more})
