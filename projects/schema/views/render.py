"""A view as what stands in FROM: one column per field, with the values that a table's column of its type has."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlglot import exp
from sqlglot.optimizer.scope import walk_in_scope

from projects.context import Engine
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.ddl import quote
from projects.schema.fields.base import Field
from projects.schema.views.errors import ViewError
from projects.schema.views.postgresql import for_postgresql
from projects.schema.views.resolve import ROW, Output, Resolved, is_worked_out, resolve_view

# Views over views multiply. SQLite joins 64 tables at most (sqlite.org/limits.html).
MAX_TABLES: Final = 50
_DIALECTS: Final[dict[Engine, str]] = {"sqlite": "sqlite", "postgresql": "postgres"}
_INNER: Final = '"q"'


@dataclass(frozen=True, slots=True)
class ViewOrder:
    """A column of a view's SELECT that its records are sorted by where a list names no sort.

    ``nullable``: an index serves a sort on PostgreSQL only where nobody needs to be told where null goes.
    """

    column: str
    descending: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class RenderedView:
    """``sql`` is a SELECT whose columns are the view's fields, and beside them those of ``order``.

    ``tables``: how many tables it names, those of the views that it reads included.
    """

    sql: str
    order: tuple[ViewOrder, ...]
    tables: int


def view_sql(
    schema: ProjectSchema, view: CollectionSchema, engine: Engine, *, nested: bool = False
) -> RenderedView:
    """``nested``: for another view, to which worked out values are what they are and not JSON. Raises ViewError."""
    resolved = resolve_view(schema, view.options["viewQuery"])
    select, order = _with_order(schema, resolved, engine)
    inner, tables = _inner(schema, select, engine)
    columns = [
        *_columns(view, resolved, engine, nested=nested),
        *(f"{_INNER}.{quote(one.column)}" for one in order),
    ]
    return RenderedView(f"SELECT {', '.join(columns)} FROM ({inner}) AS {_INNER}", order, tables)


def _inner(schema: ProjectSchema, select: exp.Select, engine: Engine) -> tuple[str, int]:
    if engine == "postgresql":
        select = for_postgresql(select)
    tables = sum(bool(table.meta.get("rows")) for table in select.find_all(exp.Table))
    views = _stand_ins(schema, select)
    text: str = select.sql(dialect=_DIALECTS[engine], identify=True, comments=False)
    for token, collection in views.items():
        view = view_sql(schema, collection, engine, nested=True)
        text, tables = text.replace(f'"{token}"', f"({view.sql})"), tables + view.tables
        if tables > MAX_TABLES:
            raise ViewError(
                f"the query and the views that it reads name more than {MAX_TABLES} tables together"
            )
    return text, tables


def _stand_ins(schema: ProjectSchema, select: exp.Select) -> dict[str, CollectionSchema]:
    """Put a name that no text can hold in the place of each view that is read, to be replaced by its SELECT."""
    views = {collection.name: collection for collection in schema.collections if collection.type == "view"}
    found = {}
    for table in list(select.find_all(exp.Table)):
        if table.meta.get("collection") and table.name in views:
            token = secrets.token_hex(16)
            found[token] = views[table.name]
            table.set("this", exp.to_identifier(token, quoted=True))
    return found


def _with_order(
    schema: ProjectSchema, resolved: Resolved, engine: Engine
) -> tuple[exp.Select, tuple[ViewOrder, ...]]:
    """The query with what it sorts by as further columns: so whoever reads one record sorts nothing.

    A query without ORDER BY keeps the order of its only table, else that of its ids.
    """
    select = resolved.select.copy()
    if select.args.get("distinct"):
        return select, ()
    order = select.args.get("order")
    if order is None:
        terms = _place(schema, select, engine)
    else:
        terms = [(_meant(select, term.this), bool(term.args.get("desc"))) for term in order.expressions]
        if not select.args.get("limit") and not select.args.get("offset"):
            select.set("order", None)
    named = tuple(
        ViewOrder(f"@{at}", descending, bool(expression.meta.get("nullable", True)))
        for at, (expression, descending) in enumerate(terms)
    )
    for one, (expression, _) in zip(named, terms, strict=True):
        select.append("expressions", exp.alias_(expression.copy(), one.column, quoted=True))
    return select, named


def _place(schema: ProjectSchema, select: exp.Select, engine: Engine) -> list[tuple[exp.Expr, bool]]:
    """The order of what stands first in FROM, where its rows are those of the result; else that of the ids."""
    first = select.args["from_"].this if select.args.get("from_") else None
    if isinstance(first, exp.Table) and first.meta.get("collection") and not select.args.get("group"):
        collection = schema.get(first.name)
        if collection is not None and not _is_one_row(select):
            return _order_of(schema, collection, first.alias, engine)
    return [(next(item.unalias() for item in select.selects if item.alias_or_name == "id"), False)]


def _order_of(
    schema: ProjectSchema, collection: CollectionSchema, alias: str, engine: Engine
) -> list[tuple[exp.Expr, bool]]:
    if collection.is_view:
        order = view_sql(schema, collection, engine, nested=True).order
        return [(_column(one.column, alias, nullable=one.nullable), one.descending) for one in order]
    place = _column(ROW, alias, nullable=False)
    place.meta["kind"] = ROW
    return [(place, False)]


def _column(name: str, alias: str, *, nullable: bool) -> exp.Column:
    column = exp.column(name, table=alias, quoted=True)
    column.meta["nullable"] = nullable
    return column


def _is_one_row(select: exp.Select) -> bool:
    """Whether it aggregates without GROUP BY: then its rows are not those of its table."""
    return any(
        isinstance(node, exp.AggFunc) and node.find_ancestor(exp.Window) is None
        for node in walk_in_scope(select)
    )


def _meant(select: exp.Select, term: exp.Expr) -> exp.Expr:
    """What a term of ORDER BY stands for: names and numbers of results are the results' expressions."""
    if isinstance(term, exp.Literal) and not term.is_string and term.name.isdigit():
        at = int(term.name) - 1
        if not 0 <= at < len(select.selects):
            raise ViewError(f"ORDER BY {term.name} is not in the list of columns")
        return select.selects[at].unalias()
    if isinstance(term, exp.Column) and not term.table:
        return next(item.unalias() for item in select.selects if item.alias_or_name == term.name)
    return term


