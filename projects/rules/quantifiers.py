"""Formulas as Python: "there is one" and "none is false" over lists that the record and the request hold."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from projects.rules.formula import Compare, Formula, Joined, NoneFalse, Shown, Some
from projects.rules.gates import Gate
from projects.rules.inputs import Input, Inputs
from projects.rules.parts import (
    NO_VALUES,
    Bound,
    Part,
    Record,
    Test,
    Values,
    beside,
    comparison_of,
    comparison_part,
    domain,
    elements_part,
)
from projects.rules.paths import Element, Given, Row, variables

# A test of the record for the variables' values at hand.
ValuesTest: TypeAlias = Callable[[Record, Values], bool]


def part_of(formula: Formula) -> Part:
    """The part of a predicate that decides a formula in which nothing is free, without recursion over "and"s and
    "or"s: how deep a client nests must not decide our stack."""
    results: list[list[Part]] = [[]]
    pending: list[tuple[Formula | None, str]] = [(formula, "")]
    while pending:
        current, closing = pending.pop()
        if current is None:
            items = results.pop()
            results[-1].append(join_parts(closing, items))
        elif isinstance(current, Joined):
            results.append([])
            pending.append((None, current.operator))
            pending.extend((item, "") for item in reversed(current.items))
        else:
            results[-1].append(_leaf(current))
    return results[0][0]


def request_gate(formula: Formula) -> Gate:
    """A formula that the request alone decides."""
    part = part_of(formula)

    def test(inputs: Inputs) -> bool:
        bound = part(inputs)
        return bound if isinstance(bound, bool) else bound({})

    return Gate(test)


def join_parts(operator: str, parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    # An "and" is decided by its first false part, an "or" by its first true one.
    decisive = operator == "or"

    def bind(given: Inputs) -> Bound:
        tests: list[Test] = []
        for part in parts:
            bound = part(given)
            if not isinstance(bound, bool):
                tests.append(bound)
            elif bound is decisive:
                return decisive
        if not tests:
            return not decisive
        if len(tests) == 1:
            return tests[0]
        if len(tests) == 2:
            first, second = tests
            if decisive:
                return lambda record: first(record) or second(record)
            return lambda record: first(record) and second(record)
        if decisive:
            return lambda record: any(test(record) for test in tests)
        return lambda record: all(test(record) for test in tests)

    return bind


def _leaf(leaf: Formula) -> Part:
    if isinstance(leaf, Shown):
        return lambda _given: _shows_email
    if isinstance(leaf, Compare):
        return comparison_part(leaf.left, leaf.comparison.operator, leaf.right)
    if isinstance(leaf, NoneFalse):
        return _simple(leaf, all) or _none_false(leaf)
    assert isinstance(leaf, Some)
    if isinstance(leaf.item, Compare) and (simple := _simple(leaf.item, any)):
        return simple
    return _bound(_some(leaf))


def _shows_email(record: Record) -> bool:
    return bool(record.get("emailVisibility"))


def _simple(leaf: Compare | NoneFalse, decide: Callable[[Iterable[object]], bool]) -> Part | None:
    """One list of the record beside one value of the request."""
    sign = leaf.comparison.operator
    for element, other, flipped in ((leaf.left, leaf.right, False), (leaf.right, leaf.left, True)):
        if isinstance(element, Element) and isinstance(other, Input) and not isinstance(element.row, Given):
            return elements_part(element, beside(element, sign, flipped=flipped), other, decide)
    return None


def _none_false(leaf: NoneFalse) -> Part:
    """All values of one side beside all of the other's, each side for itself."""
    of_left, of_right = list(variables(leaf.left).values()), list(variables(leaf.right).values())

    def bind(given: Inputs) -> Bound:
        test = comparison_of(leaf.left, leaf.comparison.operator, leaf.right, given)
        lefts, rights = choices(of_left, given), choices(of_right, given)
        return lambda record: all(
            test(record, one, other) for one in lefts(record) for other in rights(record)
        )

    return bind


def choices(rows: Sequence[Row], given: Inputs) -> Callable[[Record], Iterable[Values]]:
    """Every choice of one value for each variable."""
    keys = [row.key for row in rows]
    domains = [domain(row, given) for row in rows]
    if len(keys) == 1:
        (key,), (values_of,) = keys, domains
        return lambda record: [{key: value} for value in values_of(record)]
    return lambda record: [
        dict(zip(keys, chosen, strict=True))
        for chosen in itertools.product(*(values_of(record) for values_of in domains))
    ]


def _some(some: Some) -> Callable[[Inputs], ValuesTest]:
    inside = _scoped(some.item)

    def bind(given: Inputs) -> ValuesTest:
        test, chosen = inside(given), choices(some.rows, given)
        return lambda record, values: any(test(record, {**values, **more}) for more in chosen(record))

    return bind


def _scoped(formula: Formula) -> Callable[[Inputs], ValuesTest]:
    """A formula in which variables are free."""
    if isinstance(formula, Joined):
        parts = [_scoped(item) for item in formula.items]
        decide = any if formula.operator == "or" else all

        def bind_all(given: Inputs) -> ValuesTest:
            tests = [part(given) for part in parts]
            return lambda record, values: decide(test(record, values) for test in tests)

        return bind_all
    if isinstance(formula, Some):
        return _some(formula)
    if isinstance(formula, Compare):
        leaf = formula

        def bind_one(given: Inputs) -> ValuesTest:
            test = comparison_of(leaf.left, leaf.comparison.operator, leaf.right, given)
            return lambda record, values: test(record, values, values)

        return bind_one
    part = _leaf(formula)

    def bind_closed(given: Inputs) -> ValuesTest:
        bound = part(given)
        if isinstance(bound, bool):
            return lambda _record, _values: bound
        return lambda record, _values: bound(record)

    return bind_closed


def _bound(scoped: Callable[[Inputs], ValuesTest]) -> Part:
    def bind(given: Inputs) -> Bound:
        test = scoped(given)
        return lambda record: test(record, NO_VALUES)

    return bind
