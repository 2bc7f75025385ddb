"""What `up` shows: a district by its pack, and an account for every role in it."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from service.catalogue.actions.files import load_pack
from service.catalogue.actions.publish import set_up_district
from service.catalogue.rules.faults import FaultyPack
from service.catalogue.rules.pack import Pack
from service.enterprises.actions import ensure_agent, ensure_enterprise
from service.identity.people.rules import AccountKind
from service.identity.staff.actions import ensure_staff
from service.kernel import clock, migrations
from service.kernel.db import Scope
from service.kernel.permissions import Role
from service.kernel.settings import ROOT, Settings
from service.local.remembering import remembering
from service.runtime import open_database

PACK: Final = ROOT / "config" / "packs" / "demo"
ENTERPRISE: Final = ("91350100M000100Y43", "东湾海芯科技有限公司")
AGENT: Final = "agent.1"
_WORKING: Final = (Role.CLERK, Role.REVIEWER, Role.HEAD)
_STEERING: Final = (Role.COORDINATOR, Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR)


def prepare(settings: Settings, folder: Path = PACK) -> None:
    """Migrate, publish the pack of a folder with its calendar, make an employer and accounts.

    What is there already stays; a second time changes nothing. Refuses to run in production, and
    with a pack that has faults, which it lists.
    """
    if settings.production:
        raise SystemExit("demonstration data is refused in production")
    try:
        pack = load_pack(folder)
    except FaultyPack as faulty:
        raise SystemExit("\n".join([f"{folder} has faults:", *map(str, faulty.faults)])) from None
    migrations.upgrade(settings.database_owner_url)
    database, at = open_database(settings), clock.now()
    with database.transaction(Scope.system(pack.district)) as session:
        set_up_district(session, pack, at=at)
        ensure_enterprise(session, credit_code=ENTERPRISE[0], name=ENTERPRISE[1], at=at)
    password = os.environ.get("TALENT_DEMO_PASSWORD", "")
    accounts = demonstration_accounts(pack)

    def ensure(account: dict[str, Any]) -> None:
        named = {"username": account["username"], "display_name": account["username"]}
        with database.transaction(Scope.system(pack.district)) as session:
            if account["kind"] == AccountKind.AGENT:
                ensure_agent(session, **named, password=password, credit_code=ENTERPRISE[0], at=at)
                return
            posts = [(account["department"], Role(role)) for role in account["roles"]]
            ensure_staff(session, **named, password=password, posts=posts, at=at)

    matches = os.environ.get("TALENT_DEMO_MATCHES_FILE")
    with remembering(Path(matches) if matches else None), ThreadPoolExecutor() as pool:
        # The hashing of passwords is slow, and lets others run.
        list(pool.map(ensure, accounts))
    database.dispose()
    _tell(accounts)


def demonstration_accounts(pack: Pack) -> list[dict[str, Any]]:
    """`clerk.<department>`, `reviewer.<department>`, `head.<department>`, who steers, an agent.

    Who steers belongs to the department `office`, or to the first where a pack has none.
    """
    codes = [department.code for department in pack.departments]
    steering = "office" if "office" in codes else codes[0]
    accounts = [_account(f"{role}.{code}", code, role) for code in codes for role in _WORKING]
    accounts += [_account(role.value, steering, role) for role in _STEERING]
    return [*accounts, {"username": AGENT, "kind": "agent", "department": None, "roles": []}]


def _account(username: str, department: str, role: Role) -> dict[str, Any]:
    return {"username": username, "kind": "staff", "department": department, "roles": [role.value]}


def _tell(accounts: list[dict[str, Any]]) -> None:
    """Leave word of the accounts for whoever started this."""
    file = os.environ.get("TALENT_DEMO_ACCOUNTS_FILE")
    if file:
        Path(file).write_text(json.dumps(accounts), encoding="utf-8")
