"""Values as SQL: the columns, elements and functions that comparisons are made of, with the joins they need."""

from __future__ import annotations

import sqlalchemy as sa

from projects.context import Engine
from projects.rules.ast import FLIPPED, Operator
from projects.rules.compare import Comparer, SqlColumn
from projects.rules.engines import EngineSql, Sql
from projects.rules.frames import Frame, Join, RecordSource, Standing
from projects.rules.functions_sql import function_sql
from projects.rules.gates import Gate
from projects.rules.inputs import Input, Read
from projects.rules.paths import (
    MULTIPLE_TYPES,
    AnyOf,
    Back,
    Changed,
    Column,
    Element,
    Function,
    Given,
    Item,
    Known,
    Meaning,
    Own,
    Row,
    Via,
    chain,
    is_relation,
    is_variable,
    kind_of,
)
from projects.rules.postgresql_sql import PostgresqlSql
from projects.rules.sources import source_of
from projects.rules.sql import Fragment, Name, Ref
from projects.rules.sqlite_sql import SqliteSql
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.fields.base import Field
from projects.schema.links import link_name

ENGINES: dict[Engine, EngineSql] = {"sqlite": SqliteSql(), "postgresql": PostgresqlSql()}


class Writer:
    """One statement's names and parameters, and its values. ``stored``: the records asked about are rows of their
    table, so that link tables know them; else each is a row of literals."""

    def __init__(self, schema: ProjectSchema, engine: Engine, *, stored: bool) -> None:
        self.schema = schema
        self.engine: Engine = engine
        self.sql = ENGINES[engine]
        self.stored = stored
        self.compare = Comparer(self.sql, self.parameter)
        self.readers: dict[str, Read] = {}
        # Collections whose rows the result depends on.
        self.tables: set[str] = set()
        self._names = 0

    # -- names

    def name(self, kind: str) -> str:
        self._names += 1
        return f"_{kind}{self._names}"

    def records(self, collection: CollectionSchema, alias: str) -> RecordSource:
        """The collection's records, for FROM; the result depends on them."""
        self.tables.add(collection.id)
        return RecordSource(source_of(self.schema, collection, self.engine), collection, alias)

    def parameter(self, read: Read) -> Sql:
        name = self.name("p")
        self.readers[name] = read
        return sa.bindparam(name, type_=sa.types.NullType())

    def gate(self, gate: Gate) -> Sql:
        """What is decided in Python before the database is asked."""
        to_sql, test = self.sql.bool_value, gate.test
        return self.parameter(lambda inputs: to_sql(test(inputs)))

    # -- values

    def pair(
        self, left: Meaning, sign: Operator, right: Meaning, frame: Frame, second: Frame | None = None
    ) -> Sql:
        """The comparison of two values, of which one at least is no input; ``second``: where the right one stands."""
        return self._compared(self.operand(left, frame), sign, self.operand(right, second or frame))

    def _compared(self, left: Input | SqlColumn, sign: Operator, right: Input | SqlColumn) -> Sql:
        if isinstance(left, SqlColumn):
            if isinstance(right, SqlColumn):
                return self.compare.with_column(left, sign, right)
            return self.compare.with_input(left, sign, right)
        assert isinstance(right, SqlColumn)
        if sign in ("~", "!~"):
            return self.compare.input_contains(left, right, negated=sign == "!~")
        return self.compare.with_input(right, FLIPPED[sign], left)

    def operand(self, meaning: Meaning, frame: Frame) -> Input | SqlColumn:
        if isinstance(meaning, Input):
            return meaning
        if isinstance(meaning, Changed):
            return self._changed(meaning, frame)
        if isinstance(meaning, Function):
            arguments = [self.operand(argument, frame) for argument in meaning.arguments]
            return function_sql(self.sql, self.compare, meaning.name, arguments, self.parameter)
        column = self._column_of(meaning, frame)
        if meaning.modifier == "lower":
            return SqlColumn(self.sql.lower(self.compare.text(column)), "text", column.nullable)
        if meaning.modifier == "length":
            return self._length(meaning, column)
        return column

    def stored_operand(self, meaning: Meaning, frame: Frame) -> SqlColumn:
        """A value that is no input."""
        operand = self.operand(meaning, frame)
        assert isinstance(operand, SqlColumn)
        return operand

    def _column_of(self, meaning: Column | Element, frame: Frame) -> SqlColumn:
        if isinstance(meaning, Column):
            return self.column(meaning, frame)
        standing = frame.find(meaning.row.key)
        assert standing is not None
        return SqlColumn(standing.id, "text", nullable=not standing.inner)

    def column(self, column: Column, frame: Frame) -> SqlColumn:
        """The stored value, without modifier."""
        sql, nullable = self._field(column.row, column.field, frame)
        kind = kind_of(column.field)
        if kind == "json":
            return SqlColumn(self.sql.json_at(sql, column.json_path), "json", nullable=True)
        return SqlColumn(sql, kind, nullable or getattr(column.field, "nullable", False))

    def _length(self, meaning: Column | Element, column: SqlColumn) -> SqlColumn:
        if isinstance(meaning, Column):
            if column.kind == "list":
                return SqlColumn(self.sql.list_length(column.sql), "number", column.nullable)
            if meaning.field.type in MULTIPLE_TYPES:
                text = column.sql
                one = Fragment("(CASE WHEN ", text, " = '' THEN 0 WHEN ", text, " != '' THEN 1 END)")
                return SqlColumn(one, "number", column.nullable)
        return SqlColumn(Fragment("CAST(NULL AS INTEGER)"), "number", nullable=True)

    def _changed(self, meaning: Changed, frame: Frame) -> SqlColumn:
        differs = self.compare.with_input(self.column(meaning.column, frame), "!=", meaning.value)
        is_set = self.gate(Gate(lambda inputs: bool(meaning.is_set.read(inputs))))
        return SqlColumn(
            Fragment("(CASE WHEN ", is_set, " AND ", differs, " THEN 1 ELSE 0 END)"), "number", nullable=False
        )

    # -- rows

    def _field(self, row: Row, field: Field, frame: Frame) -> tuple[Sql, bool]:
        """A column of a row, and whether it can be null because there is no row."""
        if self.is_scalar(row):
            return self._scalar(row, field), True
        standing = self.standing(row, frame)
        return Ref(standing.alias, field.name), not standing.inner

    def id_of(self, row: Row, frame: Frame) -> tuple[Sql, bool]:
        """The id of a row without a join for it, and whether it may be empty."""
        if isinstance(row, Known):
            return self.parameter(row.id.read), False
        if isinstance(row, Via):
            return self._field(row.parent, row.field, frame)[0], True
        if self.is_scalar(row):
            assert row.collection is not None
            return self._scalar(row, row.collection.field_by_name["id"]), False
        return self._found(row, frame).id, False

    def is_scalar(self, row: Row) -> bool:
        """Whether it is one row that the request knows: a subquery's, not one of FROM."""
        rows = chain(row)
        return isinstance(rows[0], Known) and not any(map(is_variable, rows))

    def _scalar(self, row: Row, field: Field) -> Sql:
        """A value of a record that the request names: the same for every row, so a subquery that runs once."""
        first, *hops = chain(row)
        assert isinstance(first, Known)
        alias = start = self.name("s")
        parts: list[str | sa.ClauseElement] = [" FROM ", self.records(first.collection, start)]
        for hop in hops:
            assert isinstance(hop, Via | Back)
            parent, alias = alias, self.name("s")
            parts += [" JOIN ", self.records(hop.collection, alias), " ON "]
            if isinstance(hop, Via):
                parts += [Ref(alias, "id"), " = ", Ref(parent, hop.field.name)]
            else:
                parts += [Ref(alias, hop.field.name), " = ", Ref(parent, "id")]
        parts += [" WHERE ", Ref(start, "id"), " = ", self.parameter(first.id.read), ")"]
        return Fragment("(SELECT ", Ref(alias, field.name), *parts)

    def standing(self, row: Row, frame: Frame) -> Standing:
        """Where the row's columns are, joined when they are not yet."""
        found = self._found(row, frame)
        return found if found.alias else self._with_record(row, found)

    def _found(self, row: Row, frame: Frame) -> Standing:
        """Where the row is known by its id at least."""
        if isinstance(row, Own) or is_variable(row):
            found = frame.find(row.key)
            assert found is not None, "a variable stands before it is named"
            return found
        assert isinstance(row, Via | Back)
        # Beside its parent: further out there may be one of the same name that hangs on another.
        home = frame if self.is_scalar(row.parent) else self._found(row.parent, frame).frame
        if row.key not in home.rows:
            alias = self.name("j")
            if isinstance(row, Via):
                on = Fragment(Ref(alias, "id"), " = ", self._field(row.parent, row.field, frame)[0])
            else:
                on = Fragment(Ref(alias, row.field.name), " = ", self._own_id(row.parent, frame))
            home.joins.append(Join(self.records(row.collection, alias), on, inner=False))
            home.rows[row.key] = Standing(home, Ref(alias, "id"), alias)
        return home.rows[row.key]

    def _own_id(self, row: Row, frame: Frame) -> Sql:
        """The id to look for in a relation that may be empty: an empty one names nobody."""
        sql, may_be_empty = self.id_of(row, frame)
        return Fragment("NULLIF(", sql, ", '')") if may_be_empty else sql

    def _with_record(self, row: Row, found: Standing) -> Standing:
        """The record behind an id that stands already."""
        assert row.collection is not None
        alias = self.name("j")
        on = Fragment(Ref(alias, "id"), " = ", found.id)
        found.frame.joins.append(Join(self.records(row.collection, alias), on, found.inner))
        found.frame.rows[row.key] = Standing(found.frame, found.id, alias, found.inner)
        return found.frame.rows[row.key]

    # -- variables

    def place(self, row: Row, frame: Frame, *, inner: bool, first: bool, ordered: bool = False) -> str:
        """Give a variable its place in ``frame``; returns the alias of its source. ``first``: what ties it to the rows
        around goes to WHERE; ``ordered``: the source has the values in the order of their list."""
        source_alias = self.name("e")
        source, alias, id_, tie = self._source(row, frame, source_alias, ordered=ordered)
        join = Join(source, None if first and inner else tie, inner)
        if first and inner and tie is not None:
            frame.ties.append(tie)
        frame.joins.append(join)
        frame.rows[row.key] = Standing(frame, id_, alias, inner)
        return source_alias

    def _source(
        self, row: Row, frame: Frame, alias: str, *, ordered: bool
    ) -> tuple[Sql, str, Sql, Sql | None]:
        """FROM text, the alias of the record's columns (if they are there), its id, and what ties it to its parent."""
        if isinstance(row, AnyOf):
            return self.records(row.collection, alias), alias, Ref(alias, "id"), None
        if isinstance(row, Given):
            read = row.values.read
            values = self.sql.bound_list(lambda convert: self.parameter(lambda inputs: convert(read(inputs))))
            source, element = self.sql.elements(values, alias)
            return source, "", element, None
        if isinstance(row, Item):
            return self._items(row, frame, alias, ordered=ordered)
        assert isinstance(row, Back)
        own_id = self._own_id(row.parent, frame)
        tie: Sql
        if not row.field.is_list:
            tie = Fragment(Ref(alias, row.field.name), " = ", own_id)
            return self.records(row.collection, alias), alias, Ref(alias, "id"), tie
        if not row.collection.has_table:
            tie = self.sql.list_holds(Ref(alias, row.field.name), own_id)
            return self.records(row.collection, alias), alias, Ref(alias, "id"), tie
        # Its records' links change with them.
        self.tables.add(row.collection.id)
        link = link_name(row.collection.id, row.field.id)
        return (
            Fragment(Name(link), " AS ", Name(alias)),
            "",
            Ref(alias, "record"),
            Fragment(Ref(alias, "target"), " = ", own_id),
        )

    def _items(
        self, row: Item, frame: Frame, alias: str, *, ordered: bool
    ) -> tuple[Sql, str, Sql, Sql | None]:
        if self.has_links(row) and not ordered:
            assert row.parent.collection is not None
            self.tables.add(row.parent.collection.id)
            link = link_name(row.parent.collection.id, row.field.id)
            tie = Fragment(Ref(alias, "record"), " = ", self.id_of(row.parent, frame)[0])
            return Fragment(Name(link), " AS ", Name(alias)), "", Ref(alias, "target"), tie
        source, element = self.sql.elements(self._field(row.parent, row.field, frame)[0], alias)
        return source, "", element, None

    def has_links(self, row: Item) -> bool:
        """Whether a link table has the values of the list."""
        parent: CollectionSchema | None = row.parent.collection
        assert parent is not None
        return (
            is_relation(row.field) and parent.has_table and (self.stored or not isinstance(row.parent, Own))
        )
