"""How a column's value is tested in Python. Each function mirrors one of compare.py; a test holds them equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from projects.rules.ast import Operator
from projects.rules.paths import ColumnKind
from projects.rules.patterns import ascii_lower, date_pattern, pattern_matcher
from projects.rules.values import (
    Plain,
    as_date_operand,
    as_json_operand,
    as_list_operand,
    as_number_operand,
    as_text,
    as_text_operand,
    in_order,
    plain,
)

ValueTest = Callable[[Any], bool]
# Makes the test of a column's value from the other side's value; None: false whatever the column holds.
TestMaker = Callable[[Plain], ValueTest | None]


def value_test(kind: ColumnKind, sign: Operator) -> TestMaker:
    """Given the other side's value, the test of a column's value; None: false whatever it is."""
    if sign in ("~", "!~"):
        return _like(kind, negated=sign == "!~")
    if kind in ("text", "date"):
        return _text(sign, as_date_operand if kind == "date" else as_text_operand)
    if kind in ("number", "bool"):
        return _number(sign)
    if sign not in ("=", "!="):
        return _ordered(sign, (lambda value: value) if kind == "json" else as_text_operand)
    return _identical(sign, as_json_operand if kind == "json" else as_list_operand)


def _like(kind: ColumnKind, negated: bool) -> TestMaker:
    def make(value: Plain) -> ValueTest | None:
        pattern = as_text(value)
        if pattern is None:
            return None
        matches = pattern_matcher(date_pattern(pattern) if kind == "date" else pattern)

        def test(mine: Any) -> bool:
            text = as_text(plain(mine))
            return text is not None and matches(text) != negated

        return test

    return make


def contained_test(negated: bool) -> TestMaker:
    """``value ~ column``: whether the column's text is anywhere in the value."""

    def make(value: Plain) -> ValueTest | None:
        text = as_text(value)
        if text is None:
            return None
        folded = ascii_lower(text)

        def test(mine: Any) -> bool:
            part = as_text(plain(mine))
            return part is not None and (ascii_lower(part) in folded) != negated

        return test

    return make


def _text(sign: Operator, convert: Callable[[Plain], str | None]) -> TestMaker:
    if sign not in ("=", "!="):
        return _ordered(sign, convert)
    if sign == "=":

        def equal(value: Plain) -> ValueTest:
            other = convert(value) or ""
            return lambda mine: (mine or "") == other

        return equal

    def unequal(value: Plain) -> ValueTest:
        other = convert(value) or ""
        return lambda mine: (mine or "") != other

    return unequal


def _number(sign: Operator) -> TestMaker:
    if sign in ("=", "!="):
        return _identical(sign, lambda value: None if value == "" else as_number_operand(value))
    return _ordered(sign, as_number_operand)


def _identical(sign: Operator, convert: Callable[[Plain], Plain]) -> TestMaker:
    def make(value: Plain) -> ValueTest:
        other = convert(value)
        if sign == "=":
            return lambda mine: mine == other
        return lambda mine: mine != other

    return make


def _ordered(sign: Operator, convert: Callable[[Plain], Plain]) -> TestMaker:
    def make(value: Plain) -> ValueTest | None:
        other = convert(value)
        if other is None:
            return None
        return lambda mine: in_order(mine, sign, other)

    return make


def pair_test(left: ColumnKind, sign: Operator, right: ColumnKind) -> Callable[[Any, Any], bool]:
    """The comparison of two columns' values."""
    if sign in ("~", "!~"):
        return _contains if sign == "~" else _lacks
    if sign not in ("=", "!="):
        return lambda mine, other: in_order(mine, sign, other)
    # Null stands for the empty text beside a text or a number, but not beside JSON.
    equal = _same if "json" in (left, right) or left == right == "list" else _same_or_empty
    return equal if sign == "=" else lambda mine, other: not equal(mine, other)


def _contains(text: Any, part: Any) -> bool:
    text, part = as_text(plain(text)), as_text(plain(part))
    return text is not None and part is not None and ascii_lower(part) in ascii_lower(text)


def _lacks(text: Any, part: Any) -> bool:
    text, part = as_text(plain(text)), as_text(plain(part))
    return text is not None and part is not None and ascii_lower(part) not in ascii_lower(text)


def _same(mine: Any, other: Any) -> bool:
    return bool(mine == other)


def _same_or_empty(mine: Any, other: Any) -> bool:
    return bool(("" if mine is None else mine) == ("" if other is None else other))
