"""What goes over the wire at the desk of a department."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from service.desk.rules import MOST_SOUGHT
from service.identity.people.rules import IdType, Kinship
from service.identity.people.schemas import ISSUED_BY
from service.kernel.http import Schema, ShownOut, ShownSectionOut, fields
from service.kernel.permissions import Role
from service.routing.flow import StageKind, Verdict
from service.routing.states import Outcome, Phase
from service.tickets.rules.corrections import Point
from service.tickets.rules.reasons import Reason
from service.tickets.rules.states import Light, TaskStatus
from service.tickets.schemas import CODE, ETAG, CorrectionOut, GivenReasonOut, PageIn


class TaskQuery(PageIn):
    """What a clerk narrows the list to."""

    state = fields.Enum(
        TaskStatus,
        load_default=None,
        metadata={"description": "Without it, what is still to be done: open or claimed."},
    )
    offering = fields.String(load_default=None, longest=64, metadata=CODE)
    stage = fields.String(
        load_default=None, longest=64, metadata={"description": "The key of a stage."}
    )
    light = fields.Enum(
        Light, load_default=None, metadata={"description": "Of what is still to be done alone."}
    )
    assignee = fields.String(
        load_default=None,
        longest=36,
        pattern="me|none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        metadata={"description": "`me`, `none`, or the id of an account."},
    )
    due_before = fields.DayOrMoment(
        load_default=None,
        metadata={"description": "A date in the district, from its beginning, or a moment."},
    )
    q = fields.String(
        load_default=None,
        shortest=4,
        longest=40,
        pattern="[0-9A-Za-z-]+",
        metadata={
            "description": "The number of an item or its ticket, or how it begins; refused where"
            f" more than {MOST_SOUGHT} items of the district begin so."
        },
    )
    takable = fields.QueryBoolean(
        load_default=False,
        metadata={
            "description": "`true`: what I may take, as `next` hands it out: open, of a role that I"
            " hold there, no case of my own, not barred by four eyes, and no running notice."
        },
    )


class TaskOut(Schema):
    """A task in a list."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    etag = fields.String(required=True, metadata=ETAG)
    state = fields.Enum(TaskStatus, required=True)
    kind = fields.Enum(StageKind, required=True)
    stage = fields.String(required=True)
    stage_title = fields.Texts(required=True)
    item = fields.UUID(required=True)
    item_number = fields.String(required=True)
    ticket_number = fields.String(required=True)
    filed_at = fields.DateTime(required=True)
    applicant_name = fields.String(
        required=True, allow_none=True, metadata={"description": "As it was at filing."}
    )
    subject_name = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Of the member of the family that the item is about, where the stage may"
            " read it."
        },
    )
    offering = fields.String(required=True)
    title = fields.Texts(required=True)
    department = fields.String(required=True)
    department_name = fields.Texts(required=True)
    role = fields.String(required=True)
    role_title = fields.Texts(required=True)
    assignee = fields.UUID(required=True, allow_none=True)
    assignee_name = fields.String(required=True, allow_none=True)
    mine = fields.Boolean(required=True)
    opened_at = fields.DateTime(required=True)
    due_at = fields.DateTime(required=True)
    light = fields.Enum(Light, required=True, allow_none=True)
    verdict = fields.Enum(Verdict, required=True, allow_none=True)


class TaskPageOut(Schema):
    """A page of tasks by due time."""

    items = fields.List(fields.Nested(TaskOut), required=True)
    next = fields.String(required=True, allow_none=True)


class CountOut(Schema):
    """How many there are; not `exact`: at least so many."""

    value = fields.Integer(required=True)
    exact = fields.Boolean(required=True)


class StatesOut(Schema):
    """What is still to be done, by state."""

    open = fields.Nested(CountOut, required=True)
    claimed = fields.Nested(CountOut, required=True)


class LightsOut(Schema):
    """What is still to be done, by light."""

    green = fields.Nested(CountOut, required=True)
    yellow = fields.Nested(CountOut, required=True)
    red = fields.Nested(CountOut, required=True)


class OfferingCountOut(Schema):
    """What is still to be done of one offering."""

    offering = fields.String(required=True)
    count = fields.Nested(CountOut, required=True)


