"""What the two engines say differently, as pieces of SQL.

On both a JSON value is what the language sees: null, a number (``true`` is 1) or a text (an array or object is the
text of its JSON, in which PostgreSQL has its own order of an object's keys).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from projects.context import Engine
from projects.rules.ast import Operator
from projects.rules.inputs import list_index
from projects.rules.sql import Fragment, Name, Ref, disjunction
from projects.rules.values import Plain, as_json_operand, as_list_operand, as_text, json_text
from projects.schema.ddl import ROWID

Sql = sa.ColumnElement[Any]
# Makes a parameter of the value at hand, passed through the given function.
Bind = Callable[[Callable[[Any], Any]], Sql]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def for_engine(engine: Engine) -> EngineSql:
    return _SQLITE if engine == "sqlite" else _POSTGRESQL


class EngineSql(ABC):
    true: str
    false: str

    @abstractmethod
    def distinct(self, left: Sql, right: Sql) -> Sql:
        """``left`` and ``right`` differ, where null is a value like any other."""

    @abstractmethod
    def not_distinct(self, left: Sql, right: Sql) -> Sql: ...

    @abstractmethod
    def like(self, text: Sql, pattern: Sql, negated: bool) -> Sql:
        r"""LIKE with ``\`` as its escape, which folds the case of ASCII letters only."""

    @abstractmethod
    def contains(self, text: Sql, part: Sql, negated: bool) -> Sql:
        """Whether ``part`` is anywhere in ``text``, folding the case of ASCII letters only."""

    @abstractmethod
    def lower(self, text: Sql) -> Sql:
        """``text`` with its ASCII letters in lower case."""

    @abstractmethod
    def number(self, value: int | float) -> int | float:
        """A number as the driver should send it."""

    @abstractmethod
    def number_text(self, number: Sql) -> Sql: ...

    @abstractmethod
    def bool_number(self, value: Sql) -> Sql:
        """A boolean column as 0 or 1."""

    @abstractmethod
    def bool_value(self, value: bool) -> bool | int:
        """A boolean as the driver should send it."""

    @abstractmethod
    def json_at(self, column: Sql, path: tuple[str, ...]) -> Sql:
        """The value at ``path`` inside a JSON column."""

    @abstractmethod
    def json_text(self, value: Sql) -> Sql:
        """The text of a JSON value, for ``~``."""

    @abstractmethod
    def json_with_input(self, value: Sql, sign: Operator, bind: Bind) -> Sql:
        """A JSON value compared (not by ``~``) with one that is bound."""

    @abstractmethod
    def json_with_column(
        self, value: Sql, sign: Operator, other: Sql, kind: Literal["text", "number"]
    ) -> Sql:
        """A JSON value compared (not by ``~``) with another column's."""

    @abstractmethod
    def json_with_json(self, value: Sql, sign: Operator, other: Sql) -> Sql: ...

    @abstractmethod
    def json_order(self, value: Sql) -> list[Sql]:
        """What to sort by: null first, then numbers, then texts."""

    @abstractmethod
    def list_text(self, value: Sql) -> Sql:
        """The JSON text of a list of texts."""

    @abstractmethod
    def list_length(self, value: Sql) -> Sql: ...

    @abstractmethod
    def list_with_input(self, value: Sql, bind: Bind, negated: bool) -> Sql:
        """A list equal to a value that is bound: to a list, or to its JSON text."""

    @abstractmethod
    def elements(self, values: Sql, alias: str) -> tuple[Sql, Sql]:
        """For FROM: one row for each text in a JSON list, one of null for an empty one; and the text's name."""

    @abstractmethod
    def bound_list(self, bind: Bind) -> Sql:
        """A list that is bound, as ``elements`` takes it."""

    @abstractmethod
    def in_order(self, key: Sql, descending: bool, nullable: bool) -> Sql:
        """For ORDER BY: nulls are the least."""

    @abstractmethod
    def row_order(self, alias: str) -> Sql:
        """The order in which rows were made."""


def _texts(values: list[Plain]) -> str:
    return json_text([as_text(value) for value in values])


class _Sqlite(EngineSql):
    # JSON values compare by themselves: SQLite's own order of classes is the language's. Columns have an affinity
    # that would turn "5" into 5 and back beside them; an expression of the column has none.
    true, false = "1", "0"

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
        return Fragment("json_extract(", column, f", '{_json_path(path)}')")

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

    def elements(self, values: Sql, alias: str) -> tuple[Sql, Sql]:
        return (
            Fragment("(SELECT 1) LEFT JOIN json_each(", values, ") AS ", Name(alias), " ON 1"),
            Ref(alias, "value"),
        )

    def bound_list(self, bind: Bind) -> Sql:
        return bind(_texts)

    def in_order(self, key: Sql, descending: bool, nullable: bool) -> Sql:
        return Fragment(key, " DESC" if descending else " ASC")

    def row_order(self, alias: str) -> Sql:
        return Ref(alias, "rowid")


