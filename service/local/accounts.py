"""Under whom PostgreSQL runs: it refuses to be root."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from service.local.child import Account, StartFailed

_NOBODY = 65534

# A user namespace in which root is nobody: PostgreSQL sees an ordinary user, the kernel still sees
# the owner of the files. So nothing is chowned, and folders below a 0700 path can be reached.
UNSHARE = ("unshare", "-U", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--")

_CAN_WRITE = '"$1" --version && test -x "$2" && test -w "$2"'
_CAN_ENTER = '"$1" --version && test -x "$2"'


def account_for(postgres: Path, folder: Path) -> Account:
    """An account that can execute `postgres` and write into `folder`, which exists.

    Not root: as we are. Root: behind unshare where the system allows it, else the user who owns
    `folder` (or the folder around it), else nobody; to them `folder` is handed over.
    Raises StartFailed when none can.
    """
    if os.geteuid() != 0:
        return Account()
    behind = Account(prefix=UNSHARE)
    if _passes(_CAN_WRITE, behind, postgres, folder):
        return behind
    user = _ordinary_owner(folder)
    if _passes(_CAN_ENTER, user, postgres, folder.parent):
        _hand_over(folder, user)
        return user
    raise StartFailed(
        f"PostgreSQL does not run as root, and user {user.uid} cannot reach {postgres} and "
        f"{folder}. Run this as an ordinary user, or set DATABASE_URL."
    )


def _passes(probe: str, account: Account, postgres: Path, folder: Path) -> bool:
    try:
        outcome = subprocess.run(  # noqa: S603
            [*account.prefix, "/bin/sh", "-c", probe, "sh", str(postgres), str(folder)],
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return outcome.returncode == 0


def _ordinary_owner(folder: Path) -> Account:
    for place in (folder, folder.parent, folder.parent.parent):
        owner = place.stat()
        if owner.st_uid != 0:
            return Account(uid=owner.st_uid, gid=owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(uid=_NOBODY, gid=_NOBODY)
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _hand_over(folder: Path, user: Account) -> None:
    if user.uid is None or user.gid is None or folder.stat().st_uid == user.uid:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
