"""The keys of every answer that the story brings, by who asked for it.

`fields.yaml` is what they are to be. While the service runs here (`make up`),

    .venv/bin/python -m tests.journeys.fields var > tests/journeys/fields.yaml

writes it anew. By audience, request and object it names the keys; `.` is the whole body, `[]` any
member of a list, a fact among them by its kind, and a key with `?` is not in every such object. Of
a task's requests the offering and the stage are named, of a problem its code. Everything is
followed to its end, the contents of sections, results and facts too, but for JSON Schemas out of
the pack: each is one key.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.contract import operations
from tests.journeys.wire import Exchange, demo, wire

GOLDEN = Path(__file__).with_name("fields.yaml")
SCHEMAS = {"schema", "records"}

Matrix = dict[str, dict[str, dict[str, str]]]
"""By audience, request and object: its keys, in one line."""


class Fields:
    """What has been seen so far."""

    def __init__(self) -> None:
        self._callers: dict[str | None, str] = {None: "public"}
        self._tasks: dict[str, str] = {}
        self._objects: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._keys: dict[tuple[str, str], dict[str, Counter[str]]] = {}

    def see(self, exchange: Exchange) -> None:
        told = exchange.told
        if "/auth/" in exchange.path and exchange.status == 200:
            self._callers[f"Bearer {told['access_token']}"] = _audience(told["account"])
        answer = self._callers[exchange.token], self._request(exchange)
        keys = self._keys.setdefault(answer, defaultdict(Counter))
        for at, one in objects(told, ""):
            self._objects[answer][at] += 1
            keys[at].update(one.keys())

    def _request(self, exchange: Exchange) -> str:
        route, values = _route(exchange.method, exchange.path)
        words = [exchange.method, route, str(exchange.status)]
        if "task_id" in values:
            if "stage" in (exchange.told or {}):
                seen = exchange.told["offering"], exchange.told["stage"]
                self._tasks[values["task_id"]] = " ".join(seen)
            words.append(self._tasks.get(values["task_id"], "-"))
        return " ".join(words + ([exchange.told["code"]] if exchange.status >= 400 else []))

    @property
    def matrix(self) -> Matrix:
        """All of it, in order."""
        told: Matrix = {}
        for (who, request), found in sorted(self._keys.items()):
            seen = self._objects[who, request]
            told.setdefault(who, {})[request] = {
                at or ".": " ".join(
                    key if count == seen[at] else f"{key}?" for key, count in sorted(keys.items())
                )
                for at, keys in sorted(found.items())
            }
        return told


def objects(value: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object inside a JSON value, with the path to it."""
    if isinstance(value, list):
        for one in value:
            fact = isinstance(one, dict) and {"kind", "value"} <= one.keys()
            yield from objects(one, f"{at}[{one['kind'] if fact else ''}]")
    elif isinstance(value, dict):
        yield at, value
        for key, one in value.items():
            if key not in SCHEMAS:
                yield from objects(one, f"{at}.{key}".lstrip("."))


def _audience(account: dict[str, Any]) -> str:
    if account["kind"] == "staff":
        (post,) = account["posts"]
        return f"desk {post['department']} {' '.join(post['roles'])}"
    return {"talent": "talent", "agent": "enterprise"}[account["kind"]]


@cache
def _patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    """The routes of all documents, those with the fewest parameters first."""
    routes = sorted(operations(), key=lambda route: (route[1].count("{"), route))
    return [
        (method, path, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)))
        for method, path in routes
    ]


def _route(method: str, path: str) -> tuple[str, dict[str, str]]:
    for known, route, pattern in _patterns():
        if known == method and (match := pattern.fullmatch(path)):
            return route, match.groupdict()
    raise LookupError(f"no document knows {method} {path}")


def matrix(exchanges: Iterable[Exchange]) -> Matrix:
    """The keys of these answers."""
    fields = Fields()
    for exchange in exchanges:
        fields.see(exchange)
    return fields.matrix


def golden() -> Matrix:
    """What the keys are to be."""
    told: Matrix = yaml.safe_load(GOLDEN.read_text("utf-8"))
    return told


def lines(told: Matrix) -> set[str]:
    """A matrix as one line for each key, and one for each request, so that two can be compared."""
    found = set()
    for who, requests in told.items():
        for request, objects_ in requests.items():
            found.add(f"{who}: {request}")
            for at, keys in objects_.items():
                found |= {f"{who}: {request}: {at} {key}" for key in keys.split()}
    return found


def main(var: Path) -> None:
    """Have the story told by the service that runs in a folder; print the keys."""
    with wire(var) as one, tempfile.TemporaryDirectory() as folder:
        told = demo(one.leads_from(Path(folder)), "zh")
    if told.returncode:
        sys.exit(told.stderr)
    print(yaml.safe_dump(matrix(one.exchanges), allow_unicode=True, width=100), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
