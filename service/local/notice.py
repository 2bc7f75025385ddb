"""What a person, and a script, is told about the running service: the terminal and var/up.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.kernel.permissions import GRANTS, Role
from service.local.private import write_private

AUDIENCES = ("public", "talent", "desk", "enterprise")
_SHOWN = 40
_IDLE = "(signs in, has no operations yet 可登录，暂无可用操作)"


@dataclass(frozen=True)
class Notice:
    """The content of up.json. `accounts`: {username, kind, department, roles} each."""

    base_url: str
    docs: Mapping[str, str]
    accounts: Sequence[Mapping[str, Any]]
    password_file: str
    pids: Mapping[str, int]

    def write(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n")

    def for_people(self) -> str:
        """Addresses, accounts and the way in, a line each."""
        docs = [f"  {audience:<10} {url}" for audience, url in self.docs.items()]
        accounts = [_account_line(account) for account in self.accounts]
        more = len(accounts) - _SHOWN
        return "\n".join(
            [
                "",
                f"The service is ready (服务已就绪): {self.base_url}",
                "",
                "Documentation (接口文档)",
                *docs,
                "",
                "Accounts of staff and agents (工作人员、用人单位专员账号)",
                *(accounts[:_SHOWN] or ["  none (无)"]),
                *([f"  and {more} more, see up.json"] if more > 0 else []),
                f"  Their password is in (密码见): {self.password_file}",
                "",
                "Talents (人才): sign in through WeChat, code  demo:<name>  (demo:wang.fang)",
                "  用演示微信登录，code 填 demo:<姓名>，例如 demo:王小明",
                "",
                "Ctrl-C stops everything (按 Ctrl-C 全部停止)",
                "",
            ]
        )


def docs_of(base_url: str) -> dict[str, str]:
    """The address of each audience's documentation."""
    return {audience: f"{base_url}/docs/{audience}" for audience in AUDIENCES}


def read_accounts(path: Path) -> list[dict[str, Any]]:
    """What `prepare` wrote; nothing when it wrote nothing."""
    if not path.exists():
        return []
    accounts: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return accounts


def _account_line(account: Mapping[str, Any]) -> str:
    roles = [Role(role) for role in account.get("roles") or []]
    words = [account.get("department") or account.get("kind") or "", ", ".join(roles)]
    line = f"  {account['username']:<28} {': '.join(filter(None, words))}".rstrip()
    idle = roles and not any(GRANTS[role] for role in roles)
    return f"{line} {_IDLE}" if idle else line
