"""Schemas that take what is written and nothing that merely resembles it.

marshmallow's fields are generous: `"1_2"` and `１２` are integers to them, `"yes"` is a boolean,
`2026-W01` a date. These are not. Their faults are codes, so that they can be told in the
reader's language.
"""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Final, TypeAlias

import marshmallow as ma
from marshmallow import validate

from service.kernel.errors import FieldError
from service.kernel.http.dumping import Part, dumped, plan_of
from service.kernel.messages import LANGUAGES, say
from service.kernel.text import holds_hidden, is_blank
from service.kernel.words import name_of

Messages: TypeAlias = dict[str, Any]

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
EARLIEST_BIRTH: Final = date(1900, 1, 1)
"""Nobody who applies was born before."""
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGITS: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""What nobody pastes along."""


class Fault(str):
    """The code of one fault, with the figures its text names."""

    __slots__ = ("params",)
    params: dict[str, Any]

    def __new__(cls, code: str, **params: Any) -> Fault:
        fault = super().__new__(cls, code)
        fault.params = params
        return fault


ma.fields.Field.default_error_messages = {
    "required": "required",
    "null": "null_not_allowed",
    "validator_failed": "invalid_value",
}


class Schema(ma.Schema):
    """The parent of every schema: unknown fields are refused, the order of fields is kept."""

    may_be_left_out: ClassVar[bool] = False
    """Whether a body of this form need not be sent; routes say `required=False` with it."""

    error_messages: Messages = {
        "unknown": "unknown_field",
        "type": "not_an_object",
    }

    class Meta:
        unknown = ma.RAISE

    @cached_property
    def _plan(self) -> list[Part]:
        return plan_of(self)

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """What of a read model, or of a mapping, goes into an answer.

        Moments, ids and codes are still what they are: `orjson` writes them.
        """
        if self.many if many is None else many:
            return [dumped(self._plan, one) for one in obj]
        return dumped(self._plan, obj)


class String(ma.fields.String):
    """Text of `shortest` to `longest` characters, of which none is hidden, not only blanks.

    Hidden are control characters and others that show nothing or turn what is seen around
    (`kernel.text.holds_hidden`). `lines`: it may have several. `pasted`: who reads it drops what a
    chat or a keyboard adds, or compares it as it is; control characters alone are refused.
    `pattern`, where given, must match the whole of it.
    """

    default_error_messages: Messages = {
        "invalid": "not_a_string",
        "control": "control_character",
        "blank": "blank",
    }

    def __init__(
        self,
        *,
        shortest: int = 1,
        longest: int = 200,
        pattern: str | None = None,
        lines: bool = False,
        pasted: bool = False,
        **kwargs: Any,
    ) -> None:
        checks: list[Any] = [Length(shortest, longest)]
        if pattern is not None:
            checks.append(Pattern(pattern))
        super().__init__(validate=checks, **kwargs)
        self.shortest, self.lines, self.pasted = shortest, lines, pasted

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if _UNSTORABLE.search(text):
            raise self.make_error("control")
        if self.shortest and text and is_blank(text):
            raise self.make_error("blank")
        if not self.pasted and holds_hidden(text, lines=self.lines):
            raise self.make_error("control")
        return text


class Length(validate.Length):
    """A bound on the length of text or a list."""

    def __init__(self, minimum: int, maximum: int) -> None:
        super().__init__(min=minimum, max=maximum)
        self.minimum, self.maximum = minimum, maximum

    def __call__(self, value: Any) -> Any:
        if not self.minimum <= len(value) <= self.maximum:
            raise ma.ValidationError(
                Fault("length_out_of_bounds", minimum=self.minimum, maximum=self.maximum)
            )
        return value


class Range(validate.Range):
    """A bound on a number."""

    def __init__(self, minimum: int, maximum: int) -> None:
        super().__init__(min=minimum, max=maximum)
        self.minimum, self.maximum = minimum, maximum

    def __call__(self, value: Any) -> Any:
        if not self.minimum <= value <= self.maximum:
            raise ma.ValidationError(
                Fault("number_out_of_bounds", minimum=self.minimum, maximum=self.maximum)
            )
        return value


class Pattern(validate.Regexp):
    """Text that matches a pattern as a whole; ASCII classes only."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"^(?:{pattern})$", error="wrong_pattern")
        self._whole = re.compile(pattern, re.ASCII)

    def __call__(self, value: Any) -> Any:
        if not self._whole.fullmatch(value):
            raise ma.ValidationError("wrong_pattern")
        return value


