"""Names of a view's query to what they mean among the project's collections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope, walk_in_scope

from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.fields.base import Field
from projects.schema.fields.json import JsonField
from projects.schema.ids import field_id
from projects.schema.views.errors import ViewError
from projects.schema.views.parse import parse_view

# How the tree names the place of a record in its table; each engine has its own word.
ROW: Final = "rowid"
_SECRETS: Final = frozenset({"password", "tokenkey"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a column's values come from: a field of a collection, or (None) an expression of its own.

    ``nullable``: an outer join may leave it without a value, though the field has one. ``kind``: how its values
    are stored, as far as that is known; ROW for the place of a record in its table.
    """

    name: str
    collection: CollectionSchema | None = None
    field: Field | None = None
    nullable: bool = True
    kind: str = ""


@dataclass(slots=True)
class _Source:
    """What one name of a FROM clause offers, by lower-case name."""

    columns: Mapping[str, Origin]
    is_table: bool
    # Whether an outer join may leave it without a row.
    optional: bool = False

    def spelled(self, name: str) -> str:
        """The column's name in the database: queries within the query have lower-case ones."""
        return self.columns[name].name if self.is_table else name


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the result: its name as written, where it comes from, and its expression."""

    name: str
    origin: Origin
    expression: exp.Expr


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query whose names are looked up: tables and columns carry their names in the database, quoted."""

    select: exp.Select
    outputs: tuple[Output, ...]
    # Ids of the collections that it names itself.
    sources: frozenset[str]


def resolve_view(schema: ProjectSchema, text: str) -> Resolved:
    """Raises ViewError: unknown tables and columns, system collections, secrets, ambiguous names."""
    select = parse_view(text)
    names = [_output_name(item, item) for item in _written(text).selects]
    worker = _Resolver(schema)
    worker.resolve(select)
    expressions = select.selects
    outputs = tuple(
        Output(name, worker.origin_of(item), item.unalias())
        for name, item in zip(names, expressions, strict=True)
    )
    return Resolved(select, outputs, frozenset(worker.used))


def table_names(text: str) -> frozenset[str]:
    """The lower-case names of the tables that the query names. Raises ViewError."""
    return frozenset(table.name for table in parse_view(text).find_all(exp.Table))


def _written(text: str) -> exp.Select:
    """The tree with its names as they were written, for the names of the result alone."""
    import sqlglot

    statement = sqlglot.parse_one(text, read="sqlite")
    assert isinstance(statement, exp.Select)
    return statement


def _output_name(item: exp.Expr, written: exp.Expr) -> str:
    name = item.alias_or_name
    if not isinstance(item, exp.Alias | exp.Column) or not name:
        raise ViewError(f"the column {written.sql(dialect='sqlite')} needs a name (AS …)")
    return name


class _Resolver:
    def __init__(self, schema: ProjectSchema) -> None:
        self._by_name = {collection.name.lower(): collection for collection in schema.collections}
        self.used: set[str] = set()
        self.origins: dict[int, Origin] = {}
        self._sources: dict[int, dict[str, _Source]] = {}
        self._outputs: dict[int, dict[str, Origin]] = {}

    def resolve(self, select: exp.Select) -> None:
        """Look every name up and write the meaning into the tree, innermost queries first."""
        scopes = traverse_scope(select)
        for scope in scopes:
            self._sources[id(scope)] = dict(self._read_sources(scope))
            query = scope.expression
            if not isinstance(query, exp.Select):
                left, right = (self._outputs[id(side)] for side in scope.set_operation_scopes)
                self._outputs[id(scope)] = _both(left, right)
                continue
            self._resolve_columns(scope, query)
            self._outputs[id(scope)] = {item.alias_or_name: self.origin_of(item) for item in query.selects}
        # Only now: while a query is looked at, its parser's view of it must not change.
        for scope in scopes:
            _name_outputs(scope)
        for table in select.find_all(exp.Table):
            self._write_table(table, scopes)
        for identifier in select.find_all(exp.Identifier):
            identifier.set("quoted", True)

    def origin_of(self, item: exp.Expr) -> Origin:
        expression = item.unalias()
        if isinstance(expression, exp.Column) and id(expression) in self.origins:
            return self.origins[id(expression)]
        return Origin(item.alias_or_name)

    def _read_sources(self, scope: Scope) -> Iterator[tuple[str, _Source]]:
        found: dict[str, _Source] = {}
        selected = scope.selected_sources if isinstance(scope.expression, exp.Select) else {}
        for name, (_, source) in selected.items():
            if isinstance(source, exp.Table):
                found[name] = _Source(self._table_columns(source), is_table=True)
            else:
                found[name] = _Source(self._outputs[id(source)], is_table=False)
        if isinstance(scope.expression, exp.Select):
            _mark_optional(scope.expression, found)
        yield from found.items()

    def _table_columns(self, table: exp.Table) -> dict[str, Origin]:
        collection = self._by_name.get(table.name)
        if collection is None or collection.system:
            raise ViewError(f"no such collection: {table.name}")
        self.used.add(collection.id)
        columns = {
            field.name.lower(): Origin(field.name, kind="json")
            if collection.is_view and is_worked_out(field)
            else Origin(field.name, collection, field, nullable=False, kind=field.kind)
            for field in collection.fields
            if not _is_secret(collection, field)
        }
        if collection.has_table:
            columns.setdefault(ROW, Origin(ROW, nullable=False, kind=ROW))
        return columns

    def _resolve_columns(self, scope: Scope, select: exp.Select) -> None:
        for node in list(walk_in_scope(select)):
            if isinstance(node, exp.Column):
                self._resolve_column(scope, select, node)

    def _resolve_column(self, scope: Scope, select: exp.Select, column: exp.Column) -> None:
        clause = _clause_of(column, select)
        aliased = None if column.table else _alias_called(select, column.name)
        if aliased is not None and clause == "order" and _stands_alone(column):
            # ORDER BY names a column of the result first.
            column.set("table", None)
            return
        found = self._look_up(scope, column)
        if found is None and aliased is not None and clause != "select":
            if _stands_alone(column) and clause == "group":
                return
            column.replace(exp.Paren(this=self._copied(aliased)))
            return
        if found is None:
            shown = f"{column.table}.{column.name}" if column.table else column.name
            raise ViewError(f"no such column: {shown}")
        alias, source, origin = found
        nullable = origin.nullable or source.optional
        self.origins[id(column)] = replace(origin, nullable=nullable)
        # Copies of the node keep these; what they stand for decides how an engine is told.
        column.meta["name"] = column.name
        column.meta["kind"] = origin.kind
        column.meta["nullable"] = nullable or getattr(origin.field, "nullable", False)
        column.set("table", exp.to_identifier(alias, quoted=True))
        column.set("this", exp.to_identifier(source.spelled(column.meta["name"]), quoted=True))

    def _copied(self, aliased: exp.Expr) -> exp.Expr:
        """A copy of an expression of the result, whose columns keep their meaning."""
        copy = aliased.copy()
        for old, new in zip(aliased.find_all(exp.Column), copy.find_all(exp.Column), strict=True):
            if id(old) in self.origins:
                self.origins[id(new)] = self.origins[id(old)]
        return copy

    def _look_up(self, scope: Scope | None, column: exp.Column) -> tuple[str, _Source, Origin] | None:
        """In the query's own FROM, else in those around it."""
        while scope is not None:
            sources = self._sources.get(id(scope))
            if sources is None:
                # A query around this one has not been looked at yet: only its FROM counts.
                sources = self._sources[id(scope)] = dict(self._read_sources(scope))
            named = {column.table: sources[column.table]} if column.table in sources else {}
            found = [
                (alias, source, source.columns[column.name])
                for alias, source in (named if column.table else sources).items()
                if column.name in source.columns
            ]
            if len(found) > 1 and column.name != ROW:
                raise ViewError(f"ambiguous column name: {column.name}")
            if found:
                return found[0]
            # What stands in FROM sees nothing of what is around it.
            scope = scope.parent if scope.is_subquery or scope.is_set_operation else None
        return None

    def _write_table(self, table: exp.Table, scopes: list[Scope]) -> None:
        if any(table.name in scope.cte_sources and _is_inside(table, scope) for scope in scopes):
            return
        collection = self._by_name.get(table.name)
        if collection is None:
            return
        alias = table.alias_or_name
        table.set("this", exp.to_identifier(collection.table, quoted=True))
        table.meta["collection"] = True
        table.meta["rows"] = collection.has_table
        table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


