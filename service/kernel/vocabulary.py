"""The kinds of events: each has a name, a version and the type of what is stored with it.

The kernel knows no domain. Every slice registers its own kinds when its `vocabulary` is imported;
only what is registered can be emitted or subscribed to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

UNSET: Final = msgspec.UNSET
Unset = msgspec.UnsetType


class Payload(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What is stored with an event: ids and codes, never a person's words or names.

    A field without a value is left out. A subclass may grow by fields with a default and keep its
    version; any other change makes it another version of its kind.
    """

    def as_json(self) -> dict[str, Any]:
        """The JSON object that is stored."""
        stored: dict[str, Any] = msgspec.to_builtins(self)
        return stored


class Nothing(Payload, frozen=True):
    """The payload of a kind whose columns say everything."""


P = TypeVar("P", bound=Payload)


class PayloadError(TypeError):
    """What was to be stored with an event is not what its kind is registered with."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    `version` is that of the payload type. `text` is the code of the words, in
    `service/messages.toml`, in which the applicant is shown it; internal kinds have none.
    """

    name: str
    payload: type[Payload] = Nothing
    version: int = 1
    text: str | None = None

    @property
    def public(self) -> bool:
        """Whether the applicant is shown what happened."""
        return self.text is not None

    def stored(self, data: Payload | Mapping[str, Any] | None) -> dict[str, Any]:
        """`data` as the JSON object that is stored.

        A mapping is accepted where it has exactly the payload's keys and types. Raises
        `PayloadError` for anything else.
        """
        if type(data) is self.payload:
            return data.as_json()
        return self._converted({} if data is None else data).as_json()

    def read(self, stored: Mapping[str, Any]) -> Payload:
        """The payload that a JSON object holds; keys that it no longer has are passed over.

        Raises `PayloadError` for an object that is none.
        """
        known = {key: stored[key] for key in self.payload.__struct_encode_fields__ if key in stored}
        return self._converted(known)

    def _converted(self, data: Payload | Mapping[str, Any]) -> Payload:
        try:
            return msgspec.convert(data, self.payload)
        except msgspec.ValidationError as error:
            raise PayloadError(f"{self.name}: {error}") from None


class UnregisteredKind(LookupError):
    """No slice has registered a kind of this name."""


_kinds: Final[dict[str, Kind]] = {}


def register(kinds: Iterable[Kind]) -> None:
    """Make kinds known to the process; raises `ValueError` where a name means something else."""
    for kind in kinds:
        if _kinds.setdefault(kind.name, kind) != kind:
            raise ValueError(f"{kind.name} is registered already, and otherwise")


def kind_of(name: str) -> Kind:
    """The registered kind; a member of a `StrEnum` will do. Raises `UnregisteredKind`."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnregisteredKind(str(name)) from None


def registered() -> Mapping[str, Kind]:
    """Every kind that is known so far, by name."""
    return dict(_kinds)
