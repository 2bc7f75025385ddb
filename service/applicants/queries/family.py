"""What applicants have filed about members of their family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.orm import Session

_FILED_ABOUT: Final = text("SELECT number, is_open FROM filed_about(:member)").bindparams(
    bindparam("member", type_=Uuid())
)


@dataclass(frozen=True, slots=True)
class FiledAbout:
    """An item about a member of the family: an open one where there is one."""

    number: str
    is_open: bool


def filed_about(session: Session, member_id: UUID) -> FiledAbout | None:
    """What the talent whose transaction it is has filed about somebody, in whatever district.

    None where nothing was. One statement.
    """
    row = session.execute(_FILED_ABOUT, {"member": member_id}).one_or_none()
    return None if row is None else FiledAbout(row.number, row.is_open)
