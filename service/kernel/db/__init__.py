"""Tables, connections, transactions, row-level security."""

from service.kernel.db.columns import (
    Base,
    District,
    DistrictScoped,
    EnumText,
    one_of,
    owned_by,
    rooted,
    zone_of,
)
from service.kernel.db.engine import Database, connect, districts
from service.kernel.db.locking import for_change, for_use
from service.kernel.db.prepared import Prepared, prepared
from service.kernel.db.scope import Scope, ScopeKind, begin, scope_of, set_scope
from service.kernel.db.together import insert_last
from service.kernel.db.writing import delete_rows, insert_new_rows, insert_rows, update_changed

__all__ = [
    "Base",
    "Database",
    "District",
    "DistrictScoped",
    "EnumText",
    "Prepared",
    "Scope",
    "ScopeKind",
    "begin",
    "connect",
    "delete_rows",
    "districts",
    "for_change",
    "for_use",
    "insert_last",
    "insert_new_rows",
    "insert_rows",
    "one_of",
    "owned_by",
    "prepared",
    "rooted",
    "scope_of",
    "set_scope",
    "update_changed",
    "zone_of",
]
