"""What goes over the wire between a talent and their tickets."""

from __future__ import annotations

from service.applicants.rules import Consequence
from service.kernel.http import Schema, ShownOut, ShownSectionOut, fields
from service.routing.bundle import EdgeKind, EdgeOn, EdgeStatus, Otherwise
from service.routing.flow import Verdict
from service.routing.states import Hold, Outcome, Phase, StageStatus
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import Choice, Light, NextStep, TicketStatus
from service.tickets.schemas import ETAG, CorrectionOut, GivenReasonOut, HandedIn


class CorrectionIn(Schema):
    """The answer to everything that was asked about an item."""

    sections = fields.Object(
        load_default=dict, metadata={"description": "The corrected sections, whole."}
    )
    materials = fields.List(
        fields.Nested(HandedIn),
        load_default=list,
        longest=100,
        metadata={"description": "The documents that replace those of their code."},
    )


class StageOut(Schema):
    """A stage that has been opened."""

    key = fields.String(required=True)
    round = fields.Integer(required=True)
    title = fields.Texts(required=True)
    department = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The first of its departments; none where nobody works on it."},
    )
    department_name = fields.Texts(required=True, allow_none=True)
    departments = fields.List(fields.String(), required=True)
    department_names = fields.List(fields.Texts(), required=True)
    state = fields.Enum(StageStatus, required=True)
    verdict = fields.Enum(Verdict, required=True, allow_none=True)
    due_at = fields.DateTime(required=True)
    light = fields.Enum(Light, required=True, allow_none=True)


class DeliveryOut(Schema):
    """What a department recorded when it delivered what was decided."""

    stage = fields.String(required=True)
    title = fields.Texts(required=True)
    department = fields.String(required=True)
    department_name = fields.Texts(required=True)
    delivered_at = fields.DateTime(required=True)
    result = fields.Object(required=True, allow_none=True)
    result_shown = fields.List(fields.Nested(ShownOut), required=True, allow_none=True)


class RefusalOut(Schema):
    """Why a stage refused. A check of the system has no department."""

    stage = fields.String(required=True)
    stage_title = fields.Texts(required=True)
    department = fields.String(required=True, allow_none=True)
    department_name = fields.Texts(required=True, allow_none=True)
    verdict = fields.Enum(Verdict, required=True)
    at = fields.DateTime(required=True)
    reason = fields.Nested(GivenReasonOut, required=True)


class ItemOut(Schema):
    """An item as its applicant sees it."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    version = fields.Integer(required=True)
    etag = fields.String(required=True, metadata=ETAG)
    offering = fields.String(required=True)
    title = fields.Texts(required=True)
    subject = fields.UUID(required=True, allow_none=True)
    phase = fields.Enum(Phase, required=True)
    hold = fields.Enum(
        Hold,
        required=True,
        allow_none=True,
        metadata={"description": "Why it stands still: `correction` waits for the applicant."},
    )
    hold_until = fields.DateTime(required=True, allow_none=True)
    outcome = fields.Enum(Outcome, required=True, allow_none=True)
    ended_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "What was promised stays in `due_at` and `due_on`."},
    )
    due_on = fields.Date(required=True)
    due_at = fields.DateTime(required=True)
    due_basis = fields.Enum(DueBasis, required=True)
    provisional = fields.Boolean(required=True)
    light = fields.Enum(Light, required=True, allow_none=True)
    result = fields.Object(
        required=True, allow_none=True, metadata={"description": "What the decision recorded."}
    )
    result_shown = fields.List(
        fields.Nested(ShownOut),
        required=True,
        allow_none=True,
        metadata={"description": "The same in words, in the order of its form."},
    )
    refusals = fields.List(
        fields.Nested(RefusalOut),
        required=True,
        metadata={
            "description": "Why stages refused, with the rule and what can be done, in their order;"
            " one that leads back to an earlier stage does not end the item."
        },
    )
    deliveries = fields.List(
        fields.Nested(DeliveryOut),
        required=True,
        metadata={
            "description": "What fulfilment stages recorded behind it, such as the number of a"
            " notice or a contract, in the order in which it came."
        },
    )
    waiting_for = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The offerings of the ticket that have to come first."},
    )
    waiting_for_titles = fields.List(fields.Texts(), required=True)
    stages = fields.List(fields.Nested(StageOut), required=True)


class EdgeOut(Schema):
    """What an item waits or waited for."""

    predecessor = fields.String(required=True, data_key="from")
    predecessor_title = fields.Texts(required=True, data_key="from_title")
    item = fields.UUID(required=True)
    kind = fields.Enum(EdgeKind, required=True)
    on = fields.Enum(EdgeOn, required=True)
    state = fields.Enum(EdgeStatus, required=True)
    next_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When it waits no longer, or when the answer is due."},
    )
    default = fields.Enum(
        Otherwise,
        required=True,
        allow_none=True,
        metadata={"description": "What counts if the applicant, who is asked, does not answer."},
    )


class TicketSummaryOut(Schema):
    """A ticket or a draft, in short; a draft has no number, and nothing of it is due."""

    id = fields.UUID(required=True)
    number = fields.String(required=True, allow_none=True)
    version = fields.Integer(required=True)
    etag = fields.String(required=True, metadata=ETAG)
    bundle = fields.String(required=True)
    bundle_title = fields.Texts(required=True)
    status = fields.Enum(TicketStatus, required=True)
    filed_at = fields.DateTime(required=True, allow_none=True)
    ended_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "What was promised stays in `due_at` and `due_on`."},
    )
    due_on = fields.Date(required=True, allow_none=True)
    due_at = fields.DateTime(required=True, allow_none=True)
    due_basis = fields.Enum(DueBasis, required=True, allow_none=True)
    provisional = fields.Boolean(
        required=True,
        metadata={"description": "The calendar of that time is not published yet."},
    )


class HandedOut(Schema):
    """A document as one of the materials."""

    code = fields.String(required=True)
    material = fields.UUID(required=True)


class ItemMaterialOut(HandedOut):
    """A document that counts for an item, with what it is called."""

    title = fields.Texts(required=True)


class DraftWishOut(Schema):
    """An item asked for in a draft."""

    offering = fields.String(required=True)
    subject = fields.UUID(required=True, allow_none=True)
    sections = fields.Object(required=True)
    materials = fields.List(fields.Nested(HandedOut), required=True)


class DraftOut(Schema):
    """What a draft says so far."""

    items = fields.List(fields.Nested(DraftWishOut), required=True)
    sections = fields.Object(required=True)
    materials = fields.List(fields.Nested(HandedOut), required=True)
    consents = fields.List(fields.String(), required=True)
    updated_at = fields.DateTime(required=True)


class NextStepOut(Schema):
    """What the applicant has to do."""

    item = fields.UUID(required=True)
    kind = fields.Enum(NextStep, required=True)
    by = fields.DateTime(required=True, allow_none=True)


class ItemLineOut(Schema):
    """An item in a list of tickets."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    offering = fields.String(required=True)
    title = fields.Texts(required=True)
    phase = fields.Enum(Phase, required=True)
    hold = fields.Enum(Hold, required=True, allow_none=True)
    outcome = fields.Enum(Outcome, required=True, allow_none=True)
    due_on = fields.Date(required=True)
    light = fields.Enum(Light, required=True, allow_none=True)


