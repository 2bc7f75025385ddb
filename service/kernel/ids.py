"""Identifiers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import uuid_utils.compat

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique, and rising with time within this process."""
    return uuid_utils.compat.uuid7()


def lowest_since(made: UUID) -> UUID:
    """The smallest UUIDv7 of whatever came of something after this was made for it.

    Bounds a search over partitions. A day is allowed for machines whose clocks differ.
    """
    milliseconds = (made.int >> 80) - timedelta(days=1) // timedelta(milliseconds=1)
    return UUID(int=max(milliseconds, 0) << 80)


def lowest_id(at: datetime) -> UUID:
    """The smallest UUIDv7 that can be made at `at`: the bound of a partition or a time range."""
    return UUID(int=(at - _EPOCH) // timedelta(milliseconds=1) << 80)
