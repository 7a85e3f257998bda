"""Two SQLAlchemy elements that the compiler builds its SQL from.

SQLAlchemy quotes names, numbers parameters and places them; the text between is ours, because it has to be the same
to the letter where an index should be used, and must not grow Python's stack with a client's parentheses.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Fragment(sa.ColumnElement[Any]):
    """Pieces of SQL text and elements in a row. Text is only ever our own: whatever comes from outside is an
    element (a parameter, a quoted name)."""

    inherit_cache = False

    def __init__(self, *parts: str | sa.ClauseElement) -> None:
        self.parts = parts
        self.type = sa.types.NullType()


class Order(Fragment):
    """A key of ORDER BY, whose nulls are the least: its value, and which way it goes."""

    inherit_cache = False

    def __init__(self, key: sa.ColumnElement[Any], descending: bool, nullable: bool, nulls: str = "") -> None:
        super().__init__(key, " DESC" if descending else " ASC", nulls)
        self.value = key
        self.descending = descending
        self.nullable = nullable


class Ref(sa.ColumnElement[Any]):
    """A column of the FROM element called ``alias``. It does not pull that element into FROM by itself."""

    inherit_cache = False

    def __init__(self, alias: str, name: str) -> None:
        self.alias = alias
        self.name = name
        self.type = sa.types.NullType()


class Name(sa.ClauseElement):
    """A quoted name."""

    inherit_cache = False

    def __init__(self, name: str) -> None:
        self.name = name


@compiles(Order)
@compiles(Fragment)
def _fragment(element: Fragment, compiler: SQLCompiler, **options: Any) -> str:
    return "".join(
        part if isinstance(part, str) else compiler.process(part, **options) for part in element.parts
    )


@compiles(Ref)
def _ref(element: Ref, compiler: SQLCompiler, **_options: Any) -> str:
    quote = compiler.preparer.quote_identifier
    return f"{quote(element.alias)}.{quote(element.name)}"


@compiles(Name)
def _name(element: Name, compiler: SQLCompiler, **_options: Any) -> str:
    return compiler.preparer.quote_identifier(element.name)


def conjunction(items: list[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    return _joined(" AND ", items)


def disjunction(items: list[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    return _joined(" OR ", items)


class _Group(Fragment):
    """Conditions joined by one operator; flat, so that nesting costs no depth when it is rendered. ``depth``: how many
    groups stand in one another."""

    inherit_cache = False

    def __init__(self, operator: str, depth: int, *parts: str | sa.ClauseElement) -> None:
        super().__init__(*parts)
        self.operator = operator
        self.depth = depth


class _Chain(Fragment):
    """Conditions nested deep, as one CASE: a text nested like them would overflow the stack of SQLite's parser."""

    inherit_cache = False


# Groups that may stand in one another; what is around them becomes a chain.
MAX_DEPTH = 8


def _joined(operator: str, items: list[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    if len(items) == 1:
        return items[0]
    deepest = max(items, key=_depth)
    if _depth(deepest) >= MAX_DEPTH and not (isinstance(deepest, _Group) and deepest.operator == operator):
        return _chain(operator, [item for item in items if item is not deepest], deepest)
    parts: list[str | sa.ClauseElement] = ["("]
    for item in items:
        if len(parts) > 1:
            parts.append(operator)
        if isinstance(item, Fragment):
            inner = item.parts
            parts.extend(inner[1:-1] if isinstance(item, _Group) and item.operator == operator else inner)
        else:
            parts.append(item)
    parts.append(")")
    depth = max(_depth(item) - (isinstance(item, _Group) and item.operator == operator) for item in items)
    return _Group(operator, depth + 1, *parts)


def _depth(item: sa.ColumnElement[Any]) -> int:
    if isinstance(item, _Chain):
        return MAX_DEPTH
    return item.depth if isinstance(item, _Group) else 0


def _chain(
    operator: str, items: list[sa.ColumnElement[Any]], deepest: sa.ColumnElement[Any]
) -> sa.ColumnElement[Any]:
    """``deepest`` decides where none of the others does: an "and" by one that is not true, an "or" by one that is."""
    parts: list[str | sa.ClauseElement] = ["CASE"]
    for item in items:
        parts += [" WHEN (", item, ") IS NOT TRUE THEN FALSE" if operator == " AND " else ") THEN TRUE"]
    rest = deepest.parts[1:] if isinstance(deepest, _Chain) else (" ELSE ", deepest, " END")
    return _Chain(*parts, *rest)