class ProgressOut(Schema):
    """How many of a ticket's items have ended."""

    ended = fields.Integer(required=True)
    items = fields.Integer(required=True)


class ListedTicketOut(TicketSummaryOut):
    """A ticket or a draft in a list."""

    light = fields.Enum(
        Light,
        required=True,
        allow_none=True,
        metadata={"description": "The most urgent of its items that are not decided."},
    )
    progress = fields.Nested(
        ProgressOut, required=True, allow_none=True, metadata={"description": "Null of a draft."}
    )
    offerings = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Those asked for, each once; of a draft, so far."},
    )
    items = fields.List(fields.Nested(ItemLineOut), required=True)
    next_steps = fields.List(
        fields.Nested(NextStepOut),
        required=True,
        metadata={"description": "What waits for the applicant, the most urgent first."},
    )
    updated_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "Of a draft."}
    )


class TicketOut(TicketSummaryOut):
    """A ticket, whole."""

    items = fields.List(fields.Nested(ItemOut), required=True)
    edges = fields.List(fields.Nested(EdgeOut), required=True)
    next_steps = fields.List(
        fields.Nested(NextStepOut),
        required=True,
        metadata={"description": "What waits for the applicant, the most urgent first."},
    )
    draft = fields.Nested(
        DraftOut, required=True, allow_none=True, metadata={"description": "Not filed yet."}
    )


class ItemDetailOut(ItemOut):
    """An item with what was filed for it and what was asked to be corrected."""

    ticket = fields.UUID(required=True)
    sections = fields.Object(
        required=True, metadata={"description": "By section, one's own answers as they stand."}
    )
    sections_shown = fields.List(
        fields.Nested(ShownSectionOut),
        required=True,
        metadata={"description": "The same in words, in the order of the form that was filled in."},
    )
    materials = fields.List(
        fields.Nested(ItemMaterialOut),
        required=True,
        metadata={"description": "The documents that count for it."},
    )
    corrections = fields.List(fields.Nested(CorrectionOut), required=True)


class ConsequenceOut(Schema):
    """What would become of an item."""

    item = fields.UUID(required=True)
    number = fields.String(required=True)
    offering = fields.String(required=True)
    title = fields.Texts(required=True)
    consequence = fields.Enum(Consequence, required=True)


class ConsequencesOut(Schema):
    """What a withdrawal would come to, item by item; nothing has been done."""

    items = fields.List(fields.Nested(ConsequenceOut), required=True)


class DueChangeOut(Schema):
    """A due date that moved, and why."""

    at = fields.DateTime(required=True)
    before = fields.DateTime(required=True)
    after = fields.DateTime(required=True)
    basis = fields.Enum(DueBasis, required=True)
    cause = fields.String(required=True)
    text = fields.Texts(required=True)


class DueChangesOut(Schema):
    """What moved the deadline of an item, the first change first."""

    items = fields.List(fields.Nested(DueChangeOut), required=True)


class ChoiceIn(Schema):
    """The answer where an item cannot have what it waited for."""

    choice = fields.Enum(Choice, required=True)


class TicketPageOut(Schema):
    """A page of tickets, the newest first."""

    items = fields.List(fields.Nested(ListedTicketOut), required=True)
    next = fields.String(required=True, allow_none=True)
