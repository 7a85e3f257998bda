"""One comparison as a part of a predicate: first bound to a request, then asked of many records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from projects.rules.ast import FLIPPED, Comparison
from projects.rules.errors import RuleError
from projects.rules.gates import gate_of
from projects.rules.inputs import NO_INPUTS, Input, Inputs, as_list, length, walk
from projects.rules.patterns import ascii_lower
from projects.rules.resolve import MULTIPLE_TYPES, Changed, Column, ColumnKind, Meaning, is_many, kind_of
from projects.rules.value_tests import TestMaker, ValueTest, contained_test, pair_test, value_test
from projects.rules.values import Plain, as_text, plain

Record = Mapping[str, Any]
Test = Callable[[Record], bool]
# What a part of a rule becomes once the request is known: an answer, or a test of the record.
Bound = Test | bool
Part = Callable[[Inputs], Bound]
Reader = Callable[[Record], Plain]


def comparison_part(comparison: Comparison, left: Meaning, right: Meaning) -> Part:
    """Both operands are inputs or the record's own. Raises RuleError for what is not supported yet."""
    sign = comparison.operator
    if isinstance(left, Input) and isinstance(right, Input):
        return gate_of(left, sign, right, comparison.at_least_one).test
    if is_many(left) and is_many(right):
        raise RuleError("many values on both sides are not supported yet", comparison.position)
    if isinstance(left, Input) and not left.many:
        assert not isinstance(right, Input)
        make = (
            contained_test(negated=sign == "!~")
            if sign in ("~", "!~")
            else value_test(_kind(right), FLIPPED[sign])
        )
        return _beside_input(right, make, left, comparison.at_least_one)
    if isinstance(right, Input) and not right.many:
        assert not isinstance(left, Input)
        return _beside_input(left, value_test(_kind(left), sign), right, comparison.at_least_one)
    return _of_two(left, pair_test(_kind(left), sign, _kind(right)), right, comparison.at_least_one)


def _beside_input(operand: Column | Changed, make: TestMaker, given: Input, at_least_one: bool) -> Part:
    read = given.read
    ask = _asker(operand, at_least_one)
    if given.is_fixed and isinstance(operand, Column):
        test = make(read(NO_INPUTS))
        kept: Bound = False if test is None else ask(test, NO_INPUTS)
        return lambda _inputs: kept

    def bind(inputs: Inputs) -> Bound:
        test = make(read(inputs))
        return False if test is None else ask(test, inputs)

    return bind


def _asker(operand: Column | Changed, at_least_one: bool) -> Callable[[ValueTest, Inputs], Test]:
    """How a test of a value becomes one of a record."""
    if is_many(operand):
        decide = any if at_least_one else all

        def of_each(test: ValueTest, inputs: Inputs) -> Test:
            values = _values(operand, inputs)
            return lambda record: decide(test(value) for value in values(record))

        return of_each
    if isinstance(operand, Column) and _is_direct(operand):
        name = operand.field.name
        return lambda test, _inputs: lambda record: test(record.get(name))

    def of_one(test: ValueTest, inputs: Inputs) -> Test:
        reader = _value(operand, inputs)
        return lambda record: test(reader(record))

    return of_one


def _of_two(left: Meaning, test: Callable[[Any, Any], bool], right: Meaning, at_least_one: bool) -> Part:
    """Two operands that the record holds; one may stand for many values, of which all compare, or at least one."""

    def bind(inputs: Inputs) -> Bound:
        if not is_many(left) and not is_many(right):
            first, second = _value(left, inputs), _value(right, inputs)
            return lambda record: test(first(record), second(record))
        lefts, rights, decide = _values(left, inputs), _values(right, inputs), any if at_least_one else all
        return lambda record: decide(test(one, other) for one in lefts(record) for other in rights(record))

    return bind


def _is_direct(column: Column) -> bool:
    """Whether the field's own value is compared as it is."""
    return not column.modifier and kind_of(column.field) in ("text", "date", "number", "bool")


def _kind(operand: Meaning) -> ColumnKind:
    if isinstance(operand, Changed):
        return "number"
    if is_many(operand) or isinstance(operand, Input) or operand.modifier == "lower":
        return "text"
    return "number" if operand.modifier == "length" else kind_of(operand.field)


def _values(operand: Meaning, given: Inputs) -> Callable[[Record], list[Any]]:
    """The values of an operand, of which it may have many."""
    if isinstance(operand, Input):
        fixed = [as_text(value) for value in operand.read(given)]
        return lambda _record: fixed
    if isinstance(operand, Column) and is_many(operand):
        name = operand.field.name
        return lambda record: as_list(record.get(name))
    reader = _value(operand, given)
    return lambda record: [reader(record)]


def _value(operand: Meaning, given: Inputs) -> Reader:
    """How an operand is read from a record."""
    assert not isinstance(operand, Input)
    if isinstance(operand, Changed):
        return _changed(operand, given)
    if operand.modifier == "length":
        return _length(operand)
    reader = _stored(operand)
    if operand.modifier != "lower":
        return reader

    def lower(record: Record) -> Plain:
        text = as_text(plain(reader(record)))
        return None if text is None else ascii_lower(text)

    return lower


def _stored(column: Column) -> Reader:
    name, path, kind = column.field.name, column.json_path, kind_of(column.field)
    if kind == "json":
        return lambda record: plain(walk(record.get(name), path))
    if kind == "list":
        return lambda record: plain(record.get(name))
    return lambda record: record.get(name)


def _length(column: Column) -> Reader:
    name = column.field.name
    if column.field.type not in MULTIPLE_TYPES:
        return lambda _record: None

    def count(record: Record) -> Plain:
        value = record.get(name)
        return None if value is None else length(value)

    return count


def _changed(operand: Changed, given: Inputs) -> Reader:
    if not operand.is_set.read(given):
        return lambda _record: 0
    test, reader = value_test(_kind(operand.column), "!=")(operand.value.read(given)), _stored(operand.column)
    return lambda record: int(test is not None and test(reader(record)))
