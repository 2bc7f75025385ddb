"""What can go wrong, as values that every layer can raise and only `kernel.http` turns into HTTP.

A problem has a stable `code` and parameters; its text in Chinese and English is looked up by the
code in `service/messages.toml` when it is told to somebody (RFC 9457 describes how).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field.

    `path` is dotted as the client wrote it (`items.0.sections.lease.rent`). `text` replaces the
    lookup by code where the words come from a pack: a mapping from language (`zh`, `en`) to text.
    """

    path: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, str] | None = None


class Problem(Exception):
    """Something to tell the client; whatever it did in its transaction is rolled back."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"

    def __init__(
        self,
        code: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **params: Any,
    ) -> None:
        self.code = code or self.default_code
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.params = params
        super().__init__(self.code)


class Malformed(Problem):
    """400: the request cannot be read."""

    status, default_code = 400, "malformed"


class Unauthenticated(Problem):
    """401: nobody is signed in, or the credentials are wrong or spent."""

    status, default_code = 401, "unauthenticated"


class Forbidden(Problem):
    """403: the actor may know of the thing, but not do this with it."""

    status, default_code = 403, "forbidden"


class NotFound(Problem):
    """404: absent, or invisible to the actor; the two cannot be told apart."""

    status, default_code = 404, "not_found"


class MethodNotAllowed(Problem):
    """405: the path exists, the method does not."""

    status, default_code = 405, "method_not_allowed"


class RequestTimeout(Problem):
    """408: the request did not come in the time that its bytes earn it."""

    status, default_code = 408, "request_timeout"


class Conflict(Problem):
    """409: the state of the thing does not allow it, or somebody was faster."""

    status, default_code = 409, "conflict"


class Stale(Problem):
    """412: the version named in If-Match is no longer the present one."""

    status, default_code = 412, "stale_version"


class TooLarge(Problem):
    """413: the body is larger or deeper than is read here."""

    status, default_code = 413, "too_large"


class UnsupportedMediaType(Problem):
    """415: the body is not of the one media type that is read here."""

    status, default_code = 415, "unsupported_media_type"


class Invalid(Problem):
    """422: well-formed, but what it says is wrong; `errors` name the fields."""

    status, default_code = 422, "invalid"


class PreconditionRequired(Problem):
    """428: If-Match is missing."""

    status, default_code = 428, "if_match_required"


class TooManyRequests(Problem):
    """429: slower, please; `Retry-After` tells when."""

    status, default_code = 429, "too_many_requests"


class HeaderTooLarge(Problem):
    """431: the header is larger than is read here."""

    status, default_code = 431, "header_too_large"


class UnknownTransferCoding(Problem):
    """501: the body comes in a coding other than `chunked` (RFC 9112, section 6.1)."""

    status, default_code = 501, "transfer_coding_unknown"


class Unavailable(Problem):
    """503: something that is needed is away; `Retry-After` tells when to try again."""

    status, default_code = 503, "unavailable"


class Refusal(Unauthenticated):
    """A 401 that commits before it answers: what led to it must stay (a family revoked)."""
