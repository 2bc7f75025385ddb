"""The public catalogue as JSON."""

from __future__ import annotations

from service.catalogue.rules import Scope, Subject
from service.kernel.http import Schema, fields
from service.routing import StageKind


class DistrictQuery(Schema):
    district = fields.String(
        longest=40,
        metadata={"description": "The district whose catalogue is asked for; default: one's own."},
    )


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
    department = fields.String(required=True)
    working_days = fields.Integer(required=True, attribute="limit.working_days")


class Offering(Schema):
    code = fields.String(required=True)
    version = fields.Integer(required=True)
    title = fields.Texts(required=True)
    summary = fields.Texts(required=True)
    subject = fields.Enum(Subject, required=True)
    citations = fields.List(fields.Nested(Citation), required=True)
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
    title = fields.Texts(required=True)
    text = fields.Texts(required=True)


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
