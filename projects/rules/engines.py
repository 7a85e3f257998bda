"""What the two engines say differently, as pieces of SQL.

On both a JSON value is what the language sees: null, a number (``true`` is 1) or a text (an array or object is the
text of its JSON, in which PostgreSQL has its own order of an object's keys).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import sqlalchemy as sa

from projects.rules.ast import Operator
from projects.rules.inputs import list_index
from projects.rules.sql import Order
from projects.rules.values import Plain, as_text, json_text

Sql = sa.ColumnElement[Any]
# Makes a parameter of the value at hand, passed through the given function.
Bind = Callable[[Callable[[Any], Any]], Sql]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class EngineSql(ABC):
    true: str
    false: str
    # Whether the connection has the functions of databases/functions.py.
    has_own_functions: bool

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
    def list_holds(self, values: Sql, text: Sql) -> Sql:
        """Whether a list of texts has that text."""

    @abstractmethod
    def elements(self, values: Sql, alias: str) -> tuple[Sql, Sql]:
        """For FROM: one row for each text in a JSON list, with its place as ``alias.key``; and the text's name."""

    @abstractmethod
    def bound_list(self, bind: Bind) -> Sql:
        """A list that is bound, as ``elements`` takes it."""

    @abstractmethod
    def real(self, number: Sql) -> Sql:
        """A bound number, or null, as a number."""

    @abstractmethod
    def number_of_text(self, text: Sql) -> Sql:
        """The number that a text is (``projects.geo.coordinate``); null for any other."""

    @abstractmethod
    def json_number(self, value: Sql) -> Sql:
        """The number that a JSON value is, or is the text of."""

    @abstractmethod
    def text_as_json(self, text: Sql) -> Sql:
        """A computed text as the JSON value that it is."""

    @abstractmethod
    def geo_distance(self, degrees: Sequence[Sql]) -> Sql:
        """The distance in km between two points: longitude and latitude of one, then of the other."""

    @abstractmethod
    def in_order(self, key: Sql, descending: bool, nullable: bool) -> Order:
        """For ORDER BY: nulls are the least."""

    @abstractmethod
    def row_order(self, alias: str) -> Sql:
        """The order in which rows were made."""


def json_path(path: tuple[str, ...], quoted: bool = False) -> str:
    """A path inside a JSON value, as both engines write it.

    Parts come from an identifier (letters, digits and ``_``), so none needs an escape.
    """
    text = "$"
    for part in path:
        index = list_index(part)
        if index is not None:
            text += f"[{index}]"
        else:
            text += f".{part}" if _PLAIN_KEY.fullmatch(part) and not quoted else f'."{part}"'
    return text


def texts_json(values: list[Plain]) -> str:
    """Values as a JSON list of texts; a null stands for none."""
    return json_text([as_text(value) for value in values if value is not None])