class Integer(ma.fields.Integer):
    """A JSON integer, never a boolean, a fraction or text."""

    default_error_messages: Messages = {"invalid": "not_an_integer"}

    def __init__(self, *, minimum: int = 0, maximum: int = 10**15, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=Range(minimum, maximum), **kwargs)

    def _validated(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return value


class QueryInteger(Integer):
    """An integer in a query string: ASCII digits without leading zeros."""

    def _validated(self, value: Any) -> Any:
        if not isinstance(value, str) or not _DIGITS.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return int(value)


class Boolean(ma.fields.Boolean):
    """`true` or `false`."""

    default_error_messages: Messages = {"invalid": "not_a_boolean"}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class QueryBoolean(Boolean):
    """`true` or `false` in a query string."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        known = {"true": True, "false": False}
        return super()._deserialize(known.get(value, value), attr, data, **kwargs)


class UUID(ma.fields.UUID):
    """A UUID in its canonical form, with hyphens."""

    default_error_messages: Messages = {"invalid_uuid": "not_a_uuid"}

    def _validated(self, value: Any) -> uuid.UUID:
        if isinstance(value, uuid.UUID):
            return value
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return uuid.UUID(value)


class Date(ma.fields.Date):
    """A calendar date, `YYYY-MM-DD`."""

    default_error_messages: Messages = {"invalid": "not_a_date"}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> date:  # noqa: ARG002
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type="date")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise self.make_error("invalid", input=value, obj_type="date") from None


class BirthDate(Date):
    """The day on which somebody was born: 1900 or later, as nobody older is alive."""

    default_error_messages: Messages = {"too_early": "birth_date_too_early"}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> date:
        day = super()._deserialize(value, attr, data, **kwargs)
        if day < EARLIEST_BIRTH:
            raise self.make_error("too_early")
        return day


class DayOrMoment(ma.fields.String):
    """A calendar date, or a moment with its offset (RFC 3339): returns a `date` or a `datetime`."""

    default_error_messages: Messages = {"invalid": "not_a_date_or_time"}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        try:
            if isinstance(value, str) and _DATE.fullmatch(value):
                return date.fromisoformat(value)
            if isinstance(value, str) and _MOMENT.fullmatch(value):
                return datetime.fromisoformat(value)
        except ValueError:
            pass
        raise self.make_error("invalid")


class Enum(ma.fields.Enum[Any]):
    """One of the values of a `StrEnum`; `x-words` tells the documents where their words are."""

    default_error_messages: Messages = {"unknown": "not_one_of"}

    def __init__(
        self, enum: type[StrEnum], *, metadata: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        named = {"x-words": name_of(enum), **(metadata or {})}
        super().__init__(enum, by_value=True, metadata=named, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        """A fault names what is taken, which the documents say to everybody."""
        choices = [member.value for member in self.enum]
        if not isinstance(value, str) or value not in choices:
            raise ma.ValidationError(Fault("not_one_of", choices=", ".join(choices)))
        return super()._deserialize(value, attr, data, **kwargs)


class Texts(ma.fields.Dict):
    """The same text in both languages: `{"zh": …, "en": …}`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(keys=ma.fields.String(), values=ma.fields.String(), **kwargs)


class List(ma.fields.List[Any]):
    """A list of at most `longest` elements."""

    default_error_messages: Messages = {"invalid": "not_a_list"}

    def __init__(self, inner: Any, *, shortest: int = 0, longest: int = 100, **kwargs: Any) -> None:
        super().__init__(inner, validate=Length(shortest, longest), **kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[Any]:
        """What is too long is refused before its elements are looked at: they may be very many."""
        if isinstance(value, list) and len(value) > self.longest:
            self._validate(value)
        return super()._deserialize(value, attr, data, **kwargs)


class Object(ma.fields.Dict):
    """A JSON object whose content somebody else checks (a form's section)."""

    default_error_messages: Messages = {"invalid": "not_an_object"}


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form: as it was named and what was in it; nothing of it has been looked at."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


class File(ma.fields.Field[SentFile]):
    """A file of a multipart form (`files.read_form`)."""

    default_error_messages: Messages = {"invalid": "not_a_file"}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> SentFile:  # noqa: ARG002
        if not isinstance(value, SentFile):
            raise self.make_error("invalid")
        return value


class Plain(ma.fields.Raw):
    """Any JSON value; used in answers."""


class Nested(ma.fields.Nested):
    """A schema within a schema."""

    default_error_messages: Messages = {"type": "not_an_object"}


class DateTime(ma.fields.AwareDateTime):
    """A moment, RFC 3339 with offset; used in answers."""

    default_error_messages: Messages = {
        "invalid": "not_a_datetime",
        "invalid_awareness": "not_a_datetime",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)


MOST_FAULTS: Final = 100
"""A body of a megabyte of faults is not answered with a document of many."""


def faults(messages: Any) -> list[FieldError]:
    """The first of marshmallow's nested messages as a flat list with dotted paths."""
    return list(itertools.islice(_faults(messages, ""), MOST_FAULTS))


def _faults(messages: Any, path: str) -> Iterator[FieldError]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _faults(inner, path if key == "_schema" else _join(path, key))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _faults(inner, path)
    else:
        params = messages.params if isinstance(messages, Fault) else {}
        yield FieldError(path, str(messages), params, _in_other_words(str(messages), params))


def _in_other_words(code: str, params: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The words of a fault that can name what is taken instead."""
    if "choices" not in params:
        return None
    return {one: say(f"{code}_choices", one, params) for one in LANGUAGES}


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)
