"""Statements whose texts are made once: what hot paths run.

To run a statement SQLAlchemy puts it together, finds it among those that it has compiled, and makes
entities of the rows that a session watches: 300 to 400 microseconds of the processor for a row that
the driver reads in 50. What is `prepared` is written like any other statement, with `bindparam`
where values differ, and compiled when it is run first.

    _ITEMS = prepared(select(Item).where(Item.ticket_id == bindparam("ticket")))

    items = _ITEMS.all(session, ticket=ticket.id)
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import BindParameter, Select, TextClause, Update, inspect
from sqlalchemy.exc import MultipleResultsFound, NoResultFound
from sqlalchemy.orm import Session

from service.kernel.db.driver import DIALECT, send

Found = TypeVar("Found")
A = TypeVar("A")
Make = Callable[[Any], Any]
AnySelect = Select[*tuple[Any, ...]]
Statement = AnySelect | TextClause | Update


class Prepared(Generic[Found]):
    """A statement that returns rows, ready to be run with other values each time.

    No session watches what it finds: to assign to an entity of it raises `AttributeError`, for
    nothing would write it. As any statement of a session here it does not find what has not been
    written yet.
    """

    def __init__(self, statement: Statement, into: Callable[..., Any] | None) -> None:
        self._statement = statement
        self._into = into

    def all(self, session: Session, /, **values: Any) -> list[Found]:
        """Everything that is found, in order; a value for every `bindparam`, others are ignored."""
        compiled = self._compiled
        rows = send(session.connection(), compiled.text, compiled.values(values))
        return list(map(compiled.made, rows.fetchall()))

    def one_or_none(self, session: Session, /, **values: Any) -> Found | None:
        """The only one that is found; raises `MultipleResultsFound`."""
        found = self.all(session, **values)
        if len(found) > 1:
            raise MultipleResultsFound
        return found[0] if found else None

    def one(self, session: Session, /, **values: Any) -> Found:
        """The one that is there; raises `NoResultFound` and `MultipleResultsFound`."""
        found = self.all(session, **values)
        if not found:
            raise NoResultFound
        if len(found) > 1:
            raise MultipleResultsFound
        return found[0]

    def run(self, session: Session, /, **values: Any) -> int:
        """Do what changes rows and returns none; how many those were."""
        compiled = self._compiled
        return send(session.connection(), compiled.text, compiled.values(values)).rowcount

    @cached_property
    def _compiled(self) -> _Compiled:
        return _Compiled(self._statement, self._into)


@overload
def prepared(statement: Select[A]) -> Prepared[A]: ...
@overload
def prepared(statement: AnySelect) -> Prepared[Any]: ...
@overload
def prepared(statement: Statement, into: Callable[..., A]) -> Prepared[A]: ...
def prepared(statement: Statement, into: Callable[..., Any] | None = None) -> Prepared[Any]:
    """A statement to be run many times.

    One entity or one column is found as itself; several as a named tuple of them, or as what
    `into` makes of them. A text needs `into`, which takes the driver's own values.
    """
    return Prepared(statement, into)


class _Compiled:
    """The text of a statement, what it takes, and what becomes of its rows."""

    def __init__(self, statement: Statement, into: Callable[..., Any] | None) -> None:
        found, names = _described(statement)
        parts = [list(inspect(one).columns) if _is_entity(one) else [one] for one in found]
        if isinstance(statement, Select):
            statement = statement.with_only_columns(
                *chain.from_iterable(parts), maintain_column_froms=True
            )
        self.text, self._taken = _rendered(statement.compile(dialect=DIALECT))
        if into is None and len(found) > 1:
            into = _named(names)
        self.made = _made(found, parts, into)

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """What the statement takes, in order; raises `KeyError` where a value is not given."""
        return [
            value if name is None else given[name] if value is None else value(given[name])
            for name, value in self._taken
        ]


def _described(statement: Statement) -> tuple[list[Any], list[str]]:
    """The entities and columns that are found, with their names; none of a text says what it is."""
    if isinstance(statement, TextClause):
        return [], []
    if isinstance(statement, Update):
        returned = list(statement.exported_columns)
        return returned, [one.name for one in returned]
    described = statement.column_descriptions
    return [one["expr"] for one in described], [str(one["name"]) for one in described]


def _named(names: Sequence[str]) -> Callable[..., Any]:
    """Rows with their values by these names."""
    row: Any = namedtuple("row", names, rename=True)  # type: ignore[misc]
    return row


def _is_entity(expression: Any) -> bool:
    return isinstance(expression, type)


def _rendered(compiled: Any) -> tuple[str, list[tuple[str | None, Any]]]:
    """The text, and for each of its values the name and what makes of the one that is given the one
    that the driver takes; no name, and the value itself, for what the statement says.

    Raises `LookupError` where a list is to be given to IN, for each length of it would be another
    text: `any_` takes an array.
    """
    given = {name: one for name, one in compiled.binds.items() if one.required}
    if lists := [name for name, one in given.items() if one.expanding]:
        raise LookupError(f"{', '.join(lists)}: a list in a statement that is made once")
    state = compiled.construct_expanded_state(dict.fromkeys(given))
    taken: list[tuple[str | None, Any]] = []
    for name in state.positiontup:
        own = compiled.binds.get(name)
        bind = state.processors.get(name) if own is None else _bind(own)
        value = state.parameters[name]
        if name in given:
            taken.append((name, bind))
        else:
            taken.append((None, value if bind is None else bind(value)))
    return state.statement, taken


def _bind(parameter: BindParameter[Any]) -> Make | None:
    return parameter.type.dialect_impl(DIALECT).bind_processor(DIALECT)


def _made(
    found: Sequence[Any], columns: Sequence[Sequence[Any]], into: Callable[..., Any] | None
) -> Make:
    """What makes of a row what is found."""
    if not any(map(_is_entity, found)) and into is not None:
        return _flat(found, into)
    places = [sum(map(len, columns[:number])) for number in range(len(columns))]
    parts = [_part(*one) for one in zip(found, columns, places, strict=True)]
    if into is None:
        return parts[0]
    return lambda row: into(*[part(row) for part in parts])


def _flat(columns: Sequence[Any], into: Callable[..., Any]) -> Make:
    """Of rows that have no entity."""
    results = [(place, one) for place, one in enumerate(map(_result, columns)) if one is not None]
    if not results:
        return lambda row: into(*row)

    def made(row: Sequence[Any]) -> Any:
        values = list(row)
        for place, result in results:
            values[place] = result(values[place])
        return into(*values)

    return made


def _part(found: Any, columns: Sequence[Any], begin: int) -> Make:
    """What takes an entity, or a value, out of a row in which it begins at a place."""
    results = [_result(one) for one in columns]
    if not _is_entity(found):
        (result,) = results
        return itemgetter(begin) if result is None else lambda row: result(row[begin])
    names = [inspect(found).get_property_by_column(one).key for one in columns]
    made = [(name, result) for name, result in zip(names, results, strict=True) if result]
    end = begin + len(names)

    def entity(row: Sequence[Any]) -> Any:
        values = dict(zip(names, row[begin:end], strict=True))
        for name, result in made:
            values[name] = result(values[name])
        new = found.__new__(found)
        new.__dict__ = values
        return new

    return entity


def _result(column: Any) -> Make | None:
    """What makes a value of a column out of the driver's; None where it is one."""
    result: Make | None = column.type.dialect_impl(DIALECT).result_processor(DIALECT, None)
    return result
