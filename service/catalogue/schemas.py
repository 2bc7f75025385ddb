"""The public catalogue as JSON."""

from __future__ import annotations

from service.catalogue.rules.definitions import Binding, Need
from service.catalogue.rules.pack import Scope, Subject
from service.kernel.http import Schema, fields
from service.routing.bundle import EdgeKind
from service.routing.flow import StageKind


class RuleOut(Schema):
    at = fields.String(required=True, metadata={"description": "The field of a breach."})
    message = fields.Texts(required=True)


class DistrictQuery(Schema):
    district = fields.String(
        longest=40,
        metadata={"description": "The district whose catalogue is asked for; default: one's own."},
    )


class OfficeHoursOut(Schema):
    """Hours without a break, local time."""

    opens = fields.String(required=True)
    closes = fields.String(required=True)


class DistrictOut(Schema):
    """A district that this installation serves."""

    code = fields.String(
        required=True, metadata={"description": "As `district` of a sign-in and of `?district=`."}
    )
    name = fields.Texts(required=True)
    zone = fields.String(
        required=True,
        metadata={"description": "The time zone of its dates and office hours (IANA)."},
    )
    office_hours = fields.List(fields.Nested(OfficeHoursOut), required=True)
    default = fields.Boolean(
        required=True, metadata={"description": "Whether it is meant where none is named."}
    )


class Districts(Schema):
    items = fields.List(fields.Nested(DistrictOut), required=True)


class Listed(Schema):
    code = fields.String(required=True)
    version = fields.Integer(required=True)
    title = fields.Texts(required=True)
    summary = fields.Texts(required=True)


class Offerings(Schema):
    items = fields.List(fields.Nested(Listed), required=True)


class Bundles(Schema):
    items = fields.List(fields.Nested(Listed), required=True)


class Citation(Schema):
    code = fields.String(required=True)
    title = fields.Texts(required=True)
    article = fields.Texts()


class Section(Schema):
    code = fields.String(required=True)
    scope = fields.Enum(Scope, required=True)
    title = fields.Texts(required=True)
    schema = fields.Object(
        required=True,
        metadata={
            "description": "JSON Schema 2020-12; `x-title` and `x-options` have the words to show."
        },
    )


class Stage(Schema):
    key = fields.String(required=True)
    kind = fields.Enum(StageKind, required=True)
    title = fields.Texts(required=True)
    department = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Who usually works on it; nobody on what the system checks."},
    )
    departments = fields.List(
        fields.String(),
        required=True,
        attribute="choice.possible",
        metadata={"description": "Everybody who works on it, or may be chosen to."},
    )
    working_days = fields.Integer(required=True, attribute="limit.working_days")
    working_hours = fields.Integer(
        required=True,
        attribute="limit.working_hours",
        metadata={"description": "Office hours, where the limit is not in days."},
    )


class NamedDepartment(Schema):
    code = fields.String(required=True)
    name = fields.Texts(required=True)


class CriterionOut(Schema):
    code = fields.String(required=True)
    title = fields.Texts(required=True)
    binding = fields.Enum(Binding, required=True)
    citation = fields.Texts(required=True)
    article = fields.Texts(required=True, allow_none=True)


class Offering(Schema):
    code = fields.String(required=True)
    version = fields.Integer(required=True)
    title = fields.Texts(required=True)
    summary = fields.Texts(required=True)
    subject = fields.Enum(Subject, required=True)
    citations = fields.List(fields.Nested(Citation), required=True)
    criteria = fields.List(fields.Nested(CriterionOut), required=True)
    remedies = fields.Texts(
        required=True,
        allow_none=True,
        metadata={"description": "What somebody who is refused can do, and within which time."},
    )
    departments = fields.List(
        fields.Nested(NamedDepartment),
        required=True,
        attribute="named_departments",
        metadata={"description": "What the departments of its stages are called."},
    )
    promise_working_days = fields.Integer(required=True, attribute="flow.promise_working_days")
    stages = fields.List(fields.Nested(Stage), required=True, attribute="flow.stages")
    sections = fields.List(fields.Nested(Section), required=True, attribute="forms")


