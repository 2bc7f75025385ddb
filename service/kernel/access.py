"""Who may do what in the database, compared with what this code needs.

A dump has no roles. Restored where the roles are missing it loses every grant and every policy, and
nothing but the service's refusals tells of it. So what the migrations come to stands in a file, a
line for each right, and the database is compared with that.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from service.kernel.settings import ROOT

FILE: Final = ROOT / "migrations" / "access.txt"

_PRESENT: Final = text(r"""
WITH own_tables AS (
    SELECT oid, relname, relkind, relacl, relowner, relrowsecurity, relforcerowsecurity
    FROM pg_catalog.pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
        AND NOT relispartition
), own_functions AS (
    SELECT oid, proowner,
        proname || '(' || pg_catalog.pg_get_function_identity_arguments(oid) || ')' AS name,
        coalesce(proacl, pg_catalog.acldefault('f', proowner)) AS acl
    FROM pg_catalog.pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
), rights AS (
    SELECT 'table ' || relname AS what, privilege_type AS may, grantee, relowner AS owner
    FROM own_tables, pg_catalog.aclexplode(relacl) WHERE relkind <> 'S'
    UNION ALL
    SELECT 'sequence ' || relname, privilege_type, grantee, relowner
    FROM own_tables, pg_catalog.aclexplode(relacl) WHERE relkind = 'S'
    UNION ALL
    SELECT 'column ' || relname || '.' || attname, privilege_type, grantee, relowner
    FROM own_tables JOIN pg_catalog.pg_attribute ON attrelid = own_tables.oid,
        pg_catalog.aclexplode(attacl) WHERE attnum > 0
    UNION ALL
    SELECT 'function ' || name, privilege_type, grantee, proowner
    FROM own_functions, pg_catalog.aclexplode(acl)
    UNION ALL
    SELECT 'schema public', privilege_type, grantee, nspowner
    FROM pg_catalog.pg_namespace, pg_catalog.aclexplode(nspacl)
    WHERE nspname = 'public' AND grantee <> 0
)
SELECT what || ': ' || may || ' to ' || coalesce(rolname, 'PUBLIC')
FROM rights LEFT JOIN pg_catalog.pg_roles ON pg_roles.oid = grantee
WHERE grantee <> owner AND (grantee = 0 OR rolname IN ('talent_app', 'talent_keys'))
UNION ALL
SELECT 'table ' || relname || ': row-level security'
    || CASE WHEN relforcerowsecurity THEN ', forced' ELSE '' END
FROM own_tables WHERE relrowsecurity
UNION ALL
SELECT 'table ' || tablename || ': policy ' || policyname || ' for ' || cmd
    || ' to ' || pg_catalog.array_to_string(roles, ', ')
FROM pg_catalog.pg_policies WHERE schemaname = 'public'
UNION ALL
SELECT 'role ' || rolname FROM pg_catalog.pg_roles WHERE rolname IN ('talent_app', 'talent_keys')
""")


@cache
def needed() -> frozenset[str]:
    """What this code needs, a sentence for each right, row-level security and policy."""
    return frozenset(FILE.read_text(encoding="utf-8").splitlines())


def present(connection: Connection | Session) -> frozenset[str]:
    """What the database has of that kind: of the service's roles and of everybody (PUBLIC).

    What the owner may as the owner is left out, and so are partitions, which are reached through
    their table. Any role may ask.
    """
    return frozenset(connection.execute(_PRESENT).scalars())


def missing(connection: Connection | Session) -> list[str]:
    """What is needed and not there, in order; nothing where the database is as it should be."""
    return sorted(needed() - present(connection))


def beyond(connection: Connection | Session) -> list[str]:
    """What is there and not needed, in order: rights that the service's roles were never meant
    to have, or that everybody has.
    """
    return sorted(present(connection) - needed())