def _columns(view: CollectionSchema, resolved: Resolved, engine: Engine, *, nested: bool) -> Iterator[str]:
    for field, output in zip(view.fields, resolved.outputs, strict=True):
        value = f"{_INNER}.{quote(output.name.lower())}"
        kept = nested and is_worked_out(field)
        yield f"{value if kept else _as_stored(field, output, value, engine)} AS {quote(field.name)}"


def _as_stored(field: Field, output: Output, value: str, engine: Engine) -> str:
    """The value as a table's column of the field's type holds it."""
    origin = output.origin
    if origin.field is not None:
        if not origin.nullable or origin.field.kind == "json" or origin.field.nullable or field.name == "id":
            return value
        return f"COALESCE({value}, {_zero(field, engine)})"
    if field.name == "id":
        return _text(value, engine)
    match field.kind:
        case "text":
            return f"COALESCE({_text(value, engine)}, '')"
        case "number":
            return (
                f"COALESCE({value}, 0)"
                if engine == "sqlite"
                else f"COALESCE(CAST({value} AS DOUBLE PRECISION), 0)"
            )
        case "bool":
            return f"COALESCE({value}, FALSE)" if engine == "postgresql" else f"COALESCE({value} <> 0, 0)"
        case _:
            return _json(output, value, engine)


def _json(output: Output, value: str, engine: Engine) -> str:
    if engine == "postgresql":
        return f"TO_JSONB({value})"
    if output.expression.find(exp.JSONExtract, exp.JSONExtractScalar) or _reads_json(output.expression):
        # Objects and lists come out of JSON as text.
        return (
            f"CASE WHEN substr({value}, 1, 1) IN ('{{', '[') AND json_valid({value}) THEN {value}"
            f" WHEN {value} IS NOT NULL THEN json_quote({value}) END"
        )
    # A whole number is written as one, as everywhere in the API; beyond 63 bits it stays a double.
    whole = f"typeof({value}) = 'real' AND {value} = CAST({value} AS INTEGER) AND abs({value}) < 9e18"
    return f"NULLIF(json_quote(CASE WHEN {whole} THEN CAST({value} AS INTEGER) ELSE {value} END), 'null')"


def _reads_json(expression: exp.Expr) -> bool:
    return any(
        column.meta.get("kind") in ("json", "list", "geo") for column in expression.find_all(exp.Column)
    )


def _text(value: str, engine: Engine) -> str:
    return f"CAST({value} AS TEXT)" if engine == "sqlite" else f'CAST({value} AS TEXT) COLLATE "C"'


def _zero(field: Field, engine: Engine) -> str:
    match field.kind:
        case "number":
            return "0"
        case "bool":
            return "FALSE"
        case "list":
            return "'[]'" if engine == "sqlite" else "CAST('[]' AS JSONB)"
        case "geo":
            zero = '{"lon":0,"lat":0}'
            return f"'{zero}'" if engine == "sqlite" else f"CAST('{zero}' AS JSONB)"
        case _:
            return "''"
