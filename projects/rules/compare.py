"""Comparisons as SQL: one function for a column beside an input, one for two columns.

The result of each is true, false or null, where null counts as false. What the kinds of columns do with values of
another class is described in values.py; predicate.py does the same in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from projects.rules.ast import FLIPPED, Operator
from projects.rules.engines import Bind, EngineSql, Sql
from projects.rules.inputs import NO_INPUTS, Input, Read
from projects.rules.paths import ColumnKind
from projects.rules.patterns import date_pattern, sql_pattern
from projects.rules.sql import Fragment, conjunction, disjunction
from projects.rules.values import Plain, as_date_operand, as_number_operand, as_text, as_text_operand


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """A column, or what is made of one, and how it compares. ``computed``: a function's text, which is in order with
    numbers as it is (after them all), where a column's would turn them into texts."""

    sql: Sql
    kind: ColumnKind
    nullable: bool
    computed: bool = False


Parameter = Callable[[Read], Sql]


class Comparer:
    """``parameter`` makes a bind parameter whose value the given function computes at each run."""

    def __init__(self, engine: EngineSql, parameter: Parameter) -> None:
        self.engine = engine
        self.parameter = parameter
        self.true = Fragment(engine.true)
        self.false = Fragment(engine.false)

    def with_input(self, column: SqlColumn, sign: Operator, given: Input) -> Sql:
        """``column sign given``"""
        if sign in ("~", "!~"):
            return self._like(column, given, negated=sign == "!~")
        bind = self._binder(given)
        if column.computed and sign not in ("=", "!="):
            return self.engine.json_with_input(self.engine.text_as_json(column.sql), sign, bind)
        if column.kind == "json":
            return self.engine.json_with_input(column.sql, sign, bind)
        if column.kind == "list":
            if sign in ("=", "!="):
                return self.engine.list_with_input(column.sql, bind, negated=sign == "!=")
            column = self._text_of_list(column)
        if given.constant == "null" and sign not in ("=", "!="):
            return self.false
        if column.kind == "number":
            return self._number(column, sign, given)
        if column.kind == "bool":
            return self._bool(column, sign, given)
        return self._text(column, sign, given)

    def with_column(self, left: SqlColumn, sign: Operator, right: SqlColumn) -> Sql:
        """``left sign right``"""
        if sign in ("~", "!~"):
            return self.engine.contains(self.text(left), self.text(right), negated=sign == "!~")
        if left.kind == "list" and right.kind == "list" and sign in ("=", "!="):
            distinct = self.engine.distinct if sign == "!=" else self.engine.not_distinct
            return distinct(left.sql, right.sql)
        left, right = self._basic(left), self._basic(right)
        if left.kind == "json" and right.kind == "json":
            return self.engine.json_with_json(left.sql, sign, right.sql)
        if left.kind == "json":
            return self._json_with_column(left, sign, right)
        if right.kind == "json":
            return self._json_with_column(right, FLIPPED[sign], left)
        if left.kind != right.kind:
            return self._of_two_classes(left, sign, right)
        if sign not in ("=", "!=") or not (left.nullable or right.nullable):
            return Fragment(left.sql, f" {sign} ", right.sql)
        if left.kind == "text":
            return Fragment(self._filled(left), f" {sign} ", self._filled(right))
        distinct = self.engine.distinct if sign == "!=" else self.engine.not_distinct
        return distinct(left.sql, right.sql)

    def input_contains(self, given: Input, column: SqlColumn, negated: bool) -> Sql:
        """``given ~ column``"""
        text = Fragment("CAST(", self._binder(given)(as_text), " AS TEXT)")
        return self.engine.contains(text, self.text(column), negated)

    def text(self, column: SqlColumn) -> Sql:
        """The column's text, as ``~`` and ``:lower`` see it."""
        if column.kind == "number":
            return self.engine.number_text(column.sql)
        if column.kind == "bool":
            return self.engine.number_text(self.engine.bool_number(column.sql))
        if column.kind == "json":
            return self.engine.json_text(column.sql)
        if column.kind == "list":
            return self.engine.list_text(column.sql)
        return column.sql

    def _binder(self, given: Input) -> Bind:
        read = given.read
        if given.is_fixed:

            def bind_fixed(convert: Callable[[Any], Any]) -> Sql:
                kept = convert(read(NO_INPUTS))
                return self.parameter(lambda _inputs: kept)

            return bind_fixed
        return lambda convert: self.parameter(lambda inputs: convert(read(inputs)))

    def _like(self, column: SqlColumn, given: Input, negated: bool) -> Sql:
        if given.constant == "null":
            return self.false
        is_date = column.kind == "date"

        def pattern(value: Plain) -> str | None:
            text = as_text(value)
            if text is None:
                return None
            return sql_pattern(date_pattern(text) if is_date else text)

        return self.engine.like(self.text(column), self._binder(given)(pattern), negated)

    def _text(self, column: SqlColumn, sign: Operator, given: Input) -> Sql:
        sql, nullable = column.sql, column.nullable
        convert = as_date_operand if column.kind == "date" else as_text_operand
        bind = self._binder(given)
        if sign not in ("=", "!="):
            return Fragment(sql, f" {sign} ", bind(convert))
        if given.constant in ("null", "empty"):
            if sign == "=" and nullable:
                return disjunction([Fragment(sql, " IS NULL"), Fragment(sql, " = ''")])
            if nullable:
                # False of nothing, not unknown: what "all" counts as one that differs.
                return conjunction([Fragment(sql, " IS NOT NULL"), Fragment(sql, " != ''")])
            return Fragment(sql, f" {sign} ''")
        parameter = bind(lambda value: convert(value) or "")
        if given.constant is None:
            return Fragment(self._filled(column), f" {sign} ", parameter)
        if sign == "!=" and nullable:
            return self.engine.distinct(sql, parameter)
        return Fragment(sql, f" {sign} ", parameter)

    def _number(self, column: SqlColumn, sign: Operator, given: Input) -> Sql:
        sql, bind = column.sql, self._binder(given)
        if sign not in ("=", "!="):
            return Fragment(sql, f" {sign} ", bind(self._as_number))
        if given.constant in ("null", "empty"):
            return self._null_test(column, sign)
        # For "=" the empty text is no value, like null.
        parameter = bind(lambda value: self._as_number(None if value == "" else value))
        unknown = given.constant is None
        if sign == "!=":
            if unknown or column.nullable:
                return self.engine.distinct(sql, parameter)
            return Fragment(sql, " != ", parameter)
        if unknown and column.nullable:
            return self.engine.not_distinct(sql, parameter)
        return Fragment(sql, " = ", parameter)

    def _bool(self, column: SqlColumn, sign: Operator, given: Input) -> Sql:
        if sign in ("=", "!="):
            if given.constant in ("null", "empty"):
                return self._null_test(column, sign)
            if given.constant in ("true", "false"):
                literal = self.true if given.constant == "true" else self.false
                if sign == "!=" and column.nullable:
                    return self.engine.distinct(column.sql, literal)
                return Fragment(column.sql, f" {sign} ", literal)
            if not column.nullable:
                parameter = self._binder(given)(self._as_bool)
                if sign == "=":
                    return Fragment(column.sql, " = ", parameter)
                return self.engine.distinct(column.sql, parameter)
        return self._number(self._basic(column), sign, given)

    def _null_test(self, column: SqlColumn, sign: Operator) -> Sql:
        if column.nullable:
            return Fragment(column.sql, " IS NULL" if sign == "=" else " IS NOT NULL")
        return self.false if sign == "=" else self.true

    def _as_number(self, value: Plain) -> int | float | None:
        number = as_number_operand(value)
        return None if number is None else self.engine.number(number)

    def _as_bool(self, value: Plain) -> bool | int | None:
        """The boolean that a value stands for; null for all that none can equal."""
        number = None if value == "" else as_number_operand(value)
        return self.engine.bool_value(bool(number)) if number in (0, 1) else None

    def _filled(self, column: SqlColumn) -> Sql:
        return Fragment("COALESCE(", column.sql, ", '')") if column.nullable else column.sql

    def _text_of_list(self, column: SqlColumn) -> SqlColumn:
        return replace(column, sql=self.engine.list_text(column.sql), kind="text")

    def _basic(self, column: SqlColumn) -> SqlColumn:
        """The column as one of text, number and json."""
        if column.kind == "list":
            return self._text_of_list(column)
        if column.kind == "bool":
            return replace(column, sql=self.engine.bool_number(column.sql), kind="number")
        return replace(column, kind="text") if column.kind == "date" else column

    def _json_with_column(self, value: SqlColumn, sign: Operator, other: SqlColumn) -> Sql:
        kind: Literal["text", "number"] = "text" if other.kind == "text" else "number"
        return self.engine.json_with_column(value.sql, sign, other.sql, kind)

    def _of_two_classes(self, left: SqlColumn, sign: Operator, right: SqlColumn) -> Sql:
        """A text column and a number column: never equal, and the number is less; but null is ``""``."""
        number, text = (left, right) if left.kind == "number" else (right, left)
        if sign in ("=", "!="):
            if not number.nullable:
                return self.false if sign == "=" else self.true
            equal = Fragment("(", number.sql, " IS NULL AND ", self._filled(text), " = '')")
            return equal if sign == "=" else Fragment("NOT ", equal)
        if (sign in ("<", "<=")) != (left is number):
            return self.false
        known: list[Any] = [column.sql for column in (left, right) if column.nullable]
        if not known:
            return self.true
        return Fragment(
            "(",
            known[0],
            " IS NOT NULL",
            *(p for sql in known[1:] for p in (" AND ", sql, " IS NOT NULL")),
            ")",
        )
