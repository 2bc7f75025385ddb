"""Whose case a row belongs to."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Mapped


class OfApplicant:
    """A row that belongs to a case, and names the person whose case it is.

    Row-level security shows it to that person without a look at another table: a policy of the
    district family has no sub-query, which a distributed engine refuses. None where
    an enterprise applied.
    """

    person_id: Mapped[UUID | None]


class OfEmployer:
    """A row that an employer may see; None where the applicant named none that may follow."""

    employer_id: Mapped[UUID | None]