class TaskCountsOut(Schema):
    """How much there is to do in my departments, and of it in my hands."""

    state = fields.Nested(StatesOut, required=True)
    light = fields.Nested(LightsOut, required=True)
    offering = fields.List(
        fields.Nested(OfferingCountOut),
        required=True,
        metadata={"description": "Offerings of which there is something to do."},
    )
    mine = fields.Nested(CountOut, required=True)


class NextIn(Schema):
    """What to take next."""

    may_be_left_out = True

    offering = fields.String(load_default=None, allow_none=True, longest=64, metadata=CODE)


class AssignmentIn(Schema):
    """Whom to give a task to."""

    account = fields.UUID(
        required=True,
        metadata={"description": "Somebody who holds the task's role in its department today."},
    )


class TeamMemberOut(Schema):
    """Somebody who works in a department that I head."""

    account = fields.UUID(required=True)
    name = fields.String(required=True)
    department = fields.String(required=True)
    roles = fields.List(fields.Enum(Role), required=True)


class TeamOut(Schema):
    """Who works in the departments that I head."""

    items = fields.List(fields.Nested(TeamMemberOut), required=True)


class ApplicantOut(Schema):
    """Whom an item is for, masked."""

    name = fields.String(required=True, allow_none=True)
    id_type = fields.String(required=True, allow_none=True)
    id_number = fields.String(required=True, allow_none=True)
    id_country = fields.String(required=True, allow_none=True, metadata=ISSUED_BY)


class SubjectOut(Schema):
    """The member of the family that an item is about: what the stage names, nothing else."""

    name = fields.String()
    id_type = fields.Enum(IdType, metadata={"description": "With `id_number`, which is masked."})
    id_number = fields.String()
    id_country = fields.String(allow_none=True, metadata=ISSUED_BY)
    birth_date = fields.Date(allow_none=True)
    kinship = fields.Enum(Kinship)


class SeenFactOut(Schema):
    """A fact that a stage may read."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    title = fields.Texts(required=True)
    value = fields.Object(required=True)
    value_shown = fields.List(fields.Nested(ShownOut), required=True)
    issuer = fields.String(required=True)
    issuer_name = fields.Texts(required=True)
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(required=True, allow_none=True)


class SeenMaterialOut(Schema):
    """A document that a stage may read."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    title = fields.Texts(required=True)
    name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True)
    erased = fields.Boolean(
        required=True, metadata={"description": "Its owner has erased it since."}
    )


class VerdictOut(Schema):
    """What another stage of the item decided.

    Opinion, reason and result are those of earlier stages that this one may read: of its own
    department, and of the stages that the pack names; a decision reads all. Else they are null.
    """

    stage = fields.String(required=True)
    stage_title = fields.Texts(required=True)
    round = fields.Integer(required=True)
    department = fields.String(required=True)
    department_name = fields.Texts(required=True)
    role = fields.String(required=True)
    role_title = fields.Texts(required=True)
    verdict = fields.Enum(Verdict, required=True)
    deemed = fields.Boolean(
        required=True, metadata={"description": "Time decided, and nobody by name."}
    )
    decided_at = fields.DateTime(required=True)
    decided_by = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The name of a colleague of my departments."},
    )
    opinion = fields.String(required=True, allow_none=True)
    reason = fields.Nested(GivenReasonOut, required=True, allow_none=True)
    result = fields.Object(required=True, allow_none=True)
    result_shown = fields.List(fields.Nested(ShownOut), required=True, allow_none=True)


class AskedCorrectionOut(CorrectionOut):
    """What the applicant was asked to correct: all that this stage asked itself, and of others what
    is about something that it may see.
    """

    department = fields.String(required=True)
    department_name = fields.Texts(required=True)


class CitationOut(Schema):
    """A rule that the offering rests on, to be named in a reason by its code."""

    code = fields.String(required=True)
    title = fields.Texts(required=True)
    article = fields.Texts(required=True, allow_none=True)


