"""One SQL statement being built over one collection: its joins, its parameters, its conditions."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from projects.context import Engine
from projects.rules import sort as sorting
from projects.rules.ast import FLIPPED, Comparison, Operator, fold
from projects.rules.compare import Comparer, SqlColumn
from projects.rules.engines import EngineSql, Sql
from projects.rules.errors import RuleError
from projects.rules.gates import Gate, gate_of
from projects.rules.inputs import Input, Read
from projects.rules.parse import Parsed, parse_rule, reparsed
from projects.rules.postgresql_sql import PostgresqlSql
from projects.rules.resolve import (
    MULTIPLE_TYPES,
    Changed,
    Column,
    Hop,
    Meaning,
    Resolver,
    Start,
    is_email_of_account,
    is_many,
    kind_of,
)
from projects.rules.sources import from_element, source_of, view_order
from projects.rules.sql import Fragment, Name, Ref, conjunction, disjunction
from projects.rules.sqlite_sql import SqliteSql
from projects.rules.statement import Statement, render
from projects.schema.collection import CollectionSchema, ProjectSchema

_ENGINES: dict[Engine, EngineSql] = {"sqlite": SqliteSql(), "postgresql": PostgresqlSql()}


class Scope:
    """See the package's docstring for its use. One thread builds it; the Statement that it renders is for all."""

    def __init__(
        self, schema: ProjectSchema, collection: CollectionSchema, engine: Engine, alias: str = "r"
    ) -> None:
        self.schema = schema
        self.collection = collection
        self.engine: Engine = engine
        self.alias = alias
        # Collections whose rows the result depends on, and the names of request values and macros.
        self.tables: set[str] = {collection.id}
        self.reads: set[str] = set()
        self._sql = _ENGINES[engine]
        self._compare = Comparer(self._sql, self._parameter)
        self._readers: dict[str, Read] = {}
        self._joins: dict[tuple[str, str], tuple[str, CollectionSchema]] = {}
        self._guards: dict[str, Sql] = {}
        self._names = 0

    def rule(self, parsed: Parsed) -> sa.ColumnElement[bool]:
        """The condition of a trusted rule. Raises RuleError."""
        return self._condition(parsed, Resolver(self.schema, self.collection, parsed.constants), self.alias)

    def filter(self, parsed: Parsed, *, superuser: bool) -> sa.ColumnElement[bool]:
        """The condition of a client's filter. Raises RuleError, RuleForbidden.

        A path through a relation leaves only rows whose related record the client may list: that condition belongs
        to the whole statement, and ``render`` adds it.
        """
        resolver = Resolver(self.schema, self.collection, None, guarded=not superuser)
        try:
            resolver.check_names(parsed.ast)
            return self._condition(parsed, resolver, self.alias)
        except RuleError:
            exact = reparsed(parsed)
            resolver.check_names(exact.ast)
            self._condition(exact, resolver, self.alias)
            raise

    def sort(self, text: str, *, superuser: bool) -> list[sa.ColumnElement[Any]]:
        """ORDER BY for a client's ``sort`` (``-created,author.name``). Raises RuleError, RuleForbidden."""
        resolver = Resolver(self.schema, self.collection, None, guarded=not superuser)
        order: list[sa.ColumnElement[Any]] = []
        for key in sorting.parse_sort(text):
            order += self._sort_key(key, resolver)
        return order

    def default_order(self) -> list[sa.ColumnElement[Any]]:
        """ORDER BY where no sort is asked for: as the records were made, or as a view's query has it."""
        if not self.collection.is_view:
            return [self._sql.in_order(self._sql.row_order(self.alias), descending=False, nullable=False)]
        order = view_order(self.schema, self.collection, self.engine, self.alias)
        return [self._sql.in_order(column, descending, nullable=True) for column, descending in order]

    def columns(self, *names: str) -> list[sa.ColumnElement[Any]]:
        """The record's columns by field name, to select or to compare."""
        return [Ref(self.alias, name) for name in names]

    def from_clause(self, source: sa.FromClause | None = None) -> sa.FromClause:
        """The collection's table (or ``source``, already named ``alias``) with the joins made so far."""
        clause = source
        if clause is None:
            clause = from_element(self.schema, self.collection, self.engine, self.alias)
        for (parent, relation), (alias, target) in self._joins.items():
            on = Fragment(Ref(alias, "id"), " = ", Ref(parent, relation))
            clause = clause.outerjoin(from_element(self.schema, target, self.engine, alias), on)
        return clause

    def render(self, query: sa.Select[Any]) -> Statement:
        """The statement's text and parameters, with the conditions that guard related records."""
        return render(query.where(*self._guards.values()), self.engine, self._readers)

    # -- conditions

    def _condition(self, parsed: Parsed, resolver: Resolver, alias: str) -> Sql:
        result = fold(parsed.ast, lambda leaf: self._comparison(leaf, resolver, alias), self._join_conditions)
        return self._closed(result)

    def _join_conditions(self, operator: str, items: list[Gate | Sql]) -> Gate | Sql:
        """Parts that do not read the record are decided in Python, together, before the database is asked."""
        gates = [item for item in items if isinstance(item, Gate)]
        conditions = [item for item in items if not isinstance(item, Gate)]
        if gates:
            gate = Gate.joined(operator, gates)
            if not conditions:
                return gate
            conditions.insert(0, self._closed(gate))
        return conjunction(conditions) if operator == "and" else disjunction(conditions)

    def _closed(self, item: Gate | Sql) -> Sql:
        if isinstance(item, Gate):
            to_sql, test = self._sql.bool_value, item.test
            return self._parameter(lambda inputs: to_sql(test(inputs)))
        return item

    def _comparison(self, leaf: Comparison, resolver: Resolver, alias: str) -> Gate | Sql:
        left, right = resolver.sides(leaf)
        for meaning in (left, right):
            self._note_reads(meaning)
        if isinstance(left, Input) and isinstance(right, Input):
            return gate_of(left, leaf.operator, right, leaf.at_least_one)
        conditions = [self._with_columns(left, leaf, right, alias)]
        if resolver.guarded:
            for meaning in (left, right):
                if isinstance(meaning, Column):
                    self._guard(meaning, alias)
                    conditions += self._visible_email(meaning, alias)
        return conjunction(conditions)

    def _with_columns(self, left: Meaning, leaf: Comparison, right: Meaning, alias: str) -> Sql:
        many = [m for m in (left, right) if is_many(m)]
        if not many:
            return self._plain(left, leaf.operator, right, alias)
        if len(many) > 1:
            raise RuleError("many values on both sides are not supported yet", leaf.position)
        (values,) = many
        name = self._name("e")
        if isinstance(values, Input):
            read = values.read
            source = self._sql.bound_list(lambda convert: self._parameter(lambda i: convert(read(i))))
        else:
            assert isinstance(values, Column)
            source = self._base(values, alias).sql
        rows, element = self._sql.elements(source, name)
        each = SqlColumn(element, "text", nullable=True)
        first, second = (each if m is values else self._operand(m, alias) for m in (left, right))
        condition = self._pair(first, leaf.operator, second)
        if leaf.at_least_one:
            return Fragment("EXISTS (SELECT 1 FROM ", rows, " WHERE ", condition, ")")
        return Fragment("NOT EXISTS (SELECT 1 FROM ", rows, " WHERE (", condition, ") IS NOT TRUE)")

    def _plain(self, left: Meaning, sign: Operator, right: Meaning, alias: str) -> Sql:
        return self._pair(self._operand(left, alias), sign, self._operand(right, alias))

    def _pair(self, left: Input | SqlColumn, sign: Operator, right: Input | SqlColumn) -> Sql:
        if isinstance(left, SqlColumn):
            if isinstance(right, SqlColumn):
                return self._compare.with_column(left, sign, right)
            return self._compare.with_input(left, sign, right)
        assert isinstance(right, SqlColumn)
        if sign in ("~", "!~"):
            return self._compare.input_contains(left, right, negated=sign == "!~")
        return self._compare.with_input(right, FLIPPED[sign], left)

    # -- operands

    def _operand(self, meaning: Meaning, alias: str) -> Input | SqlColumn:
        if isinstance(meaning, Input):
            return meaning
        if isinstance(meaning, Changed):
            return self._changed(meaning, alias)
        column = self._base(meaning, alias)
        if meaning.modifier == "lower":
            return SqlColumn(self._sql.lower(self._compare.text(column)), "text", column.nullable)
        if meaning.modifier == "length":
            return self._length(meaning, column)
        return column

    def _length(self, meaning: Column, column: SqlColumn) -> SqlColumn:
        if column.kind == "list":
            return SqlColumn(self._sql.list_length(column.sql), "number", column.nullable)
        if meaning.field.type in MULTIPLE_TYPES:
            one = Fragment("(CASE WHEN ", column.sql, " = '' THEN 0 WHEN ", column.sql, " != '' THEN 1 END)")
            return SqlColumn(one, "number", column.nullable)
        return SqlColumn(Fragment("CAST(NULL AS INTEGER)"), "number", nullable=True)

    def _changed(self, meaning: Changed, alias: str) -> SqlColumn:
        differs = self._compare.with_input(self._base(meaning.column, alias), "!=", meaning.value)
        is_set = self._closed(Gate(lambda inputs: bool(meaning.is_set.read(inputs))))
        return SqlColumn(
            Fragment("(CASE WHEN ", is_set, " AND ", differs, " THEN 1 ELSE 0 END)"), "number", nullable=False
        )

    def _base(self, column: Column, alias: str) -> SqlColumn:
        if column.start is not None:
            return self._started(column, column.start)
        for hop in column.hops:
            alias = self._joined(alias, hop)
        return self._stored(Ref(alias, column.field.name), column, nullable=bool(column.hops))

    def _stored(self, sql: Sql, column: Column, nullable: bool) -> SqlColumn:
        kind = kind_of(column.field)
        if kind == "json":
            return SqlColumn(self._sql.json_at(sql, column.json_path), "json", nullable=True)
        return SqlColumn(sql, kind, nullable or getattr(column.field, "nullable", False))

    def _started(self, column: Column, start: Start) -> SqlColumn:
        """A value of a record that the request names: the same for every row, so a subquery that runs once."""
        alias = first = self._name("s")
        parts: list[str | sa.ClauseElement] = [
            " FROM ",
            source_of(self.schema, start.collection, self.engine),
            " AS ",
            Name(first),
        ]
        self.tables.add(start.collection.id)
        for hop in column.hops:
            parent, alias = alias, self._name("s")
            self.tables.add(hop.target.id)
            parts += [" JOIN ", source_of(self.schema, hop.target, self.engine), " AS ", Name(alias), " ON "]
            parts += [Ref(alias, "id"), " = ", Ref(parent, hop.field.name)]
        read = start.id.read
        parts += [" WHERE ", Ref(first, "id"), " = ", self._parameter(read), ")"]
        value = Fragment("(SELECT ", Ref(alias, column.field.name), *parts)
        return self._stored(value, column, nullable=True)

    def _joined(self, alias: str, hop: Hop) -> str:
        key = (alias, hop.field.name)
        if key not in self._joins:
            self._joins[key] = (self._name("j"), hop.target)
            self.tables.add(hop.target.id)
        return self._joins[key][0]

    # -- what a client may not see

    def _guard(self, column: Column, alias: str) -> None:
        """A client reaches a related record only if its collection's list rule lets it list that record."""
        for hop in column.hops:
            alias = self._joined(alias, hop)
            if hop.target.list_rule and alias not in self._guards:
                rule = parse_rule(hop.target.list_rule)
                resolver = Resolver(self.schema, hop.target, rule.constants)
                allowed = self._condition(rule, resolver, alias)
                self._guards[alias] = disjunction([Fragment(Ref(alias, "id"), " IS NULL"), allowed])

    def _visible_email(self, column: Column, alias: str) -> list[Sql]:
        """A client finds an account by its e-mail only if the account shows it."""
        if not is_email_of_account(column):
            return []
        for hop in column.hops:
            alias = self._joined(alias, hop)
        return [Fragment(Ref(alias, "emailVisibility"), f" = {self._sql.true}")]

    # -- order

    def _sort_key(self, key: sorting.SortKey, resolver: Resolver) -> list[sa.ColumnElement[Any]]:
        if key.identifier is None:
            if key.special == "@random":
                return [Fragment("random()")]
            if self.collection.is_view:
                raise RuleError(f'invalid sort field "{key.special}"', 0)
            return [self._sql.in_order(self._sql.row_order(self.alias), key.descending, nullable=False)]
        resolver.check_name(key.identifier)
        meaning = resolver.operand(key.identifier, "sort field")
        if not isinstance(meaning, Column) or is_many(meaning):
            raise RuleError(f'invalid sort field "{key.identifier.text}"', key.identifier.position)
        if resolver.guarded:
            self._guard(meaning, self.alias)
        column = self._operand(meaning, self.alias)
        assert isinstance(column, SqlColumn)
        parts = [column.sql]
        if column.kind == "json":
            parts = self._sql.json_order(column.sql)
        elif column.kind == "list":
            parts = [self._sql.list_text(column.sql)]
        return [self._sql.in_order(part, key.descending, column.nullable) for part in parts]

    # -- names

    def _parameter(self, read: Read) -> Sql:
        name = self._name("p")
        self._readers[name] = read
        return sa.bindparam(name, type_=sa.types.NullType())

    def _name(self, kind: Literal["e", "j", "p", "s"]) -> str:
        self._names += 1
        return f"_{kind}{self._names}"

    def _note_reads(self, meaning: Meaning) -> None:
        if isinstance(meaning, Input):
            self.reads |= meaning.reads
        elif isinstance(meaning, Changed):
            self.reads |= meaning.value.reads
        elif meaning.start is not None:
            self.reads |= meaning.start.id.reads
