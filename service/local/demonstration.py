"""What `up` shows: the demonstration district, and an account for every role in it."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from service.app import open_database
from service.catalogue.actions import load_pack, set_up_district
from service.catalogue.rules import Pack
from service.identity.actions import ensure_staff
from service.kernel import clock, migrations
from service.kernel.db import Scope
from service.kernel.permissions import Role
from service.kernel.settings import ROOT, Settings

PACK: Final = ROOT / "config" / "packs" / "demo"
_WORKING: Final = (Role.CLERK, Role.REVIEWER, Role.HEAD)
_STEERING: Final = (Role.COORDINATOR, Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR)


def prepare(settings: Settings) -> None:
    """Migrate, publish the demonstration pack and its calendar, make its accounts.

    What is there already stays; a second time changes nothing. Refuses to run in production.
    """
    if settings.production:
        raise SystemExit("demonstration data is refused in production")
    migrations.upgrade(settings.database_owner_url)
    pack = load_pack(PACK)
    database, at = open_database(settings), clock.now()
    with database.transaction(Scope(district=pack.district)) as session:
        set_up_district(session, pack, at=at)
    password = os.environ.get("TALENT_DEMO_PASSWORD", "")
    accounts = demonstration_accounts(pack)

    def ensure(account: dict[str, Any]) -> None:
        with database.transaction(Scope(district=pack.district)) as session:
            ensure_staff(
                session,
                username=account["username"],
                display_name=account["username"],
                password=password,
                posts=[(account["department"], Role(role)) for role in account["roles"]],
                at=at,
            )

    with ThreadPoolExecutor() as pool:  # the hashing of passwords is slow, and lets others run
        list(pool.map(ensure, accounts))
    database.dispose()
    _tell(accounts)


def demonstration_accounts(pack: Pack) -> list[dict[str, Any]]:
    """`clerk.<department>`, `reviewer.<department>`, `head.<department>`, and who steers."""
    accounts = [
        _account(f"{role}.{department.code}", department.code, role)
        for department in pack.departments
        for role in _WORKING
    ]
    return [*accounts, *(_account(role.value, "office", role) for role in _STEERING)]


def _account(username: str, department: str, role: Role) -> dict[str, Any]:
    return {"username": username, "kind": "staff", "department": department, "roles": [role.value]}


def _tell(accounts: list[dict[str, Any]]) -> None:
    """Leave word of the accounts for whoever started this."""
    file = os.environ.get("TALENT_DEMO_ACCOUNTS_FILE")
    if file:
        Path(file).write_text(json.dumps(accounts), encoding="utf-8")