class TaskDetailOut(TaskOut):
    """A task with exactly what its stage may see."""

    item_ended_at = fields.DateTime(required=True, allow_none=True)
    passing = fields.Enum(
        Verdict, required=True, metadata={"description": "The verdict with which the flow goes on."}
    )
    may = fields.List(fields.Enum(Verdict), required=True)
    records = fields.Object(
        required=True,
        allow_none=True,
        metadata={"description": "JSON Schema of the result that the passing verdict must bring."},
    )
    citations = fields.List(fields.Nested(CitationOut), required=True)
    remedies = fields.Texts(
        required=True,
        allow_none=True,
        metadata={
            "description": "What an applicant is shown with a refusal that says nothing else of it."
        },
    )
    applicant = fields.Nested(ApplicantOut, required=True)
    subject = fields.Nested(
        SubjectOut,
        required=True,
        allow_none=True,
        metadata={
            "description": "The member of the family that the item is about; null where there is"
            " none, and where the stage names nothing of them."
        },
    )
    sections = fields.Object(
        required=True, metadata={"description": "By section, the answers this stage may read."}
    )
    sections_shown = fields.List(
        fields.Nested(ShownSectionOut),
        required=True,
        metadata={"description": "The same in words, in the order of the form."},
    )
    facts = fields.List(
        fields.Nested(SeenFactOut),
        required=True,
        metadata={"description": "Facts in force about the applicant and the subject."},
    )
    materials = fields.List(
        fields.Nested(SeenMaterialOut),
        required=True,
        metadata={"description": "The documents that this stage may read."},
    )
    history = fields.List(
        fields.Nested(VerdictOut),
        required=True,
        metadata={"description": "The verdicts on the item so far."},
    )
    corrections = fields.List(fields.Nested(AskedCorrectionOut), required=True)
    opinion = fields.String(required=True, allow_none=True)
    reason = fields.Nested(
        GivenReasonOut,
        required=True,
        allow_none=True,
        metadata={"description": "What the applicant is shown of a refusal or a return."},
    )
    result = fields.Object(required=True, allow_none=True)
    result_shown = fields.List(fields.Nested(ShownOut), required=True, allow_none=True)


class PointIn(Schema):
    """One thing to correct: in a section, a field of it, or a material."""

    what = fields.String(required=True, longest=500, lines=True)
    section = fields.String(load_default=None, allow_none=True, longest=40)
    field = fields.String(load_default=None, allow_none=True, longest=40)
    material = fields.String(load_default=None, allow_none=True, longest=40)

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Point:
        """The value the rules work on."""
        return Point(**values)


class CitationIn(Schema):
    """The rule behind a verdict: one of the offering's citations or, where none fits, in words."""

    code = fields.String(
        load_default=None,
        allow_none=True,
        longest=40,
        metadata={"description": "Of one of the `citations` of the task."},
    )
    article = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "With `code`, where it is not the citation's own."},
    )
    text = fields.String(
        load_default=None,
        allow_none=True,
        longest=500,
        metadata={"description": "Instead of `code`: law or rule, and article."},
    )


class ReasonIn(Schema):
    """Why, for the applicant to read."""

    text = fields.String(required=True, longest=2000, lines=True)
    citation = fields.Nested(CitationIn, required=True)
    remedies = fields.String(
        load_default=None,
        allow_none=True,
        longest=1000,
        lines=True,
        metadata={
            "description": "What can be done against a refusal, where, and within which time; left"
            " out: what the offering says."
        },
    )

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Reason:
        """The value the rules work on."""
        cited = values["citation"]
        return Reason(
            text=values["text"],
            code=cited["code"],
            article=cited["article"],
            rule=cited["text"],
            remedies=values["remedies"],
        )


class DecisionIn(Schema):
    """A verdict: the opinion is for departments, the reason for the applicant."""

    verdict = fields.Enum(Verdict, required=True)
    opinion = fields.String(required=True, longest=2000, lines=True)
    result = fields.Object(
        load_default=None,
        allow_none=True,
        metadata={"description": "What the stage records, where its passing verdict asks for it."},
    )
    reason = fields.Nested(
        ReasonIn,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "`not_accept`, `reject`, `return`: what the applicant is shown; no other"
            " verdict has one."
        },
    )
    corrections = fields.List(
        fields.Nested(PointIn),
        load_default=list,
        longest=50,
        metadata={"description": "`return`: everything the applicant is asked to correct."},
    )


class DecidedOut(Schema):
    """What the decision made of the task and its item."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    etag = fields.String(required=True, metadata=ETAG)
    state = fields.Enum(TaskStatus, required=True)
    verdict = fields.Enum(Verdict, required=True)
    item = fields.UUID(required=True)
    item_number = fields.String(required=True)
    phase = fields.Enum(Phase, required=True)
    outcome = fields.Enum(Outcome, required=True, allow_none=True)
