"""ORDER BY as SQL. Of many values the first decides: a list's own first, or the record that was made first."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from projects.rules.compare import SqlColumn
from projects.rules.engines import Sql
from projects.rules.frames import Frame
from projects.rules.paths import Column, Element, Given, Item, Row
from projects.rules.sql import Fragment, Ref, conjunction
from projects.rules.writer import Writer


def sort_keys(
    writer: Writer, meaning: Column | Element, frame: Frame, descending: bool, shown: list[Sql]
) -> list[Sql]:
    """The order of a value of which the record has one; none where the conditions ``shown`` do not hold."""
    column = writer.operand(meaning, frame)
    assert isinstance(column, SqlColumn)
    parts = _parts(writer, column)
    if not shown:
        return [writer.sql.in_order(part, descending, column.nullable) for part in parts]
    seen = conjunction(shown)
    return [
        writer.sql.in_order(Fragment("(CASE WHEN ", seen, " THEN ", part, " END)"), descending, nullable=True)
        for part in parts
    ]


def first_sort_keys(
    writer: Writer,
    meaning: Column | Element,
    several: list[Row],
    frame: Frame,
    descending: bool,
    seen: Callable[[Frame], list[Sql]],
) -> list[Sql]:
    """The order of the first of many values. ``several``: the variables on the way; ``seen(frame)``: the conditions
    under which a client may see what stands there."""
    inside = Frame(outer=frame)
    places = [_place(writer, row, inside) for row in several]
    column = writer.operand(meaning, inside)
    assert isinstance(column, SqlColumn)
    conditions = seen(inside)
    where = Fragment(" WHERE ", conjunction(conditions)) if conditions else Fragment()
    order: list[str | sa.ClauseElement] = []
    for place in places:
        order += [", ", place] if order else [" ORDER BY ", place]
    # FROM last: the conditions may have joined to it.
    end = Fragment(" FROM ", inside.from_text(writer.sql.true), where, *order, " LIMIT 1)")
    return [
        writer.sql.in_order(Fragment("(SELECT ", part, end), descending, nullable=True)
        for part in _parts(writer, column)
    ]


def _place(writer: Writer, row: Row, frame: Frame) -> Sql:
    """Give a variable its place; returns what its rows are ordered by."""
    alias = writer.place(row, frame, inner=False, first=False, ordered=True)
    if isinstance(row, Item | Given):
        return Ref(alias, "key")
    record = writer.standing(row, frame).alias
    is_view = row.collection.is_view
    return Ref(record, "id") if is_view else writer.sql.row_order(record)


def _parts(writer: Writer, column: SqlColumn) -> list[Sql]:
    """What to sort by, one after another, for the order of the values."""
    if column.kind == "json":
        return writer.sql.json_order(column.sql)
    return [writer.sql.list_text(column.sql) if column.kind == "list" else column.sql]
