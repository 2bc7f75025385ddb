"""Answers of the story, altered: whether `tests.journeys.fields` notices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import reduce
from operator import getitem
from typing import Any

from service.local.demonstration import PACK
from tests.journeys.fields import OF_SUBJECT, OPEN, Story, anything, name_of, pack, sees
from tests.journeys.wire import Exchange

_KINDS = sorted(file.stem for file in (PACK / "facts").glob("*.yaml"))


def unnoticed(exchanges: Iterable[Exchange]) -> list[str]:
    """Where an answer could have a key more, or one less, without a fault; each place is tried.

    Schemas and words of the pack are left out, and keys that a document does not require.
    """
    story, tried, found = Story(), set[str](), list[str]()
    for exchange in exchanges:
        story.learn(exchange)
        for at in _objects(exchange.told, ()):
            name = f"{story.whose(exchange)}: {name_of(exchange)}: {_named(at)}"
            if name not in tried:
                tried.add(name)
                found += [
                    f"{name}: {change}"
                    for change, told in _altered(exchange.told, at)
                    if not story.faults(replace(exchange, told=told))
                ]
    return found


def _objects(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """The paths of all objects inside a JSON value whose keys are ours to decide."""
    if isinstance(value, list):
        for place, one in enumerate(value):
            yield from _objects(one, (*at, place))
    elif isinstance(value, dict):
        yield at
        for key, one in value.items():
            if OPEN.get(key) is not anything:
                yield from _objects(one, (*at, key))


def _altered(told: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str, Any]]:
    """An answer with a key more at a path, and with each of its keys left out."""
    more = deepcopy(told)
    _at(more, at)["unheard_of"] = "x"
    yield "a key more", more
    for key in _at(told, at):
        less = deepcopy(told)
        del _at(less, at)[key]
        yield f"without {key}", less


def _at(value: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    found: dict[str, Any] = reduce(getitem, path, value)
    return found


def _named(at: tuple[str | int, ...]) -> str:
    return ".".join("[]" if isinstance(one, int) else one for one in at)


def unguarded(exchanges: Iterable[Exchange]) -> list[str]:
    """What a task could show without a fault although its stage does not name it.

    Tried are: every field that was sent and is not named, every part of the subject, a fact and a
    document of a kind that no stage names.
    """
    story, found = Story(), set[str]()
    for exchange in exchanges:
        story.learn(exchange)
        if isinstance(exchange.told, dict) and "history" in exchange.told:
            task = exchange.told
            found |= {
                f"{task['offering']} {task['stage']}: {what}"
                for what, told in _widened(story, task)
                if not story.faults(replace(exchange, told=told))
            }
    return sorted(found)


def _widened(story: Story, task: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A task's detail with one thing more, each time another, that its stage does not name."""
    named = sees(task["offering"], task["stage"])
    for answers in [story.shared, *story.filed.values()]:
        for section, sent in answers.items():
            allowed = named.get("sections", {}).get(section, ())
            for field in sent if allowed != "all" else ():
                if field not in allowed:
                    shown = {**task["sections"].get(section, {}), field: "x"}
                    yield f"{section}.{field}", _with(task, "sections", section, shown)
    subject = task["subject"] or {}
    for part in {key for keys in OF_SUBJECT.values() for key in keys} - subject.keys():
        yield f"subject.{part}", {**task, "subject": {**subject, part: "x"}}
    if named.get("facts") != "all":
        kind = next(one for one in _KINDS if one not in named.get("facts", ()))
        fact = dict.fromkeys(("id", "issuer", "valid_from", "valid_to"))
        fact |= {"kind": kind, "value": pack("facts", kind)["schema"]["examples"][0]}
        yield "facts", {**task, "facts": [*task["facts"], fact]}
    if named.get("materials") != "all":
        other = dict.fromkeys(("id", "name", "media_type", "size", "erased"))
        more = {**other, "code": "unheard_of"}
        yield "materials", {**task, "materials": [*task["materials"], more]}


def _with(task: Mapping[str, Any], key: str, name: str, value: Any) -> dict[str, Any]:
    return {**task, key: {**task[key], name: value}}
