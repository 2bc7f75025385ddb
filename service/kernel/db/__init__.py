"""Tables, connections, transactions, row-level security."""

from service.kernel.db.columns import (
    Base,
    District,
    DistrictScoped,
    EnumText,
    one_of,
    owned_by,
    rooted,
)
from service.kernel.db.engine import Database, Scope, connect, insert_rows, set_scope

__all__ = [
    "Base",
    "Database",
    "District",
    "DistrictScoped",
    "EnumText",
    "Scope",
    "connect",
    "insert_rows",
    "one_of",
    "owned_by",
    "rooted",
    "set_scope",
]
