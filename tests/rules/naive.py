"""The language as its definition reads, without a thought for speed: what SQL and predicate are held against.

A rule holds for a record when there is a choice of one row for each variable it names for which the whole of it holds;
a comparison without ``?`` must also be false for no rows at all. Two values are compared by the functions that
test_kinds.py has held against SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from projects.principal import RequestInfo
from projects.rules.ast import Comparison, Logic, Node
from projects.rules.functions import compute
from projects.rules.inputs import Input, Inputs, as_list
from projects.rules.parse import parse_rule
from projects.rules.parts import beside, value_reader
from projects.rules.paths import (
    AnyOf,
    Back,
    Changed,
    Column,
    Element,
    Function,
    Given,
    Item,
    Key,
    Known,
    Meaning,
    Own,
    Row,
    Via,
    compared_kind,
    is_variable,
    variables,
)
from projects.rules.patterns import ascii_lower
from projects.rules.resolve import Resolver
from projects.rules.value_tests import pair_test
from projects.rules.values import as_text, compare, plain
from tests.rules.world import NOW, Record, World

# What a variable stands for: a record, a bare value, or (None) nothing.
Chosen = Mapping[Key, Any]


class Naive:
    def __init__(self, world: World, name: str, request: RequestInfo) -> None:
        self.world = world
        self.collection = world.collection(name)
        self.given = Inputs((), request, NOW)

    def answer(self, text: str) -> list[str]:
        """The ids of the records for which the rule holds. Raises RuleError."""
        parsed = parse_rule(text)
        self.resolver = Resolver(self.world.schema, self.collection, parsed.constants)
        self.sides: dict[int, tuple[Meaning, Meaning]] = {}
        rows: dict[Key, Row] = {}
        for comparison in _comparisons(parsed.ast):
            self.sides[id(comparison)] = self.resolver.sides(comparison)
            for meaning in self.sides[id(comparison)]:
                rows.update(variables(meaning))
        records = self.world.records[self.collection.name]
        return sorted(record["id"] for record in records if self._holds(parsed.ast, rows, record))

    def _holds(self, ast: Node, rows: dict[Key, Row], record: Record) -> bool:
        return any(self._node(ast, record, chosen) for chosen in self._choices(list(rows.values()), record))

    def _node(self, node: Node, record: Record, chosen: Chosen) -> bool:
        if isinstance(node, Logic):
            decide = all if node.operator == "and" else any
            return decide(self._node(item, record, chosen) for item in node.items)
        left, right = self.sides[id(node)]
        if self._compare(node, left, right, record, chosen, chosen) is not True:
            return False
        of_left, of_right = list(variables(left).values()), list(variables(right).values())
        if (
            node.at_least_one
            or not (of_left or of_right)
            or isinstance(left, Function)
            or isinstance(right, Function)
        ):
            return True
        return not any(
            self._compare(node, left, right, record, mine, theirs) is False
            for mine in self._choices(of_left, record)
            for theirs in self._choices(of_right, record)
        )

    def _choices(self, rows: list[Row], record: Record) -> Iterator[Chosen]:
        """Every way to choose one row for each variable; parents are chosen before what hangs on them."""
        ordered = sorted(rows, key=lambda row: len(row.key))

        def choose(place: int, chosen: dict[Key, Any]) -> Iterator[Chosen]:
            if place == len(ordered):
                yield chosen
                return
            row = ordered[place]
            for found in self._rows(row, record, chosen) or [None]:
                yield from choose(place + 1, {**chosen, row.key: found})

        return choose(0, {})

    def _rows(self, row: Row, record: Record, chosen: Chosen) -> list[Any]:
        if isinstance(row, Given):
            return [value for value in row.values.read(self.given) if value is not None]
        if isinstance(row, AnyOf):
            return list(self.world.records[row.collection.name])
        assert isinstance(row, Item | Back)
        parent = self._record(row.parent, record, chosen)
        if parent is None:
            return []
        if isinstance(row, Item):
            return [value for value in as_list(parent.get(row.field.name)) if value is not None]
        return self._naming(row, parent)

    def _naming(self, row: Back, parent: Record) -> list[Record]:
        name = row.field.name
        return [
            other for other in self.world.records[row.collection.name] if parent["id"] in _ids(other[name])
        ]

    def _record(self, row: Row, record: Record, chosen: Chosen) -> Record | None:
        """The record that a row is."""
        if isinstance(row, Own):
            return record
        if isinstance(row, Known):
            return self._by_id(row.collection.name, row.id.read(self.given))
        if is_variable(row):
            found = chosen[row.key]
            if isinstance(row, AnyOf | Back) or found is None:
                return found
            assert row.collection is not None
            return self._by_id(row.collection.name, found)
        assert isinstance(row, Via | Back)
        parent = self._record(row.parent, record, chosen)
        if parent is None:
            return None
        if isinstance(row, Back):
            return next(iter(self._naming(row, parent)), None)
        return self._by_id(row.collection.name, parent[row.field.name])

    def _by_id(self, name: str, record_id: Any) -> Record | None:
        return next((other for other in self.world.records[name] if other["id"] == record_id), None)

    def _value(self, meaning: Meaning, record: Record, chosen: Chosen) -> Any:
        if isinstance(meaning, Input):
            return meaning.read(self.given)
        if isinstance(meaning, Function):
            return compute(
                meaning.name, [plain(self._value(each, record, chosen)) for each in meaning.arguments]
            )
        if isinstance(meaning, Element):
            value = chosen[meaning.row.key]
            if meaning.modifier == "length":
                return None
            if meaning.modifier == "lower":
                return None if value is None else ascii_lower(as_text(plain(value)) or "")
            return value
        if isinstance(meaning, Changed):
            return value_reader(meaning, self.given)(record)
        holder = self._record(meaning.row, record, chosen)
        if holder is None:
            return None
        own = Column(
            Own(meaning.row.collection or self.collection), meaning.field, meaning.json_path, meaning.modifier
        )
        return value_reader(own, self.given)(holder)

    def _compare(
        self, node: Comparison, left: Meaning, right: Meaning, record: Record, mine: Chosen, theirs: Chosen
    ) -> bool | None:
        """True, False, or None where SQL says null."""
        sign = node.operator
        first, second = self._value(left, record, mine), self._value(right, record, theirs)
        if _is_of_request(left) and _is_of_request(right):
            holds = compare(first, sign, second)
            return None if not holds and sign not in ("=", "!=") and None in (first, second) else holds
        if isinstance(left, Input) or isinstance(right, Input):
            flipped = isinstance(left, Input)
            value, given = (right, left) if flipped else (left, right)
            assert isinstance(given, Input)
            test = beside(value, sign, flipped=flipped)(given.read(self.given))
            found = second if flipped else first
            if test is not None and test(found):
                return True
            return None if _is_unknown(value, sign, found, given) else False
        if isinstance(left, Element) and isinstance(left.row, Given):
            first = as_text(first)
        if isinstance(right, Element) and isinstance(right.row, Given):
            second = as_text(second)
        holds = pair_test(compared_kind(left), sign, compared_kind(right))(first, second)
        return None if not holds and sign not in ("=", "!=") and (first is None or second is None) else holds


def _is_unknown(value: Meaning, sign: str, found: Any, given: Input) -> bool:
    """Whether SQL's comparison of a missing value is null rather than false."""
    if found is not None:
        return given.read(NAIVE_INPUTS) is None and sign not in ("=", "!=") if given.is_fixed else False
    if sign not in ("=", "!="):
        return True
    kind = compared_kind(value)
    return (
        sign == "="
        and kind in ("text", "date", "number", "bool")
        and given.constant
        in (
            "text",
            "number",
            "true",
            "false",
        )
    )


NAIVE_INPUTS = Inputs((), RequestInfo(), NOW)


def _is_of_request(meaning: Meaning) -> bool:
    return isinstance(meaning, Input) or (isinstance(meaning, Element) and isinstance(meaning.row, Given))


def _ids(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]


def _comparisons(node: Node) -> list[Comparison]:
    if isinstance(node, Logic):
        return [each for item in node.items for each in _comparisons(item)]
    return [node]
