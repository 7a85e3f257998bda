"""SQLite's side of engines.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from projects.rules.ast import Operator
from projects.rules.engines import Bind, EngineSql, Sql, json_path, texts_json
from projects.rules.sql import Fragment, Name, Order, Ref
from projects.rules.values import as_json_operand, as_list_operand

_NULL_SAFE: dict[str, str] = {"=": " IS ", "!=": " IS NOT "}


class SqliteSql(EngineSql):
    # JSON values compare by themselves: SQLite's own order of classes is the language's. Columns have an affinity
    # that would turn "5" into 5 and back beside them; an expression of the column has none.
    true, false = "1", "0"
    has_own_functions = True

    def distinct(self, left: Sql, right: Sql) -> Sql:
        return Fragment(left, " IS NOT ", right)

    def not_distinct(self, left: Sql, right: Sql) -> Sql:
        return Fragment(left, " IS ", right)

    def like(self, text: Sql, pattern: Sql, negated: bool) -> Sql:
        return Fragment(text, " NOT LIKE " if negated else " LIKE ", pattern, " ESCAPE '\\'")

    def contains(self, text: Sql, part: Sql, negated: bool) -> Sql:
        return Fragment("instr(lower(", text, "), lower(", part, ")) ", "= 0" if negated else "> 0")

    def lower(self, text: Sql) -> Sql:
        return Fragment("lower(", text, ")")

    def number(self, value: int | float) -> int | float:
        return value

    def number_text(self, number: Sql) -> Sql:
        return Fragment("CAST(", number, " AS TEXT)")

    def bool_number(self, value: Sql) -> Sql:
        return value

    def bool_value(self, value: bool) -> bool | int:
        return int(value)

    def json_at(self, column: Sql, path: tuple[str, ...]) -> Sql:
        return Fragment("json_extract(", column, f", '{json_path(path)}')")

    def json_text(self, value: Sql) -> Sql:
        return Fragment("CAST(", value, " AS TEXT)")

    def json_with_input(self, value: Sql, sign: Operator, bind: Bind) -> Sql:
        return Fragment(value, _NULL_SAFE.get(sign, f" {sign} "), bind(as_json_operand))

    def json_with_column(
        self, value: Sql, sign: Operator, other: Sql, kind: Literal["text", "number"]
    ) -> Sql:
        bare = Fragment("(", other, " || '')") if kind == "text" else Fragment("(", other, " + 0)")
        return self.json_with_json(value, sign, bare)

    def json_with_json(self, value: Sql, sign: Operator, other: Sql) -> Sql:
        return Fragment(value, _NULL_SAFE.get(sign, f" {sign} "), other)

    def json_order(self, value: Sql) -> list[Sql]:
        return [value]

    def list_text(self, value: Sql) -> Sql:
        return value

    def list_length(self, value: Sql) -> Sql:
        return Fragment("json_array_length(", value, ")")

    def list_with_input(self, value: Sql, bind: Bind, negated: bool) -> Sql:
        return Fragment(value, " IS NOT " if negated else " IS ", bind(as_list_operand))

    def list_holds(self, values: Sql, text: Sql) -> Sql:
        return Fragment(text, " IN (SELECT value FROM json_each(", values, "))")

    def elements(self, values: Sql, alias: str) -> tuple[Sql, Sql]:
        return Fragment("json_each(", values, ") AS ", Name(alias)), Ref(alias, "value")

    def bound_list(self, bind: Bind) -> Sql:
        return bind(texts_json)

    def real(self, number: Sql) -> Sql:
        return number

    def number_of_text(self, text: Sql) -> Sql:
        # The function reads numbers in texts by itself.
        return text

    def json_number(self, value: Sql) -> Sql:
        return value

    def text_as_json(self, text: Sql) -> Sql:
        return text

    def geo_distance(self, degrees: Sequence[Sql]) -> Sql:
        lon_a, lat_a, lon_b, lat_b = degrees
        return Fragment("_geo_distance(", lon_a, ", ", lat_a, ", ", lon_b, ", ", lat_b, ")")

    def in_order(self, key: Sql, descending: bool, nullable: bool) -> Order:
        return Order(key, descending, nullable)

    def row_order(self, alias: str) -> Sql:
        return Ref(alias, "rowid")
