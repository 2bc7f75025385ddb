"""Which keys every answer of the story may have, and must have, by who asked for it.

Nothing of it is kept by hand. What an answer may hold follows from what is written elsewhere:

- *Whose answer.* Whoever is signed in is answered by the committed document of their audience
  (`api_specs/`); an answer that this document does not know fails, but for the `public` document,
  which everybody may use.
- *Which keys.* Every object of an answer has exactly the keys of its schema: none that is not
  documented, and all that are; only where a schema marks a key as not required may it be absent.
  A text in both languages has `zh` and `en`.
- *What the documents leave open.* Answers to forms, results and values of facts are objects whose
  keys the district's pack decides; `OPEN` names each place and what is exact there. What a task
  shows is read from `sees` of its stage, in the YAML of the pack and not through the service: of
  each section the named fields, as far as they were filed; of the subject the named parts; facts
  and documents of the named kinds alone. Results, drafts and answers come back as they were sent.

An object of an answer that neither a schema nor `OPEN` describes fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import Any

import yaml

from service.local.demonstration import PACK
from tests.contract import document, operations
from tests.journeys.wire import Exchange

_KINDS = {"talent": "talent", "staff": "desk", "agent": "enterprise"}
_LANGUAGES = {"zh", "en"}
OF_SUBJECT = {
    "name": {"name"},
    "id_number": {"id_type", "id_number", "id_country"},
    "birth_date": {"birth_date"},
    "kinship": {"kinship"},
}

Schema = Mapping[str, Any]


@cache
def sees(offering: str, stage: str) -> Mapping[str, Any]:
    """What the pack lets a stage see, as its author wrote it."""
    stages = pack("offerings", offering)["flow"]["stages"]
    (found,) = [one for one in stages if one["key"] == stage]
    return found.get("sees", {})


@cache
def pack(kind: str, code: str) -> Any:
    text = (PACK / kind / f"{code}.yaml").read_text("utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)


class Story:
    """What has been sent so far, by which later answers are judged."""

    def __init__(self) -> None:
        self._audiences: dict[str | None, str] = {None: "public"}
        self.shared: dict[str, set[str]] = {}
        self.filed: dict[tuple[str, str | None], dict[str, set[str]]] = {}
        self.results: list[Any] = []

    def learn(self, exchange: Exchange) -> None:
        """Remember who was signed in and what was sent."""
        if "/auth/" in exchange.path and exchange.status == 200:
            account = exchange.told["account"]
            self._audiences[f"Bearer {exchange.told['access_token']}"] = _KINDS[account["kind"]]
        self._keep(exchange.sent)

    def faults(self, exchange: Exchange) -> list[str]:
        """What an answer has that it should not have, and what it lacks."""
        audience, name = self.whose(exchange), name_of(exchange)
        found = _response(audience, exchange)
        if found is None:
            return [f"{audience}: no document has {name}"]
        answering, schema = found
        walk = Walk(answering, partial(_open_faults, self))
        said = list(walk.faults(schema, exchange.told))
        if not said and isinstance(exchange.told, dict) and "history" in exchange.told:
            said += self._task_faults(exchange.told)
        return [f"{audience}: {name}: {one}" for one in said]

    def whose(self, exchange: Exchange) -> str:
        """The audience of whoever asked."""
        return self._audiences[exchange.token]

    def _keep(self, sent: Any) -> None:
        if not isinstance(sent, dict):
            return
        if sent.get("result") is not None:
            self.results.append(sent["result"])
        for section, answers in sent.get("sections", {}).items():
            self.shared[section] = set(answers)
        for item in sent.get("items", ()):
            own = self.filed.setdefault((item["offering"], item.get("subject")), {})
            own |= {section: set(one) for section, one in item.get("sections", {}).items()}

    def sent_fields(self, section: str) -> list[set[str]]:
        """The fields of a section as they were sent, whoever it was for."""
        own = [one[section] for one in self.filed.values() if section in one]
        return own + ([self.shared[section]] if section in self.shared else [])

    def _task_faults(self, task: Mapping[str, Any]) -> Iterator[str]:
        """A task's detail against `sees` of its stage."""
        named = sees(task["offering"], task["stage"])
        yield from self._section_faults(task["sections"], named.get("sections", {}))
        for one in task["sections_shown"]:
            if {each["code"] for each in one["fields"]} != set(
                task["sections"].get(one["code"], ())
            ):
                yield f"sections_shown: {one['code']} shows other fields than sections"
        for what, key in (("facts", "kind"), ("materials", "code")):
            allowed, shown = named.get(what, ()), {one[key] for one in task[what]}
            if allowed != "all" and shown - set(allowed):
                yield f"{what}: {sorted(shown - set(allowed))} are not named"
        parts = named.get("subject", ())
        allowed = OF_SUBJECT if parts == "all" else {part: OF_SUBJECT[part] for part in parts}
        expected = set().union(*allowed.values())
        about = pack("offerings", task["offering"])["subject"] != "self"
        if set(task["subject"] or ()) != (expected if about else set()):
            yield f"subject: {sorted(task['subject'] or ())} instead of {sorted(expected)}"

    def _section_faults(self, shown: Mapping[str, Any], named: Mapping[str, Any]) -> Iterator[str]:
        for section in shown.keys() - named.keys():
            yield f"sections: {section} is not named"
        for section, fields in named.items():
            possible = self.sent_fields(section)
            if fields != "all":
                possible = [sent & set(fields) for sent in possible]
            if set(shown.get(section, ())) not in (possible or [set()]):
                yield f"sections.{section}: {sorted(shown.get(section, ()))} instead of {possible}"


