"""Forms: JSON Schemas of sections and results, compiled, with their faults in people's words.

The words are those of `messages.toml` under `form_<code>`: another than what the same code says of
a request, since the reader is somebody who fills in a form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, Final

import jsonschema_rs
import orjson
from stdnum.cn import uscc

from service.catalogue.rules.faults import Words
from service.kernel.errors import FieldError
from service.kernel.messages import LANGUAGES, Language, catalogue, say
from service.kernel.text import holds_hidden, is_blank
from service.routing.dates import day_of

_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
_EARLIEST_BIRTH: Final = date(1900, 1, 1)
"""Nobody who is written about in a form was born before."""


def _is_birth_date(text: str) -> bool:
    day = day_of(text)
    return day is not None and day >= _EARLIEST_BIRTH


def _is_moment(text: str) -> bool:
    try:
        return bool(_MOMENT.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False


# JSON Schema's own `date` and `date-time` take the year 0 and signs, in which no day can be
# compared with another.
_FORMATS: Final[dict[str, Callable[..., bool]]] = {
    "date": lambda text: day_of(text) is not None,
    "birth-date": _is_birth_date,
    "date-time": _is_moment,
    "uscc": uscc.is_valid,
}
_OR: Final[Mapping[Language, str]] = {"zh": "或", "en": " or "}
# JSON Schema's keywords that ask for one thing, and the code under which it is missed.
_CODES: Final[Mapping[str, str]] = {
    "enum": "not_one_of",
    "pattern": "wrong_pattern",
    "format": "wrong_pattern",
    "minLength": "too_short",
    "maxLength": "too_long",
    "minimum": "below_minimum",
    "maximum": "above_maximum",
    "minItems": "too_few",
    "maxItems": "too_many",
    "uniqueItems": "repeated",
}


class BadSchema(ValueError):
    """The schema cannot be used; `path` leads to the place within it."""

    def __init__(self, path: tuple[str | int, ...], problem: Words) -> None:
        super().__init__(problem.en)
        self.path = path
        self.problem = problem


class Form:
    """One compiled JSON Schema (2020-12); safe to share between threads.

    Nothing is fetched from elsewhere, and patterns run in linear time: a form comes from a pack,
    what is checked against it from anybody. Raises `BadSchema`.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                dict(schema),
                formats=_FORMATS,
                validate_formats=True,
                ignore_unknown_formats=False,
                pattern_options=jsonschema_rs.RegexOptions(),
                offline=True,
            )
        except jsonschema_rs.ValidationError as error:
            raise BadSchema(tuple(error.instance_path), problem_of(error)) from error

        fields = schema.get("properties", {}).items()
        self._areas = {
            name
            for name, field in fields
            if isinstance(field, Mapping) and field.get("x-widget") == "textarea"
        }

    def errors(self, value: Any) -> Iterator[jsonschema_rs.ValidationError]:
        """What is wrong, in the library's own terms."""
        return self._validator.iter_errors(value)

    def faults(self, value: Any, *, at: str) -> list[FieldError]:
        """What is wrong, field by field; `at` is where the value stands (`sections.lease`).

        Every text is read for hidden characters, whatever the schema says of it; only a field whose
        widget is `textarea` may have several lines. A text that shows nothing is not filled in.
        At most `MOST` faults: whoever sends more has not filled in a form.
        """
        unreadable = list(islice(_text_faults(value, at, self._areas), MOST))
        places = {fault.path for fault in unreadable}
        every = (fault for error in self.errors(value) for fault in _faults_of(error, at))
        others = (fault for fault in every if fault.path not in places)
        found = islice(chain(unreadable, others), MOST)
        return sorted(found, key=lambda fault: (fault.path, fault.code))


MOST: Final = 200
"""How many faults of one value are reported."""


def _text_faults(value: Any, at: str, areas: Collection[str]) -> Iterator[FieldError]:
    """The texts that hold hidden characters or show nothing; names of what is nested are texts."""
    todo: list[tuple[str, Any, bool]] = [(at, value, False)]
    while todo:
        path, here, lines = todo.pop()
        if isinstance(here, str):
            if here and is_blank(here):
                yield _fault(path, "blank")
            elif holds_hidden(here, lines=lines):
                yield _fault(path, "control_character")
        elif isinstance(here, Mapping):
            if any(map(holds_hidden, here)):
                yield _fault(path, "control_character")
            todo += [
                (f"{path}.{k}", one, lines or (path == at and k in areas))
                for k, one in here.items()
            ]
        elif isinstance(here, list):
            todo += [(f"{path}.{place}", one, lines) for place, one in enumerate(here)]


def _faults_of(error: jsonschema_rs.ValidationError, at: str) -> Iterator[FieldError]:
    path = ".".join((at, *map(str, error.instance_path)))
    name, details = error.kind.name, error.kind.as_dict()
    if name == "required":
        yield _fault(f"{path}.{details['property']}", "required")
    elif name == "additionalProperties":
        for field in details["unexpected"]:
            yield _fault(f"{path}.{field}", "unknown_field")
    elif name == "type":
        yield _wrong_type(path, details["types"])
    elif name == "const" and details["expected_value"] is True:
        yield _fault(path, "not_confirmed")
    else:
        limit = {"limit": details["limit"]} if "limit" in details else {}
        yield _fault(path, _CODES.get(name, "invalid_value"), **limit)


def problem_of(error: jsonschema_rs.ValidationError) -> Words:
    """What is wrong by a JSON Schema, for who writes a pack; what is rare, as the library says."""
    name, details = error.kind.name, error.kind.as_dict()
    if name == "type":
        return Words.of("problem_type", expected=types_in_words(details["types"]))
    if name == "enum":
        details = {"options": ", ".join(map(_written, details["options"]))}
    elif name == "const":
        details = {"expected": _written(details["expected_value"])}
    elif name == "additionalProperties":
        details = {"unexpected": ", ".join(details["unexpected"])}
    elif name == "propertyNames":
        return problem_of(details["error"])
    elif unknown := _UNKNOWN_FORMAT.match(error.message):
        return Words.of("problem_unknown_format", format=unknown[1])
    code = f"problem_{_SNAKE.sub('_', name).lower()}"
    if code not in catalogue():
        return Words.quoted(error.message)
    return Words.of(code, value=_written(error.instance), **details)


def where_of(error: jsonschema_rs.ValidationError) -> Words:
    """The place in a value where it is wrong."""
    path = ".".join(map(str, error.instance_path))
    return Words.quoted(path) if path else Words.of("problem_the_top")


def types_in_words(types: Sequence[str]) -> Words:
    """Types of JSON Schema, any of them."""
    named = [Words.of(f"type_{name}") for name in types]
    return Words(*(_OR[tongue].join(one.told(tongue) for one in named) for tongue in LANGUAGES))


_UNKNOWN_FORMAT: Final = re.compile("Unknown format: '(.*?)'")
_SNAKE: Final = re.compile("(?<=[a-z])(?=[A-Z])")
_LONGEST: Final = 60


def _written(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _wrong_type(path: str, types: list[str]) -> FieldError:
    expected = types_in_words(types)
    text: dict[str, str] = {
        language: say("form_wrong_type", language, {"expected": expected.told(language)})
        for language in LANGUAGES
    }
    return FieldError(path, "wrong_type", {"expected": types}, text)


def _fault(path: str, code: str, **params: Any) -> FieldError:
    text: dict[str, str] = {
        language: say(f"form_{code}", language, params) for language in LANGUAGES
    }
    return FieldError(path, code, params, text)