class BundledOffering(Schema):
    code = fields.String(required=True)
    version = fields.Integer(required=True)
    title = fields.Texts(required=True)
    summary = fields.Texts(required=True)
    subject = fields.Enum(Subject, required=True)
    promise_working_days = fields.Integer(required=True, attribute="flow.promise_working_days")
    sections = fields.List(
        fields.String(), required=True, metadata={"description": "The codes of its sections."}
    )


class Consent(Schema):
    ref = fields.String(required=True, metadata={"description": "What a filing names it by."})
    optional = fields.Boolean(required=True)
    title = fields.Texts(required=True)
    text = fields.Texts(required=True)


class DependencyOut(Schema):
    predecessor = fields.String(required=True, data_key="from")
    successor = fields.String(required=True, data_key="to")
    kind = fields.Enum(EdgeKind, required=True)


class Bundle(Schema):
    code = fields.String(required=True)
    version = fields.Integer(required=True)
    title = fields.Texts(required=True)
    summary = fields.Texts(required=True)
    consents = fields.List(fields.Nested(Consent), required=True)
    offerings = fields.List(fields.Nested(BundledOffering), required=True, attribute="members")
    sections = fields.List(
        fields.Nested(Section),
        required=True,
        attribute="forms",
        metadata={"description": "Every section of the offerings, once."},
    )
    edges = fields.List(
        fields.Nested(DependencyOut),
        required=True,
        metadata={"description": "Which offering waits for which, where both are asked for."},
    )


class FormQuery(DistrictQuery):
    offerings = fields.String(
        load_default=None,
        longest=2000,
        pattern="[a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*",
        metadata={"description": "The offerings chosen, as `a,b`; default: all of the bundle."},
    )


class FormSection(Section):
    rules = fields.List(
        fields.Nested(RuleOut),
        required=True,
        metadata={"description": "What must hold between the fields."},
    )
    asked_by = fields.List(fields.String(), required=True)
    prefilled = fields.Object(
        required=True, metadata={"description": "Answers that are known already, by field."}
    )


class AskedBy(Schema):
    offering = fields.String(required=True)
    need = fields.Enum(Need, required=True)
    when = fields.Object(
        required=True,
        allow_none=True,
        metadata={"description": "`conditional`: the condition, as packs write it."},
    )


class FormMaterial(Schema):
    code = fields.String(required=True)
    scope = fields.Enum(Scope, required=True)
    title = fields.Texts(required=True)
    note = fields.Texts(required=True, allow_none=True)
    formats = fields.List(fields.String(), required=True)
    most = fields.Integer(required=True, metadata={"description": "Files at the most."})
    asked_by = fields.List(fields.Nested(AskedBy), required=True)


class Form(Schema):
    bundle = fields.String(required=True)
    version = fields.Integer(required=True)
    offerings = fields.List(fields.Nested(BundledOffering), required=True)
    sections = fields.List(fields.Nested(FormSection), required=True)
    materials = fields.List(fields.Nested(FormMaterial), required=True)
    consents = fields.List(fields.Nested(Consent), required=True)
    edges = fields.List(
        fields.Nested(DependencyOut),
        required=True,
        metadata={"description": "Which of the chosen waits for which."},
    )


class FiledSection(Section):
    rules = fields.List(
        fields.Nested(RuleOut),
        required=True,
        metadata={"description": "What must hold between the fields."},
    )


class FiledMaterial(Schema):
    code = fields.String(required=True)
    scope = fields.Enum(Scope, required=True)
    title = fields.Texts(required=True)
    note = fields.Texts(required=True, allow_none=True)
    formats = fields.List(fields.String(), required=True)
    most = fields.Integer(required=True, metadata={"description": "Files at the most."})
    need = fields.Enum(Need, required=True)
    when = fields.Object(
        required=True,
        allow_none=True,
        metadata={"description": "`conditional`: the condition, as packs write it."},
    )


class FiledForm(Schema):
    offering = fields.String(required=True)
    version = fields.Integer(
        required=True, metadata={"description": "The one under which the item was filed."}
    )
    title = fields.Texts(required=True)
    sections = fields.List(fields.Nested(FiledSection), required=True)
    materials = fields.List(fields.Nested(FiledMaterial), required=True)