class Walk:
    """Follows an answer along its schema."""

    def __init__(
        self, audience: str, open_faults: Callable[[str, Any, Any], Iterator[str]]
    ) -> None:
        self._schemas = document(audience)["components"]["schemas"]
        self._open_faults = open_faults

    def faults(self, schema: Schema, value: Any, at: str = "", parent: Any = None) -> Iterator[str]:
        schema = self._resolved(schema)
        if isinstance(value, list):
            for one in value:
                yield from self.faults(schema.get("items", {}), one, f"{at}[]", parent)
        elif isinstance(value, dict):
            yield from self._object_faults(schema, value, at, parent)

    def _object_faults(
        self, schema: Schema, value: dict[str, Any], at: str, parent: Any
    ) -> Iterator[str]:
        known = schema.get("properties")
        if known is None:
            yield from self._open_faults(at, value, parent)
            return
        missing = set(schema.get("required", ())) - value.keys()
        unknown = value.keys() - known.keys()
        if missing or unknown:
            yield f"{at or '.'}: {sorted(unknown)} in no document, {sorted(missing)} missing"
            return
        for key, one in value.items():
            yield from self.faults(known[key], one, f"{at}.{key}".lstrip("."), value)

    def _resolved(self, schema: Schema) -> Schema:
        while True:
            for group in ("anyOf", "oneOf", "allOf"):
                several = [one for one in schema.get(group, ()) if one.get("type") != "null"]
                if len(several) == 1:
                    schema = {**schema, **several[0]}
                    schema.pop(group)
            if "$ref" not in schema:
                return schema
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]


def _open_faults(
    story: Story, at: str, value: Mapping[str, Any], parent: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with an object whose keys no document names."""
    place = at.rpartition(".")[2]
    if set(value) == _LANGUAGES:
        return
    rule = OPEN.get(place)
    if rule is None:
        yield f"{at}: {sorted(value)}: nothing says which keys this has"
    else:
        yield from (f"{at}: {one}" for one in rule(story, parent, value))


def _sections(story: Story, parent: Any, value: Mapping[str, Any]) -> Iterator[str]:
    """Of a task `sees` is asked; anybody else gets back what they sent, of an item what its
    offering asks.
    """
    if "history" in parent:
        return
    shown = {section: set(answers) for section, answers in value.items()}
    if "offering" in parent and "phase" in parent:
        asked = set(pack("offerings", parent["offering"])["sections"])
        right = set(shown) == asked and all(
            answers in story.sent_fields(section) for section, answers in shown.items()
        )
    else:
        right = shown in [story.shared, *story.filed.values()]
    if not right:
        yield f"{sorted(shown)}: nobody sent it so"


def _result(story: Story, _parent: Any, value: Mapping[str, Any]) -> Iterator[str]:
    if value not in story.results:
        yield f"{sorted(value)}: nobody recorded it"


def _value(story: Story, parent: Any, value: Mapping[str, Any]) -> Iterator[str]:
    """A fact has what its kind declares, and of the result that it comes from everything."""
    schema = pack("facts", parent["kind"])["schema"]
    wrong = set(schema["required"]) - set(value) | set(value) - set(schema["properties"])
    for result in story.results:
        if any(value.get(key) == one for key, one in result.items()):
            wrong |= (result.keys() & schema["properties"].keys()) - value.keys()
    if wrong:
        yield f"{parent['kind']}: {sorted(wrong)}"


def _prefilled(_story: Story, parent: Any, value: Mapping[str, Any]) -> Iterator[str]:
    wrong = set(value) - set(parent["schema"]["properties"])
    if wrong:
        yield f"{sorted(wrong)}: no such fields"


def anything(_story: Story, _parent: Any, _value: Mapping[str, Any]) -> Iterator[str]:
    """Words and schemas of the pack: public, and checked where packs are."""
    return iter(())


OPEN: Mapping[str, Callable[[Story, Any, Mapping[str, Any]], Iterator[str]]] = {
    "sections": _sections,
    "result": _result,
    "value": _value,
    "prefilled": _prefilled,
    "schema": anything,
    "records": anything,
    "when": anything,
    "params": anything,
}


def _response(audience: str, exchange: Exchange) -> tuple[str, Schema] | None:
    """The schema of an answer, in the audience's document or the public one."""
    route = _route(exchange.method, exchange.path)
    for whose, operation in operations()[exchange.method, route]:
        answer = operation["responses"].get(str(exchange.status))
        if whose in {audience, "public"} and answer is not None:
            content = answer.get("content", {})
            return whose, next((one["schema"] for one in content.values() if "schema" in one), {})
    return None


@cache
def _patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    """The routes of all documents, those with the fewest parameters first."""
    routes = sorted(operations(), key=lambda route: (route[1].count("{"), route))
    return [
        (method, path, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)))
        for method, path in routes
    ]


def _route(method: str, path: str) -> str:
    for known, route, pattern in _patterns():
        if known == method and pattern.fullmatch(path):
            return route
    raise LookupError(f"no document knows {method} {path}")


def name_of(exchange: Exchange) -> str:
    return f"{exchange.method} {_route(exchange.method, exchange.path)} {exchange.status}"


def faults(exchanges: Iterable[Exchange]) -> list[str]:
    """Everything that any of these answers has too much or too little, each once."""
    story, found = Story(), set[str]()
    for exchange in exchanges:
        story.learn(exchange)
        found.update(story.faults(exchange))
    return sorted(found)
