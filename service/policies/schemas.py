"""What goes over the wire about eligibility."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from service.catalogue.rules.definitions import Binding
from service.catalogue.rules.pack import Subject
from service.kernel.http import Schema, fields
from service.policies.rules import Relative, Stated, StatedFact
from service.routing.conditions.asked import SourceKind, Truth

_CODES = {"description": "Codes of offerings."}
_KINSHIP = [Subject.CHILD.value, Subject.SPOUSE.value]


class StatedFactIn(Schema):
    """Something a department has established, as the asker says."""

    kind = fields.String(required=True, longest=40)
    value = fields.Object(required=True)

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> StatedFact:
        """The value the rules work on."""
        return StatedFact(**values)


class RelativeIn(Schema):
    """A member of the family."""

    kinship = fields.String(required=True, pattern="|".join(_KINSHIP))
    born = fields.BirthDate(load_default=None, allow_none=True, data_key="birth_date")

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Relative:
        """The value the rules work on."""
        return Relative(Subject(values["kinship"]), values["born"])


class EligibilityIn(Schema):
    """What is asked, and what the asker says of themselves; all of it may be left out."""

    offerings = fields.List(
        fields.String(longest=40), load_default=list, longest=50, metadata=_CODES
    )
    together = fields.List(
        fields.String(longest=40),
        load_default=list,
        longest=50,
        metadata={"description": "Offerings meant to be filed with them, or under way."},
    )
    sections = fields.Object(
        load_default=dict,
        metadata={"description": "Answers by section; any may be left out."},
    )
    facts = fields.List(fields.Nested(StatedFactIn), load_default=list, longest=50)
    family = fields.List(fields.Nested(RelativeIn), load_default=list, longest=20)
    born = fields.BirthDate(load_default=None, allow_none=True, data_key="birth_date")

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Stated:
        """The value the queries work on."""
        return Stated(**values)


class ReasonOut(Schema):
    """One clause that decides."""

    source = fields.Enum(
        SourceKind, required=True, metadata={"description": "Where the clause looks."}
    )
    name = fields.String(
        required=True, metadata={"description": "The field, fact, person or offering it is about."}
    )
    title = fields.Texts(required=True, metadata={"description": "What people call it."})
    text = fields.Texts(
        required=True, metadata={"description": "What is asked for, as a sentence."}
    )
    asked = fields.String(required=True, metadata={"description": "The comparison."})
    expected = fields.Plain(required=True, metadata={"description": "What it is compared with."})
    on = fields.Date(
        required=True,
        allow_none=True,
        metadata={
            "description": "The day as of which an age or a span counts; null where neither is"
            " asked, or the answer that states the day is missing."
        },
    )
    verdict = fields.Enum(Truth, required=True)
    missing = fields.List(
        fields.String(), required=True, metadata={"description": "What has to be known first."}
    )


class JudgedOut(Schema):
    """A criterion and what it came to."""

    code = fields.String(required=True)
    title = fields.Texts(required=True)
    citation = fields.Texts(required=True)
    article = fields.Texts(required=True, allow_none=True)
    binding = fields.Enum(Binding, required=True)
    verdict = fields.Enum(Truth, required=True)
    reasons = fields.List(fields.Nested(ReasonOut), required=True)


class EligibleOut(Schema):
    """An offering, for one possible subject."""

    offering = fields.String(required=True)
    title = fields.Texts(required=True)
    about = fields.Enum(Subject, required=True)
    subject = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "The member of the family, of a talent who is signed in."},
    )
    verdict = fields.Enum(Truth, required=True)
    criteria = fields.List(fields.Nested(JudgedOut), required=True)


class EligibilityOut(Schema):
    """Eligibility, a row for each offering and possible subject."""

    items = fields.List(fields.Nested(EligibleOut), required=True)
