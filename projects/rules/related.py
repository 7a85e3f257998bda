"""The values that a path through other records leads to, for people who look into a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from projects.context import Engine
from projects.rules.compare import SqlColumn
from projects.rules.formula import own_variables
from projects.rules.frames import Frame, Join, Standing
from projects.rules.paths import Column, Element
from projects.rules.sql import Fragment, Name, Ref
from projects.rules.statement import Statement, render
from projects.rules.writer import Writer
from projects.schema.collection import ProjectSchema

_ALIAS = "r"


def related_values(
    schema: ProjectSchema,
    engine: Engine,
    meaning: Column | Element,
    record: Sequence[tuple[str, sa.ColumnElement[Any]]],
    limit: int,
) -> Statement:
    """A statement that gives ``limit`` of the values at most, as texts, one a row; null where there is none.

    ``record``: the record asked about, as named parameters.
    """
    writer = Writer(schema, engine, stored=False)
    frame = Frame()
    frame.rows[()] = Standing(frame, Ref(_ALIAS, "id"), _ALIAS, inner=True)
    columns: list[str | sa.ClauseElement] = []
    for name, column in record:
        columns += [", " if columns else "", column, " AS ", Name(name)]
    frame.joins.append(Join(Fragment("(SELECT ", *columns, ") AS ", Name(_ALIAS)), None, inner=True))
    for row in own_variables(meaning.row).values():
        writer.place(row, frame, inner=False, first=False)
    operand = writer.operand(meaning, frame)
    assert isinstance(operand, SqlColumn)
    text = writer.compare.text(operand)
    query = Fragment("SELECT ", text, " FROM ", frame.from_text(writer.sql.true), f" LIMIT {int(limit)}")
    return render(query, engine, writer.readers)