_NULL_SAFE: dict[str, str] = {"=": " IS ", "!=": " IS NOT "}


def _json_path(path: tuple[str, ...], quoted: bool = False) -> str:
    """Parts come from an identifier (letters, digits and ``_``), so none needs an escape."""
    text = "$"
    for part in path:
        index = list_index(part)
        if index is not None:
            text += f"[{index}]"
        else:
            text += f".{part}" if _PLAIN_KEY.fullmatch(part) and not quoted else f'."{part}"'
    return text


class _Postgresql(EngineSql):
    # A JSON value is taken apart into a number or a text. Texts that are not columns get the columns' collation.
    true, false = "TRUE", "FALSE"

    def distinct(self, left: Sql, right: Sql) -> Sql:
        return Fragment(left, " IS DISTINCT FROM ", right)

    def not_distinct(self, left: Sql, right: Sql) -> Sql:
        return Fragment(left, " IS NOT DISTINCT FROM ", right)

    def like(self, text: Sql, pattern: Sql, negated: bool) -> Sql:
        return Fragment(text, " NOT ILIKE " if negated else " ILIKE ", pattern)

    def contains(self, text: Sql, part: Sql, negated: bool) -> Sql:
        return Fragment(
            "position(", self.lower(part), " IN ", self.lower(text), ") ", "= 0" if negated else "> 0"
        )

    def lower(self, text: Sql) -> Sql:
        return Fragment("lower(CAST(", text, ' AS TEXT) COLLATE "C")')

    def number(self, value: int | float) -> int | float:
        return float(value)

    def number_text(self, number: Sql) -> Sql:
        # By way of numeric, which is written without an exponent.
        return Fragment("(CAST(CAST(CAST(", number, ' AS TEXT) AS NUMERIC) AS TEXT) COLLATE "C")')

    def bool_number(self, value: Sql) -> Sql:
        return Fragment("CAST(", value, " AS INTEGER)")

    def bool_value(self, value: bool) -> bool | int:
        return value

    def json_at(self, column: Sql, path: tuple[str, ...]) -> Sql:
        if not path:
            return column
        if any(part.isdecimal() for part in path):
            # "->" with a number takes a scalar for a list of one; a strict path does not, and is silent.
            return Fragment(
                "jsonb_path_query_first(",
                column,
                f", 'strict {_json_path(path, quoted=True)}', '{{}}', TRUE)",
            )
        return Fragment("(", column, *(f" -> '{part}'" for part in path), ")")

    def json_text(self, value: Sql) -> Sql:
        return Fragment(
            "(CASE jsonb_typeof(", value, ") WHEN 'null' THEN NULL WHEN 'boolean' THEN CASE ", value,
            " WHEN 'true' THEN '1' ELSE '0' END WHEN 'number' THEN ", value, " #>> '{}' WHEN 'string' THEN ",
            value, " #>> '{}' ELSE ", self._container_text(value), ' END COLLATE "C")',
        )  # fmt: skip

    def json_with_input(self, value: Sql, sign: Operator, bind: Bind) -> Sql:
        if sign in _NULL_SAFE:
            given = Fragment("CAST(", bind(_as_json), " AS JSONB)")
            value = self._normal(value)
            return self.not_distinct(value, given) if sign == "=" else self.distinct(value, given)
        number = Fragment("CAST(", bind(_number_or_none), " AS DOUBLE PRECISION)")
        text = Fragment("CAST(", bind(_text_or_none), " AS TEXT)")
        return self._ordered((self._number(value), self._text(value)), sign, (number, text))

    def json_with_column(
        self, value: Sql, sign: Operator, other: Sql, kind: Literal["text", "number"]
    ) -> Sql:
        number, text = self._number(value), self._text(value)
        if sign in _NULL_SAFE:
            mine = text if kind == "text" else number
            equal = Fragment(
                "COALESCE(", mine, " = ", other, " OR (", self._normal(value), " IS NULL AND ", other,
                " IS NULL), FALSE)",
            )  # fmt: skip
            return equal if sign == "=" else Fragment("NOT ", equal)
        if kind == "text":
            return self._ordered((number, text), sign, (None, other))
        return self._ordered((number, text), sign, (other, None))

    def json_with_json(self, value: Sql, sign: Operator, other: Sql) -> Sql:
        if sign in _NULL_SAFE:
            left, right = self._normal(value), self._normal(other)
            return self.not_distinct(left, right) if sign == "=" else self.distinct(left, right)
        return self._ordered(
            (self._number(value), self._text(value)), sign, (self._number(other), self._text(other))
        )

    def json_order(self, value: Sql) -> list[Sql]:
        number, text = self._number(value), self._text(value)
        rank = Fragment(
            "(CASE WHEN ", text, " IS NOT NULL THEN 2 WHEN ", number, " IS NOT NULL THEN 1 ELSE 0 END)"
        )
        return [rank, number, text]

    def list_text(self, value: Sql) -> Sql:
        # Without the space that jsonb puts between elements; inside one, a quote stands behind a backslash.
        return Fragment("(replace(CAST(", value, ' AS TEXT), \'", "\', \'","\') COLLATE "C")')

    def list_length(self, value: Sql) -> Sql:
        return Fragment("jsonb_array_length(", value, ")")

    def list_with_input(self, value: Sql, bind: Bind, negated: bool) -> Sql:
        given = Fragment("CAST(", bind(lambda item: _as_json(as_list_operand(item))), " AS JSONB)")
        return self.distinct(value, given) if negated else self.not_distinct(value, given)

    def elements(self, values: Sql, alias: str) -> tuple[Sql, Sql]:
        return (
            Fragment(
                "(SELECT 1) AS ", Name(f"{alias}_one"), " LEFT JOIN LATERAL jsonb_array_elements_text(", values,
                ") AS ", Name(alias), "(value) ON TRUE",
            ),
            Fragment("(", Ref(alias, "value"), ' COLLATE "C")'),
        )  # fmt: skip

    def bound_list(self, bind: Bind) -> Sql:
        return Fragment("CAST(", bind(_texts), " AS JSONB)")

    def in_order(self, key: Sql, descending: bool, nullable: bool) -> Sql:
        nulls = (" NULLS LAST" if descending else " NULLS FIRST") if nullable else ""
        return Fragment(key, " DESC" if descending else " ASC", nulls)

    def row_order(self, alias: str) -> Sql:
        return Ref(alias, ROWID)

    def _normal(self, value: Sql) -> Sql:
        return Fragment(
            "(CASE jsonb_typeof(", value, ") WHEN 'null' THEN NULL WHEN 'boolean' THEN CASE ", value,
            " WHEN 'true' THEN CAST('1' AS JSONB) ELSE '0' END ELSE ", value, " END)",
        )  # fmt: skip

    def _number(self, value: Sql) -> Sql:
        return Fragment(
            "(CASE jsonb_typeof(", value, ") WHEN 'number' THEN CAST(", value,
            " AS DOUBLE PRECISION) WHEN 'boolean' THEN CASE ", value, " WHEN 'true' THEN 1 ELSE 0 END END)",
        )  # fmt: skip

    def _text(self, value: Sql) -> Sql:
        return Fragment(
            "(CASE jsonb_typeof(", value, ") WHEN 'string' THEN ", value, " #>> '{}' WHEN 'array' THEN ",
            self._container_text(value), " WHEN 'object' THEN ", self._container_text(value),
            ' END COLLATE "C")',
        )  # fmt: skip

    def _container_text(self, value: Sql) -> Sql:
        # Without the spaces that jsonb puts behind "," and ":"; quoted texts are matched whole and kept.
        return Fragment(
            "regexp_replace(CAST(", value, r""" AS TEXT), '("(?:[^"\\]|\\.)*")|([,:]) ', '\1\2', 'g')"""
        )

    def _ordered(self, left: tuple[Sql, Sql], sign: Operator, right: tuple[Sql | None, Sql | None]) -> Sql:
        """Numbers with numbers, texts with texts, and every number before every text."""
        pairs: list[Sql] = [
            Fragment(mine, f" {sign} ", other)
            for mine, other in zip(left, right, strict=True)
            if other is not None
        ]
        number, text = (left[0], right[1]) if sign in ("<", "<=") else (right[0], left[1])
        if number is not None and text is not None:
            pairs.append(Fragment("(", number, " IS NOT NULL AND ", text, " IS NOT NULL)"))
        return disjunction(pairs)


def _as_json(value: Plain) -> str | None:
    """A bound value as JSON; a text that is the JSON of an array or object stands for that."""
    text = as_json_operand(value)
    if isinstance(text, str) and text[:1] in ("[", "{") and _is_json(text):
        return text
    return None if value is None else json_text(value)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _number_or_none(value: Plain) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _text_or_none(value: Plain) -> str | None:
    return value if isinstance(value, str) else None


_SQLITE, _POSTGRESQL = _Sqlite(), _Postgresql()
