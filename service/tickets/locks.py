"""What takes turns within a ticket's applicant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, func

from service.tickets.rules.applicant import Applicant


def filing_lock(applicant: Applicant) -> ColumnElement[Any]:
    """A lock, until the transaction ends, that one filing for an applicant has at a time.

    Whatever a filing looks at and must not change meanwhile is changed under it too. It is one for
    all districts, for a family is: it is taken as a statement, or part of one, before what it
    protects is read.
    """
    return lock_named(filing_lock_name(applicant))


def filing_lock_name(applicant: Applicant) -> str:
    """By what name it is taken."""
    return f"filing|{applicant.lock_name}"


def lock_named(name: str | BindParameter[str]) -> ColumnElement[Any]:
    """The lock of a name, as part of a statement."""
    return func.pg_advisory_xact_lock(func.hashtextextended(name, 0))