def _both(left: Mapping[str, Origin], right: Mapping[str, Origin]) -> dict[str, Origin]:
    """The columns of two results put together: a field's only where it is the same one in both."""
    if len(left) != len(right):
        raise ViewError("the queries that are put together have different numbers of columns")
    out = {}
    for (name, first), second in zip(left.items(), right.values(), strict=True):
        same = first.field is not None and first.field == second.field
        nullable = first.nullable or second.nullable
        out[name] = replace(first, nullable=nullable) if same else Origin(name)
    return out


def _name_outputs(scope: Scope) -> None:
    """Give every column of a result its lower-case name: the columns behind may be spelled otherwise."""
    if isinstance(scope.expression, exp.Select):
        for item in scope.expression.selects:
            if isinstance(item, exp.Column):
                named = exp.Alias(alias=exp.to_identifier(item.meta["name"], quoted=True))
                item.replace(named)
                named.set("this", item)


def is_worked_out(field: Field) -> bool:
    """Whether a view's field holds what an expression gave: no field of a table."""
    return isinstance(field, JsonField) and field.id == field_id("json", field.name)


def _is_secret(collection: CollectionSchema, field: Field) -> bool:
    return field.type == "password" or (collection.is_auth and field.name.lower() in _SECRETS)


def _mark_optional(select: exp.Select, sources: Mapping[str, _Source]) -> None:
    """Which sources an outer join may leave without a row."""
    before: list[str] = []
    first = select.args.get("from_") or select.args.get("from")
    if first is not None:
        before.append(first.this.alias_or_name)
    for join in select.args.get("joins") or ():
        name, side = join.this.alias_or_name, (join.side or "").upper()
        if side in ("LEFT", "FULL") and name in sources:
            sources[name].optional = True
        if side in ("RIGHT", "FULL"):
            for other in before:
                sources[other].optional = True
        before.append(name)


def _alias_called(select: exp.Select, name: str) -> exp.Expr | None:
    for item in select.selects:
        if isinstance(item, exp.Alias) and item.alias == name:
            meant: exp.Expr = item.this
            return meant
    return None


def _clause_of(node: exp.Expr, select: exp.Select) -> str:
    """The clause of ``select`` that holds the node."""
    child, parent = node, node.parent
    while parent is not None and parent is not select:
        child, parent = parent, parent.parent
    return {"expressions": "select"}.get(child.arg_key or "", child.arg_key or "")


def _stands_alone(column: exp.Column) -> bool:
    """Whether it is a whole term of GROUP BY or ORDER BY."""
    parent = column.parent
    if isinstance(parent, exp.Ordered):
        parent = parent.parent
    return isinstance(parent, exp.Group) or (
        isinstance(parent, exp.Order) and isinstance(parent.parent, exp.Select)
    )


def _is_inside(table: exp.Table, scope: Scope) -> bool:
    node: exp.Expr | None = table
    while node is not None:
        if node is scope.expression:
            return True
        node = node.parent
    return False
