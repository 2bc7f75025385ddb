"""Identifiers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique, and rising with time within this process."""
    return uuid_utils.compat.uuid7()


def lowest_id(at: datetime) -> UUID:
    """The smallest UUIDv7 that can be made at `at`: the bound of a partition or a time range."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
