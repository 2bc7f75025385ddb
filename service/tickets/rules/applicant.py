"""Whose ticket it is, and by which right somebody filed it: values, no database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID


class ApplicantKind(StrEnum):
    """What an applicant is. The words are those of the database."""

    PERSON = "person"
    ENTERPRISE = "enterprise"


class Authority(StrEnum):
    """By which right a ticket was filed."""

    OWN = "own"  # the applicant filed it
    AGENT = "agent"  # an agent of the employer did, whom the applicant had authorised


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applies, which need not be who acts: that is the actor.

    `authority_id`, `employer_id`: the recorded authority under which an agent of that employer
    files for the applicant; both None where applicants file for themselves.
    """

    kind: ApplicantKind
    id: UUID
    authority_id: UUID | None = None
    employer_id: UUID | None = None

    @classmethod
    def themselves(cls, person_id: UUID) -> Self:
        """A person who files for themselves."""
        return cls(ApplicantKind.PERSON, person_id)

    @property
    def authority(self) -> Authority:
        return Authority.OWN if self.authority_id is None else Authority.AGENT

    @property
    def person(self) -> UUID:
        """The person who applies; raises `LookupError` for an enterprise."""
        if self.kind is not ApplicantKind.PERSON:
            raise LookupError("the applicant is no person")
        return self.id

    @property
    def person_id(self) -> UUID | None:
        return self.id if self.kind is ApplicantKind.PERSON else None

    @property
    def enterprise_id(self) -> UUID | None:
        return self.id if self.kind is ApplicantKind.ENTERPRISE else None

    @property
    def lock_name(self) -> str:
        """What filings of one applicant take turns by."""
        return f"{self.kind}|{self.id}"
