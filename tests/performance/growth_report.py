"""The figures of `growth`, for people: tables, and a plot.

    python -m tests.performance.growth_report var/bench/…-growth.json docs/growth.svg

draws a plot again.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tests.performance.report import table

Report = Mapping[str, Any]
MOST: Final = 1.3
"""The aim: at the largest size an operation costs so many times what it costs at the smallest."""
_MEASURED: Final = {"pages": "pages", "cpu_ms": "processor ms", "p50_ms": "p50 ms"}
_WHOLE: Final = 10
_WIDTH, _HEIGHT = 860, 560
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 610, 20, 510
_APART: Final = 17
_COLOURS: Final = (
    "#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#16a085", "#7f8c8d", "#e84393",
)  # fmt: skip
_DASHES: Final = ("", "7 3", "2 3")
Point = tuple[float, float]


def markdown(found: Report) -> str:
    """What was made, and what each operation costs at the smallest and the largest size."""
    parts = [_made(found["sizes"]), _grown(found["sizes"]), _pages(found["sizes"])]
    head = f"Commit {found['commit']}, {found['at'][:16]}, {found['cores']} cores."
    return "\n\n".join([head, *("\n".join(lines) for lines in parts)]) + "\n"


def _made(sizes: Sequence[Report]) -> Iterator[str]:
    rows = list(sizes[0]["rows"])
    parts = list(sizes[-1]["seconds"])
    yield from table(
        [*rows, "GB", "copies made", *(f"{part}, s" for part in parts), "copies a second"],
        (
            [
                *(f"{size['rows'][name]:,}" for name in rows),
                f"{size['bytes'] / 1e9:.1f}",
                f"{size['copies']:,}",
                *(f"{size['seconds'].get(part, 0):.0f}" for part in parts),
                f"{size['copies'] / max(sum(size['seconds'].values()), 1):.0f}",
            ]
            for size in sizes
        ),
    )


def _grown(sizes: Sequence[Report]) -> Iterator[str]:
    small, large = sizes[0], sizes[-1]
    ends = [f"{size['rows']['tickets']:,}" for size in (small, large)]
    head = [(f"{what}, {ends[0]}", ends[1], "ratio") for what in _MEASURED.values()]
    rows = [
        [_pair(small["costs"][name][key], cost[key]) for key in _MEASURED]
        for name, cost in large["costs"].items()
    ]
    yield from table(
        ["operation", *chain(*head)],
        ([name, *chain(*row)] for name, row in zip(large["costs"], rows, strict=True)),
    )


def _pair(small: float, large: float) -> tuple[str, str, str]:
    """Both and their ratio, which stands out where it is too high."""
    form = ".0f" if small >= _WHOLE else ".2f"
    ratio = f"{large / small:.2f}"
    return f"{small:{form}}", f"{large:{form}}", ratio if large <= MOST * small else f"**{ratio}**"


def _pages(sizes: Sequence[Report]) -> Iterator[str]:
    yield from table(
        ["rows before the deep page", *(f"{size['rows']['tickets']:,} tickets" for size in sizes)],
        ([name, *(f"{size['deep'][name]:,}" for size in sizes)] for name in sizes[0]["deep"]),
    )


def plot(found: Report) -> str:
    """Pages against tickets, both in powers of ten: a line for each operation."""
    sizes = found["sizes"]
    across = [math.log10(size["rows"]["tickets"]) for size in sizes]
    names = list(sizes[-1]["costs"])
    costs = {name: [max(size["costs"][name]["pages"], 1) for size in sizes] for name in names}
    logs = [math.log10(one) for values in costs.values() for one in values]
    low, high = math.floor(min(logs) * 2) / 2, math.ceil(max(logs) * 2) / 2
    first, last = across[0], max(across[-1], across[0] + 0.1)

    def at(tickets: float, pages: float) -> Point:
        right = (math.log10(tickets) - first) / (last - first)
        up = (math.log10(pages) - low) / (high - low)
        return _LEFT + right * (_RIGHT - _LEFT), _BOTTOM - up * (_BOTTOM - _TOP)

    tickets = [size["rows"]["tickets"] for size in sizes]
    lines = {
        name: [at(*one) for one in zip(tickets, pages, strict=True)]
        for name, pages in costs.items()
    }
    body = [*_axes(tickets, range(math.ceil(low), math.floor(high) + 1), at), *_lines(lines)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="12">'
    )
    ground = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
    return "\n".join([head, ground, *body, "</svg>", ""])


def _axes(tickets: Sequence[int], powers: Iterable[int], at: Any) -> Iterator[str]:
    for number in tickets:
        x, _ = at(number, 1)
        yield f'<path d="M{x:.0f} {_TOP}V{_BOTTOM}" stroke="#ddd"/>'
        yield f'<text x="{x:.0f}" y="{_BOTTOM + 18}" text-anchor="middle">{number:,}</text>'
    for power in powers:
        _, y = at(tickets[0], 10**power)
        yield f'<path d="M{_LEFT} {y:.0f}H{_RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{10**power:,}</text>'
    middle = (_LEFT + _RIGHT) / 2
    yield f'<text x="{middle:.0f}" y="{_BOTTOM + 38}" text-anchor="middle">tickets</text>'
    yield f'<text x="{_LEFT + 6}" y="{_TOP + 12}">pages touched by one operation</text>'


def _lines(lines: Mapping[str, Sequence[Point]]) -> Iterator[str]:
    """Each with its name at its end, or as near as the others let it be."""
    free = float(_TOP)
    ordered = sorted(lines, key=lambda name: lines[name][-1][1])
    for place, name in enumerate(ordered):
        colour = _COLOURS[place % len(_COLOURS)]
        dash = _DASHES[place // len(_COLOURS) % len(_DASHES)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in lines[name])
        yield (
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"'
            f' stroke-dasharray="{dash}"/>'
        )
        _, y = lines[name][-1]
        label = max(y, free)
        free = label + _APART
        yield f'<path d="M{_RIGHT + 2} {y:.1f}L{_RIGHT + 18} {label:.1f}" stroke="{colour}"/>'
        yield f'<text x="{_RIGHT + 22}" y="{label + 4:.1f}" fill="{colour}">{name}</text>'


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(plot(json.loads(Path(sys.argv[1]).read_text())), "utf-8")
