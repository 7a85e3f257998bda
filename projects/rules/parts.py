"""Comparisons as parts of a predicate: first bound to a request, then asked of many records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from projects.rules.ast import FLIPPED, Operator
from projects.rules.functions import compute
from projects.rules.gates import gate_of
from projects.rules.inputs import NO_INPUTS, Input, Inputs, as_list, length, walk
from projects.rules.paths import (
    MULTIPLE_TYPES,
    Changed,
    Column,
    Element,
    Function,
    Given,
    Key,
    Meaning,
    Row,
    compared_kind,
    kind_of,
)
from projects.rules.patterns import ascii_lower
from projects.rules.value_tests import TestMaker, ValueTest, contained_test, pair_test, value_test
from projects.rules.values import Plain, as_text, compare, plain

Record = Mapping[str, Any]
# The value at hand of each variable.
Values = Mapping[Key, Plain]
Test = Callable[[Record], bool]
# What a part of a rule becomes once the request is known: an answer, or a test of the record.
Bound = Test | bool
Part = Callable[[Inputs], Bound]
Reader = Callable[[Record], Plain]
ValuesReader = Callable[[Record, Values], Plain]

NO_VALUES: Values = {}


def comparison_part(left: Meaning, sign: Operator, right: Meaning) -> Part:
    """The comparison of two values that no variable takes part in."""
    if isinstance(left, Input) and isinstance(right, Input):
        return gate_of(left, sign, right).test
    if isinstance(left, Input):
        return _beside_input(right, beside(right, sign, flipped=True), left)
    if isinstance(right, Input):
        return _beside_input(left, beside(left, sign, flipped=False), right)
    test = pair_test(compared_kind(left), sign, compared_kind(right))

    def bind(inputs: Inputs) -> Bound:
        first, second = value_reader(left, inputs), value_reader(right, inputs)
        return lambda record: test(first(record), second(record))

    return bind


def elements_part(
    element: Element, make: TestMaker, given: Input, decide: Callable[[Iterable[object]], bool]
) -> Part:
    """``decide`` (any, all) of a list's values that are compared with an input."""
    read = given.read

    def bind(inputs: Inputs) -> Bound:
        made = make(read(inputs))
        if made is None:
            return False
        test = _modified(element, made) if element.modifier else made
        values = domain(element.row, inputs)
        return lambda record: decide(test(value) for value in values(record))

    return bind


def beside(meaning: Meaning, sign: Operator, *, flipped: bool) -> TestMaker:
    """How a value is tested against an input on its right, or (``flipped``) on its left."""
    if sign in ("~", "!~"):
        return contained_test(negated=sign == "!~") if flipped else value_test(compared_kind(meaning), sign)
    kind = compared_kind(meaning)
    if isinstance(meaning, Function) and sign not in ("=", "!=") and kind == "text":
        kind = "json"
    return value_test(kind, FLIPPED[sign] if flipped else sign)


def domain(row: Row, given: Inputs) -> Callable[[Record], list[Plain]]:
    """The values that a variable goes over."""
    if isinstance(row, Given):
        fixed = row.values.read(given)
        return lambda _record: fixed
    name = row.field.name  # type: ignore[union-attr]
    return lambda record: as_list(record.get(name))


def comparison_of(
    left: Meaning, sign: Operator, right: Meaning, given: Inputs
) -> Callable[[Record, Values, Values], bool]:
    """The comparison for the variables' values at hand, those of the left side and those of the right."""
    first, second = _values_reader(left, given), _values_reader(right, given)
    if _is_of_request(left) and _is_of_request(right):
        return lambda record, mine, theirs: compare(first(record, mine), sign, second(record, theirs))
    if isinstance(left, Input):
        after = beside(right, sign, flipped=True)(left.read(given))
        return _never if after is None else lambda record, _mine, theirs: after(second(record, theirs))
    if isinstance(right, Input):
        before = beside(left, sign, flipped=False)(right.read(given))
        return _never if before is None else lambda record, mine, _theirs: before(first(record, mine))
    pair = pair_test(compared_kind(left), sign, compared_kind(right))
    left_text, right_text = _as_stored(left), _as_stored(right)
    return lambda record, mine, theirs: pair(
        left_text(first(record, mine)), right_text(second(record, theirs))
    )


def _never(_record: Record, _mine: Values, _theirs: Values) -> bool:
    return False


def value_reader(meaning: Meaning, given: Inputs) -> Reader:
    """How a value that no variable takes part in is read from a record."""
    if isinstance(meaning, Input):
        fixed = meaning.read(given)
        return lambda _record: fixed
    if isinstance(meaning, Changed):
        return _changed(meaning, given)
    if isinstance(meaning, Function):
        readers = [value_reader(argument, given) for argument in meaning.arguments]
        name = meaning.name
        return lambda record: compute(name, [plain(read(record)) for read in readers])
    assert isinstance(meaning, Column)
    if meaning.modifier == "length":
        return _length(meaning)
    reader = _stored(meaning)
    return (lambda record: _lower(reader(record))) if meaning.modifier == "lower" else reader


def _values_reader(meaning: Meaning, given: Inputs) -> ValuesReader:
    if isinstance(meaning, Element):
        key, modifier = meaning.row.key, meaning.modifier
        if modifier == "length":
            return lambda _record, _values: None
        if modifier == "lower":
            return lambda _record, values: _lower(values[key])
        return lambda _record, values: values[key]
    if isinstance(meaning, Function):
        readers = [_values_reader(argument, given) for argument in meaning.arguments]
        name = meaning.name
        return lambda record, values: compute(name, [plain(read(record, values)) for read in readers])
    reader = value_reader(meaning, given)
    return lambda record, _values: reader(record)


def _beside_input(meaning: Meaning, make: TestMaker, given: Input) -> Part:
    if given.is_fixed and isinstance(meaning, Column):
        test = make(given.read(NO_INPUTS))
        kept: Bound = False if test is None else _of_one(meaning, test, NO_INPUTS)
        return lambda _inputs: kept
    read = given.read

    def bind(inputs: Inputs) -> Bound:
        test = make(read(inputs))
        return False if test is None else _of_one(meaning, test, inputs)

    return bind


def _of_one(meaning: Meaning, test: ValueTest, inputs: Inputs) -> Test:
    if (
        isinstance(meaning, Column)
        and not meaning.modifier
        and kind_of(meaning.field) not in ("json", "list")
    ):
        name = meaning.field.name
        return lambda record: test(record.get(name))
    reader = value_reader(meaning, inputs)
    return lambda record: test(reader(record))


def _modified(element: Element, test: ValueTest) -> ValueTest:
    if element.modifier == "length":
        return lambda _value: test(None)
    return lambda value: test(_lower(value))


def _is_of_request(meaning: Meaning) -> bool:
    return isinstance(meaning, Input) or (isinstance(meaning, Element) and isinstance(meaning.row, Given))


def _as_stored(meaning: Meaning) -> Callable[[Any], Any]:
    """Values of a list in the request are texts beside stored ones."""
    return as_text if isinstance(meaning, Element) and isinstance(meaning.row, Given) else _same


def _same(value: Any) -> Any:
    return value


def _lower(value: Any) -> str | None:
    text = as_text(plain(value))
    return None if text is None else ascii_lower(text)


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
    test = value_test(kind_of(operand.column.field), "!=")(operand.value.read(given))
    reader = _stored(operand.column)
    return lambda record: int(test is not None and test(reader(record)))
