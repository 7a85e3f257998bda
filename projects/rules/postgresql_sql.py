"""PostgreSQL's side of engines.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import orjson

from projects.geo import EARTH_RADIUS_KM
from projects.rules.ast import Operator
from projects.rules.engines import Bind, EngineSql, Sql, json_path, texts_json
from projects.rules.sql import Fragment, Name, Order, Ref, conjunction, disjunction
from projects.rules.values import Plain, as_json_operand, as_list_operand, json_text
from projects.schema.ddl import ROWID

# As projects.geo.coordinate reads texts.
_NUMBER_TEXT = r"^\s*[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})\s*$"


class PostgresqlSql(EngineSql):
    # A JSON value is taken apart into a number or a text. Texts that are not columns get the columns' collation.
    true, false = "TRUE", "FALSE"
    has_own_functions = False

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
                f", 'strict {json_path(path, quoted=True)}', '{{}}', TRUE)",
            )
        return Fragment("(", column, *(f" -> '{part}'" for part in path), ")")

    def json_text(self, value: Sql) -> Sql:
        return Fragment(
            "(CASE jsonb_typeof(", value, ") WHEN 'null' THEN NULL WHEN 'boolean' THEN CASE ", value,
            " WHEN 'true' THEN '1' ELSE '0' END WHEN 'number' THEN ", value, " #>> '{}' WHEN 'string' THEN ",
            value, " #>> '{}' ELSE ", self._container_text(value), ' END COLLATE "C")',
        )  # fmt: skip

    def json_with_input(self, value: Sql, sign: Operator, bind: Bind) -> Sql:
        if sign in ("=", "!="):
            given = Fragment("CAST(", bind(_as_json), " AS JSONB)")
            value = self._normal(value)
            return self.not_distinct(value, given) if sign == "=" else self.distinct(value, given)
        number = Fragment("CAST(", bind(_number_or_none), " AS DOUBLE PRECISION)")
        text = Fragment("CAST(", bind(_text_or_none), " AS TEXT)")
        given = Fragment("COALESCE(CAST(", number, " AS TEXT), ", text, ") IS NOT NULL")
        pair = (self._number(value), self._text(value))
        return self._ordered(pair, sign, (number, text), _is_known(value), given)

    def json_with_column(
        self, value: Sql, sign: Operator, other: Sql, kind: Literal["text", "number"]
    ) -> Sql:
        number, text = self._number(value), self._text(value)
        if sign in ("=", "!="):
            mine = text if kind == "text" else number
            equal = Fragment(
                "COALESCE(", mine, " = ", other, " OR (", self._normal(value), " IS NULL AND ", other,
                " IS NULL), FALSE)",
            )  # fmt: skip
            return equal if sign == "=" else Fragment("NOT ", equal)
        known = (_is_known(value), Fragment(other, " IS NOT NULL"))
        if kind == "text":
            return self._ordered((number, text), sign, (None, other), *known)
        return self._ordered((number, text), sign, (other, None), *known)

    def json_with_json(self, value: Sql, sign: Operator, other: Sql) -> Sql:
        if sign in ("=", "!="):
            left, right = self._normal(value), self._normal(other)
            return self.not_distinct(left, right) if sign == "=" else self.distinct(left, right)
        pairs = (self._number(value), self._text(value)), sign, (self._number(other), self._text(other))
        return self._ordered(*pairs, _is_known(value), _is_known(other))

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

    def list_holds(self, values: Sql, text: Sql) -> Sql:
        return Fragment(values, " @> to_jsonb(CAST(", text, " AS TEXT))")

    def elements(self, values: Sql, alias: str) -> tuple[Sql, Sql]:
        name = Name(alias)
        return (
            Fragment("jsonb_array_elements_text(", values, ") WITH ORDINALITY AS ", name, '(value, "key")'),
            Fragment("(", Ref(alias, "value"), ' COLLATE "C")'),
        )

    def bound_list(self, bind: Bind) -> Sql:
        return Fragment("CAST(", bind(texts_json), " AS JSONB)")

    def real(self, number: Sql) -> Sql:
        return Fragment("CAST(", number, " AS DOUBLE PRECISION)")

    def number_of_text(self, text: Sql) -> Sql:
        return Fragment(
            "(CASE WHEN ", text, rf" ~ '{_NUMBER_TEXT}' THEN CAST(", text, " AS DOUBLE PRECISION) END)"
        )

    def json_number(self, value: Sql) -> Sql:
        return Fragment("COALESCE(", self._number(value), ", ", self.number_of_text(self._text(value)), ")")

    def text_as_json(self, text: Sql) -> Sql:
        return Fragment("to_jsonb(CAST(", text, " AS TEXT))")

    def geo_distance(self, degrees: Sequence[Sql]) -> Sql:
        lon_a, lat_a, lon_b, lat_b = degrees
        # Inner queries give what is used twice a name; rounding may take the half a little above 1.
        half = "power(sin((y2 - y1) / 2), 2) + cos(y1) * cos(y2) * power(sin((x2 - x1) / 2), 2)"
        return Fragment(
            f"(SELECT {2 * EARTH_RADIUS_KM} * asin(sqrt(CASE WHEN half > 1 THEN 1 ELSE half END))",
            f" FROM (SELECT {half} AS half FROM (SELECT radians(", lon_a, ") AS x1, radians(", lat_a,
            ") AS y1, radians(", lon_b, ") AS x2, radians(", lat_b,
            ") AS y2 OFFSET 0) AS points OFFSET 0) AS halves)",
        )  # fmt: skip

    def in_order(self, key: Sql, descending: bool, nullable: bool) -> Order:
        nulls = (" NULLS LAST" if descending else " NULLS FIRST") if nullable else ""
        return Order(key, descending, nullable, nulls)

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

    def _ordered(
        self, left: tuple[Sql, Sql], sign: Operator, right: tuple[Sql | None, Sql | None], *known: Sql
    ) -> Sql:
        """Numbers with numbers, texts with texts, and every number before every text; null where a side is, which
        ``known`` says."""
        pairs: list[Sql] = [
            Fragment(mine, f" {sign} ", other)
            for mine, other in zip(left, right, strict=True)
            if other is not None
        ]
        number, text = (left[0], right[1]) if sign in ("<", "<=") else (right[0], left[1])
        if number is not None and text is not None:
            pairs.append(Fragment("(", number, " IS NOT NULL AND ", text, " IS NOT NULL)"))
        return Fragment(
            "(CASE WHEN ", conjunction(list(known)), " THEN COALESCE(", disjunction(pairs), ", FALSE) END)"
        )


def _is_known(value: Sql) -> Sql:
    """A JSON value is neither absent nor null."""
    return Fragment("jsonb_typeof(", value, ") <> 'null'")


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
