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
from service.kernel.db.engine import (
    Database,
    Scope,
    connect,
    districts,
    set_scope,
)
from service.kernel.db.locking import for_change
from service.kernel.db.probing import is_there
from service.kernel.db.writing import delete_rows, insert_new_rows, insert_rows

__all__ = [
    "Base",
    "Database",
    "District",
    "DistrictScoped",
    "EnumText",
    "Scope",
    "connect",
    "delete_rows",
    "districts",
    "for_change",
    "insert_new_rows",
    "insert_rows",
    "is_there",
    "one_of",
    "owned_by",
    "rooted",
    "set_scope",
]
