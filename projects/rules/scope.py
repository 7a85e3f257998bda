"""One SQL statement being built over one collection: its joins, its parameters, its conditions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from projects.context import Engine
from projects.rules import sort as sorting
from projects.rules.conditions import Conditions
from projects.rules.engines import Sql
from projects.rules.errors import RuleError
from projects.rules.formula import (
    Formula,
    Listed,
    formula_of,
    guarded_rows,
    guarded_rows_of,
    joined,
    own_variables,
    quantified,
    readable,
    reads_in,
)
from projects.rules.frames import Frame, RecordSource, Standing
from projects.rules.ordering import first_sort_keys, sort_keys
from projects.rules.parse import Parsed, parse_rule, reparsed
from projects.rules.paths import (
    Column,
    Element,
    Given,
    Item,
    Row,
    chain,
    is_relation,
    is_variable,
    ruled_fields,
)
from projects.rules.resolve import Resolver
from projects.rules.sources import from_element, view_order
from projects.rules.sql import Fragment, Ref
from projects.rules.statement import Statement, render
from projects.rules.writer import Writer
from projects.schema.collection import CollectionSchema, ProjectSchema


class Scope:
    """See the package's docstring for its use. One thread builds it; the Statement that it renders is for all.

    ``stored``: the records asked about are rows of the collection's table, not of literals; ``searching``: the
    statement goes through the whole collection, so that a condition had better lead to the records than be tried on
    each; ``signed_in``: the statement is for those who are.
    """

    def __init__(
        self,
        schema: ProjectSchema,
        collection: CollectionSchema,
        engine: Engine,
        alias: str = "r",
        *,
        stored: bool = True,
        searching: bool = False,
        signed_in: bool = False,
    ) -> None:
        self.schema = schema
        self.collection = collection
        self.engine: Engine = engine
        self.alias = alias
        # The names of request values and macros.
        self.reads: set[str] = set()
        self._searching = searching
        self._signed_in = signed_in
        self._writer = Writer(schema, engine, stored=stored)
        self._writer.tables.add(collection.id)
        self._frame = Frame()
        self._frame.rows[()] = Standing(self._frame, Ref(alias, "id"), alias, inner=True)
        self._guards: dict[tuple[str, ...], Sql] = {}

    @property
    def tables(self) -> set[str]:
        """Ids of the collections whose rows the result depends on."""
        return self._writer.tables

    def rule(self, parsed: Parsed) -> sa.ColumnElement[bool]:
        """The condition of a trusted rule. Raises RuleError."""
        resolver = Resolver(self.schema, self.collection, parsed.constants, signed_in=self._signed_in)
        return self._condition(self._formula(parsed, resolver), guarded=False)

    def filter(self, parsed: Parsed, *, superuser: bool) -> sa.ColumnElement[bool]:
        """The condition of a client's filter. Raises RuleError, RuleForbidden.

        A path through a relation leaves only rows whose related record the client may list: that condition belongs
        to the whole statement, and ``render`` adds it.
        """
        resolver = Resolver(self.schema, self.collection, None, guarded=not superuser)
        try:
            resolver.check_names(parsed.ast)
            formula = self._formula(parsed, resolver)
        except RuleError:
            exact = reparsed(parsed)
            resolver.check_names(exact.ast)
            self._formula(exact, resolver)
            raise
        if resolver.guarded:
            formula = self._guarded(formula)
        return self._condition(formula, guarded=resolver.guarded)

    def sort(self, text: str, *, superuser: bool) -> list[sa.ColumnElement[Any]]:
        """ORDER BY for a client's ``sort`` (``-created,author.name``). Raises RuleError, RuleForbidden.

        Of many values the first decides: a list's own first, or the record that was made first.
        """
        resolver = Resolver(self.schema, self.collection, None, guarded=not superuser)
        order: list[sa.ColumnElement[Any]] = []
        for key in sorting.parse_sort(text):
            order += self._sort_key(key, resolver)
        return order

    def default_order(self) -> list[sa.ColumnElement[Any]]:
        """ORDER BY where no sort is asked for: as the records were made, or as a view's query has it."""
        engine = self._writer.sql
        if not self.collection.is_view:
            return [engine.in_order(engine.row_order(self.alias), descending=False, nullable=False)]
        return [
            engine.in_order(Ref(self.alias, one.column), one.descending, one.nullable)
            for one in view_order(self.schema, self.collection, self.engine)
        ]

    def columns(self, *names: str) -> list[sa.ColumnElement[Any]]:
        """The record's columns by field name, to select or to compare."""
        return [Ref(self.alias, name) for name in names]

    def from_clause(self, source: sa.FromClause | None = None) -> sa.FromClause:
        """The collection's table (or ``source``, already named ``alias``) with the joins made so far."""
        clause = source
        if clause is None:
            clause = from_element(self.schema, self.collection, self.engine, self.alias)
        for join in self._frame.joins:
            assert isinstance(join.source, RecordSource)
            assert join.on is not None
            element = from_element(self.schema, join.source.collection, self.engine, join.source.alias)
            clause = clause.outerjoin(element, join.on)
        return clause

    def render(self, query: sa.Select[Any]) -> Statement:
        """The statement's text and parameters, with the conditions that guard related records."""
        return render(query.where(*self._guards.values()), self.engine, self._writer.readers)

    # -- conditions

    def _formula(self, parsed: Parsed, resolver: Resolver) -> Formula:
        formula = formula_of(parsed.ast, resolver, lists_decide=_is_plain_list)
        self.reads |= reads_in(formula)
        return formula

    def _conditions(self, *, guarded: bool, searching: bool = False) -> Conditions:
        return Conditions(self._writer, self.engine, self._rule_over, searching=searching, guarded=guarded)

    def _condition(self, formula: Formula, *, guarded: bool) -> Sql:
        conditions = self._conditions(guarded=guarded, searching=self._searching)
        return conditions.sql(quantified(formula), self._frame)

    def _rule_over(self, collection: CollectionSchema, text: str, frame: Frame) -> Sql:
        rule = parse_rule(text)
        formula = self._formula(
            rule, Resolver(self.schema, collection, rule.constants, signed_in=self._signed_in)
        )
        return self._conditions(guarded=False).sql(quantified(formula), frame)

    def _guarded(self, formula: Formula) -> Formula:
        """The formula, where a client reaches a related record only if it may list it."""
        listed: list[Formula] = []
        for row in guarded_rows(formula).values():
            if several := own_variables(row):
                listed.append(Listed(row, several))
            else:
                self._guard(row)
        return joined("and", [formula, *listed])

    def _guard(self, row: Row) -> None:
        if row.key not in self._guards:
            self._guards[row.key] = self._conditions(guarded=True).listed(row, self._frame)

    # -- order

    def _sort_key(self, key: sorting.SortKey, resolver: Resolver) -> list[Sql]:
        engine = self._writer.sql
        if key.identifier is None:
            if key.special == "@random":
                return [Fragment("random()")]
            if self.collection.is_view:
                raise RuleError(f'invalid sort field "{key.special}"', 0)
            return [engine.in_order(engine.row_order(self.alias), key.descending, nullable=False)]
        resolver.check_name(key.identifier)
        meaning = resolver.operand(key.identifier, "sort field")
        if not isinstance(meaning, Column | Element):
            raise RuleError(f'invalid sort field "{key.identifier.text}"', key.identifier.position)
        listed: list[Formula] = []
        for row in guarded_rows_of(meaning) if resolver.guarded else []:
            if several := own_variables(row):
                listed.append(Listed(row, several))
            else:
                self._guard(row)
        ruled = readable(ruled_fields(meaning)) if resolver.guarded else []
        variables = list(own_variables(meaning.row).values())
        conditions = self._conditions(guarded=True)
        if not variables:
            shown = [conditions.readable(one, self._frame) for one in ruled]
            return sort_keys(self._writer, meaning, self._frame, key.descending, shown)
        if listed:
            self._guards["sort", *meaning.row.key] = self._condition(joined("and", listed), guarded=True)
        return first_sort_keys(
            self._writer,
            meaning,
            variables,
            self._frame,
            key.descending,
            lambda frame: [
                *(conditions.listed(item.row, frame) for item in listed if isinstance(item, Listed)),
                *(conditions.readable(one, frame) for one in ruled),
            ],
        )


def _is_plain_list(row: Row) -> bool:
    """Whether a list's values stand in the request or in a column of the record, none of them null."""
    if isinstance(row, Given):
        return True
    return (
        isinstance(row, Item) and not is_relation(row.field) and not any(map(is_variable, chain(row.parent)))
    )
