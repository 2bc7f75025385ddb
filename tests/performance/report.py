"""The figures of a run, for people: Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tests.performance.operations import AT_ONCE, FILING

Report = Mapping[str, Any]
_MOST_TIMES_FILING: Final = 2.5
_MOST_TIMES: Final = 3.0
_QUICK_FLOOR_MS: Final = 1.0
_BESIDE_QUICK_MS: Final = 2.0
_SHARE_OF_FILINGS: Final = 0.4
_SHARE_OF_READS: Final = 0.5


def markdown(here: Report, other: Report | None = None) -> str:
    """All tables of a run and, where there is another, the ratio of each figure to its one."""
    parts = [_run(here), _one_client(here), _many_clients(here), _processor(here), _rest(here)]
    if other is not None:
        parts.append(_compared(here, other))
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _run(here: Report) -> Iterator[str]:
    rows = ", ".join(f"{number:,} {name}" for name, number in here["rows"].items())
    beside = ", one core kept busy" if here["loaded"] else ""
    yield f"Commit {here['commit']}, {here['at']}, {here['cores']} cores{beside}: {rows}."


def _one_client(here: Report) -> Iterator[str]:
    yield "One client, milliseconds:"
    yield ""
    yield from table(
        ("operation", "p50", "p99", "statements", "floor p50", "times the floor", "aim"),
        (
            (name, f"{one['p50_ms']:.1f}", f"{one['p99_ms']:.1f}", here["statements"][name],
             f"{floor:.2f}", f"{one['p50_ms'] / floor:.1f}", _aim(name, one["p50_ms"], floor))
            for name, one in here["one_client"].items()
            for floor in [here["floors"][name]["1"]["p50_ms"]]
        ),
    )  # fmt: skip


def _aim(name: str, p50: float, floor: float) -> str:
    """Whether the ratio is what it should be: two milliseconds more where the floor is low."""
    most = _MOST_TIMES_FILING if name == FILING else _MOST_TIMES
    if p50 <= most * floor or (floor < _QUICK_FLOOR_MS and p50 <= floor + _BESIDE_QUICK_MS):
        return "met"
    return f"≤ {max(most * floor, (floor < _QUICK_FLOOR_MS) * (floor + _BESIDE_QUICK_MS)):.1f} ms"


def _many_clients(here: Report) -> Iterator[str]:
    yield f"{AT_ONCE} clients:"
    yield ""
    yield from table(
        ("operation", "a second", "p50 ms", "p99 ms", "floor a second", "of the floor", "aim"),
        (
            (name, f"{one['per_second']:.0f}", f"{one['p50_ms']:.1f}", f"{one['p99_ms']:.1f}",
             f"{floor:.0f}", f"{one['per_second'] / floor:.0%}",
             f"{_SHARE_OF_FILINGS if name == FILING else _SHARE_OF_READS:.0%}")
            for name, one in here["many_clients"].items()
            for floor in [here["floors"][name][str(AT_ONCE)]["per_second"]]
        ),
    )  # fmt: skip


def _processor(here: Report) -> Iterator[str]:
    """Of what is written, what the worker does of it afterwards is in it."""
    yield "Processor time of a request, one client, milliseconds:"
    yield ""
    parts = list(next(iter(here["one_client"].values()))["cpu_ms"])
    yield from table(
        ("operation", *parts),
        (
            (name, *(f"{one['cpu_ms'][part]:.1f}" for part in parts))
            for name, one in here["one_client"].items()
        ),
    )


def _rest(here: Report) -> Iterator[str]:
    yield from table(
        ("", ""),
        (
            *((f"step of {code}, µs", taken) for code, taken in here["step_us"].items()),
            *(
                (f"memory of {part}, MB, {when}", ", ".join(map(str, sizes)))
                for when, parts in here["resident_mb"].items()
                for part, sizes in parts.items()
            ),
            *((f"{table}, rows read whole", n) for table, n in here["rows_read_whole"].items()),
            ("cold start, s", here["start_seconds"]),
        ),
    )


def _compared(here: Report, other: Report) -> Iterator[str]:
    yield f"Compared with {other['commit']}, in the same session; ratios of its figures to these:"
    yield ""
    yield from table(
        ("operation", "p50", "p99", "floor p50", f"a second, {AT_ONCE} clients",
         f"floor a second, {AT_ONCE} clients", "processor, web", "processor, database"),
        (
            (name, *_ratios(name, one, here, other))
            for name, one in here["one_client"].items()
            if name in other["one_client"]
        ),
    )  # fmt: skip


def _ratios(name: str, one: Report, here: Report, other: Report) -> Iterator[str]:
    former = other["one_client"][name]
    yield _ratio(former["p50_ms"], one["p50_ms"])
    yield _ratio(former["p99_ms"], one["p99_ms"])
    yield _ratio(other["floors"][name]["1"]["p50_ms"], here["floors"][name]["1"]["p50_ms"])
    both = (other, here)
    if all(name in run["many_clients"] for run in both):
        yield _ratio(*(run["many_clients"][name]["per_second"] for run in both))
        yield _ratio(*(run["floors"][name][str(AT_ONCE)]["per_second"] for run in both))
    else:
        yield from ("", "")
    yield _ratio(former["cpu_ms"]["web"], one["cpu_ms"]["web"])
    yield _ratio(former["cpu_ms"]["postgres"], one["cpu_ms"]["postgres"])


def _ratio(former: float, now: float) -> str:
    return f"{former} → {now} ({now / former:.2f})" if former else f"{former} → {now}"


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines of a table in Markdown."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield "|---" * len(names) + "|"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
