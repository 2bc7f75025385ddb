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
    set_scope,
)
from service.kernel.db.locking import for_change
from service.kernel.db.probing import is_there
from service.kernel.db.writing import insert_new_rows, insert_rows

__all__ = [
    "Base",
    "Database",
    "District",
    "DistrictScoped",
    "EnumText",
    "Scope",
    "connect",
    "for_change",
    "insert_new_rows",
    "insert_rows",
    "is_there",
    "one_of",
    "owned_by",
    "rooted",
    "set_scope",
]
