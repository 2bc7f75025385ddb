"""What may be done, and which role may do it.

A route names one permission (or `PUBLIC`); who holds it follows from the roles of the actor's
posts, read anew for every request. Nothing is allowed that is not written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Literal

from service.kernel.words import vocabulary


class Role(StrEnum):
    """What a post lets a member of staff be in a department."""

    CLERK = "clerk"
    REVIEWER = "reviewer"
    HEAD = "head"
    COORDINATOR = "coordinator"
    SYSADMIN = "sysadmin"
    SECADMIN = "secadmin"
    AUDITOR = "auditor"


def role_title(role: str) -> Mapping[str, str]:
    """What a role is called in both languages; raises `KeyError` for what is none."""
    return vocabulary()["role"][role]


class Permission(StrEnum):
    """One thing that an actor may do."""

    SESSION_END = "session.end"
    PROFILE_READ = "profile.read"
    PROFILE_WRITE = "profile.write"
    TICKET_FILE = "ticket.file"
    TICKET_READ = "ticket.read"
    TASK_READ = "task.read"
    TASK_CLAIM = "task.claim"
    TASK_DECIDE = "task.decide"
    TASK_ASSIGN = "task.assign"
    FACT_READ_OWN = "fact.read_own"
    FACT_REVOKE = "fact.revoke"
    ENTERPRISE_READ = "enterprise.read"
    AUTHORITY_GIVE = "authority.give"
    AUTHORITY_USE = "authority.use"
    MATERIAL_READ = "material.read"
    MATERIAL_WRITE = "material.write"


PUBLIC: Final[Literal["public"]] = "public"
"""Written out where a route needs nobody to be signed in."""

_DESK = frozenset({Permission.TASK_READ, Permission.TASK_CLAIM, Permission.TASK_DECIDE})

TALENT: Final = frozenset(
    {
        Permission.SESSION_END,
        Permission.PROFILE_READ,
        Permission.PROFILE_WRITE,
        Permission.TICKET_FILE,
        Permission.TICKET_READ,
        Permission.FACT_READ_OWN,
        Permission.AUTHORITY_GIVE,
        Permission.MATERIAL_READ,
        Permission.MATERIAL_WRITE,
    }
)
STAFF: Final = frozenset({Permission.SESSION_END, Permission.PROFILE_READ})
AGENT: Final = frozenset(
    {
        Permission.SESSION_END,
        Permission.PROFILE_READ,
        Permission.ENTERPRISE_READ,
        Permission.AUTHORITY_USE,
    }
)

# System, security and audit administrators are three people (GB/T 22239-2019, level 3):
# none of their roles holds a permission of the desk or of another of the three.
GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.CLERK: _DESK,
    Role.REVIEWER: _DESK,
    Role.HEAD: _DESK | {Permission.TASK_ASSIGN, Permission.FACT_REVOKE},
    Role.COORDINATOR: frozenset(),
    Role.SYSADMIN: frozenset(),
    Role.SECADMIN: frozenset(),
    Role.AUDITOR: frozenset(),
}


def granted(roles: Iterable[Role]) -> frozenset[Permission]:
    """Everything that a member of staff with these roles may do."""
    return STAFF.union(*(GRANTS[role] for role in roles))
