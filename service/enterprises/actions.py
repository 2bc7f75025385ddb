"""Making enterprises and their agents known, and confirming who works for them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.enterprises.models import Employment, Enterprise, EnterpriseAgent
from service.enterprises.rules import LONGEST_NAME, EmploymentSource, normal_credit_code
from service.identity.auth.actions.accounts import ensure_account
from service.identity.people.rules import AccountKind
from service.kernel import audit, clock
from service.kernel.actor import Actor, system
from service.kernel.db import insert_new_rows, insert_rows, zone_of
from service.kernel.errors import FieldError, Invalid
from service.kernel.ids import new_id


def ensure_enterprise(session: Session, *, credit_code: str, name: str, at: datetime) -> UUID:
    """Make this enterprise known in the transaction's district, or give it this name; its id.

    Raises `Invalid` for what is no credit code or no name.
    """
    code, named = normal_credit_code(credit_code), name.strip()
    faults = []
    if code is None:
        faults.append(FieldError("credit_code", "credit_code_wrong"))
    if not 0 < len(named) <= LONGEST_NAME:
        bounds = {"minimum": 1, "maximum": LONGEST_NAME}
        faults.append(FieldError("name", "length_out_of_bounds", bounds))
    if faults:
        raise Invalid(errors=faults)
    written = insert(Enterprise).values(
        district_id=func.current_setting("app.district"),
        id=new_id(),
        credit_code=code,
        name=named,
        created_at=at,
    )
    enterprise_id, district = session.execute(
        written.on_conflict_do_update(
            index_elements=["district_id", "credit_code"], set_={"name": written.excluded.name}
        ).returning(Enterprise.id, Enterprise.district_id)
    ).one()
    actor = system(district)
    audit.record(session, "enterprise.ensured", actor=actor, at=at, subject=enterprise_id)
    return enterprise_id


def ensure_agent(
    session: Session,
    *,
    username: str,
    display_name: str,
    password: str,
    credit_code: str,
    at: datetime,
    renamed: bool = False,
) -> UUID:
    """Make this account, or make it be so, acting for exactly this enterprise from today on.

    Returns the account's id. `renamed` is as for `ensure_account`. The transaction runs in the
    scope of its district, and of nobody, before and after. Raises `Invalid` at `credit_code` for an
    enterprise that the district does not know, and what `ensure_account` raises.
    """
    enterprise = session.execute(
        select(Enterprise.id, Enterprise.district_id).where(
            Enterprise.district_id == func.current_setting("app.district"),
            Enterprise.credit_code == normal_credit_code(credit_code),
        )
    ).one_or_none()
    if enterprise is None:
        raise Invalid(errors=[FieldError("credit_code", "enterprise_unknown")])
    account_id = ensure_account(
        session,
        kind=AccountKind.AGENT,
        district=enterprise.district_id,
        username=username,
        display_name=display_name,
        password=password,
        at=at,
        renamed=renamed,
    )
    today = clock.local_date(at, zone_of(session, enterprise.district_id))
    _act_for(session, enterprise.district_id, account_id, enterprise.id, today)
    return account_id


def confirm_employment(
    session: Session, actor: Actor, *, enterprise_id: UUID, since: date | None, at: datetime
) -> None:
    """The talent says for whom they work, since when, and lets them follow.

    Said again, the employment stays as it was confirmed first. One statement.
    """
    confirmed = {
        "district_id": actor.district,
        "person_id": actor.person,
        "enterprise_id": enterprise_id,
        "since": since,
        "confirmed_at": at,
        "source": EmploymentSource.FILING,
    }
    insert_new_rows(session, Employment, [confirmed])


def _act_for(
    session: Session, district: str, account_id: UUID, enterprise_id: UUID, today: date
) -> None:
    """End what the account did for other enterprises (today is no longer theirs), begin this."""
    row = session.execute(
        select(EnterpriseAgent.id, EnterpriseAgent.enterprise_id, EnterpriseAgent.valid_from).where(
            EnterpriseAgent.district_id == district,
            EnterpriseAgent.account_id == account_id,
            EnterpriseAgent.valid_to.is_(None),
        )
    ).one_or_none()
    if row is not None:
        if row.enterprise_id == enterprise_id:
            return
        former = (EnterpriseAgent.district_id == district, EnterpriseAgent.id == row.id)
        if row.valid_from < today:
            ended = update(EnterpriseAgent).where(*former)
            session.execute(ended.values(valid_to=today - timedelta(days=1)))
        else:
            session.execute(delete(EnterpriseAgent).where(*former))
    begun = {"enterprise_id": enterprise_id, "account_id": account_id, "valid_from": today}
    insert_rows(session, EnterpriseAgent, [{"district_id": district} | begun])
