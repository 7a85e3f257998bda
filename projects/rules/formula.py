"""A rule as a formula: comparisons joined by "and" and "or", with the rows of which one is enough made explicit.

Comparisons that name a variable (see paths.py) mean one row of it: there is one for which the rule holds. A comparison
without ``?`` also asks that it is false for no row. ``quantified`` puts each variable's "there is one" as far inside as
its meaning lets it: where the parts of an "or", or parts of an "and" that share no variable, can each have their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from projects.rules.ast import Comparison, Node, fold
from projects.rules.inputs import Input
from projects.rules.paths import (
    Column,
    Element,
    Function,
    Given,
    Item,
    Key,
    Meaning,
    Own,
    Row,
    chain,
    is_email_of_account,
    is_variable,
    reads_of,
    rows_of,
    ruled_fields,
    variables,
)
from projects.rules.resolve import Resolver
from projects.schema.fields.base import Field

# "There is one" inside "there is one", at most; beyond it a part asks for all of its rows at once.
MAX_QUANTIFIERS = 3

# How deep Python follows "and"s and "or"s that share variables; SQL takes what is deeper.
MAX_PYTHON_DEPTH = 50

Free: TypeAlias = Mapping[Key, Row]


@dataclass(frozen=True, eq=False)
class Compare:
    """The comparison holds for the rows at hand. ``free``: the variables among them."""

    comparison: Comparison
    left: Meaning
    right: Meaning
    free: Free


@dataclass(frozen=True, eq=False)
class NoneFalse:
    """The comparison is false for no rows of ``left`` and ``right``. ``decides``: where none is unknown either, so
    that it holds for all and for some."""

    comparison: Comparison
    left: Meaning
    right: Meaning
    decides: bool

    @property
    def free(self) -> Free:
        return {}


@dataclass(frozen=True, eq=False)
class Listed:
    """A client may list the record ``row``, if there is one."""

    row: Row
    free: Free


@dataclass(frozen=True, eq=False)
class Shown:
    """The account shows its e-mail address, ``column``."""

    column: Column
    free: Free


@dataclass(frozen=True, eq=False)
class Readable:
    """There is the record ``row``, and it shows its ``field``, which has a rule of its own, to the client."""

    row: Row
    field: Field
    free: Free


@dataclass(frozen=True, eq=False)
class Joined:
    operator: str
    items: tuple[Formula, ...]
    free: Free
    depth: int


@dataclass(frozen=True, eq=False)
class Some:
    """There is a row of each of ``rows`` (parents before those that hang on them) for which ``item`` holds."""

    rows: tuple[Row, ...]
    item: Formula

    @property
    def free(self) -> Free:
        bound = {row.key for row in self.rows}
        return {key: row for key, row in self.item.free.items() if key not in bound}

    @property
    def depth(self) -> int:
        return depth_of(self.item)


Formula: TypeAlias = Compare | NoneFalse | Listed | Shown | Readable | Joined | Some


def joined(operator: str, items: list[Formula]) -> Formula:
    if len(items) == 1:
        return items[0]
    free: dict[Key, Row] = {}
    for item in items:
        free.update(item.free)
    return Joined(operator, tuple(items), free, 1 + max(map(depth_of, items)))


def depth_of(formula: Formula) -> int:
    """How deep "and"s and "or"s stand in one another."""
    return formula.depth if isinstance(formula, Joined | Some) else 0


def formula_of(
    ast: Node,
    resolver: Resolver,
    *,
    lists_decide: Callable[[Row], bool],
    rule_of_own: Callable[[str], Formula] | None = None,
) -> Formula:
    """The rule as a formula. ``lists_decide(row)``: all values of that list are at hand, none of them null;
    ``rule_of_own``: what stands for the rule of a field of the record itself, instead of ``Readable``.

    Raises RuleError.
    """
    return fold(ast, lambda leaf: _leaf(leaf, resolver, lists_decide, rule_of_own), joined)


def leaves(formula: Formula) -> Iterator[Compare | NoneFalse | Listed | Shown | Readable]:
    """All that is joined and quantified, in order, without recursion."""
    pending = [formula]
    while pending:
        item = pending.pop()
        if isinstance(item, Joined):
            pending.extend(reversed(item.items))
        elif isinstance(item, Some):
            pending.append(item.item)
        else:
            yield item


def guarded_rows(formula: Formula) -> dict[Key, Row]:
    """The rows (the record's own aside) that a client can go through only where their list rule lets it."""
    found: dict[Key, Row] = {}
    for leaf in leaves(formula):
        if isinstance(leaf, Compare | NoneFalse):
            for meaning in (leaf.left, leaf.right):
                found.update({row.key: row for row in guarded_rows_of(meaning)})
    return found


def guarded_rows_of(meaning: Meaning) -> list[Row]:
    """Those on the ways to one value; a list's own values are the record's, whatever they name."""
    return [
        row
        for row in rows_of(meaning)
        if row.key
        and row.collection is not None
        and row.collection.list_rule
        and not (isinstance(meaning, Element) and row is meaning.row)
    ]


def quantified(formula: Formula) -> Formula:
    """The same with nothing left free."""
    return _quantified(formula, frozenset(), 0)


def own_variables(row: Row) -> Free:
    return {each.key: each for each in chain(row) if is_variable(each)}


def emails_in(meaning: Meaning) -> list[Column]:
    """The e-mail addresses of accounts among what a value is made of."""
    if isinstance(meaning, Function):
        return [column for argument in meaning.arguments for column in emails_in(argument)]
    return [meaning] if isinstance(meaning, Column) and is_email_of_account(meaning) else []


def readable(fields: Iterable[tuple[Row, Field]]) -> list[Readable]:
    """That the client may read all of ``fields``: nothing is true of what it may not read."""
    found = {(row.key, field.id): (row, field) for row, field in fields}
    return [Readable(row, field, own_variables(row)) for row, field in found.values()]


def _leaf(
    leaf: Comparison,
    resolver: Resolver,
    lists_decide: Callable[[Row], bool],
    rule_of_own: Callable[[str], Formula] | None,
) -> Formula:
    left, right = resolver.sides(leaf)
    of_left, of_right = variables(left), variables(right)
    items: list[Formula] = []
    # A function is of the rows at hand, with or without "?".
    if (of_left or of_right) and not leaf.at_least_one and not _has_function(left, right):
        decides = all(
            not own or (len(own) == 1 and isinstance(meaning, Element) and lists_decide(meaning.row))
            for meaning, own in ((left, of_left), (right, of_right))
        )
        items.append(NoneFalse(leaf, left, right, decides))
        if not decides:
            items.append(Compare(leaf, left, right, {**of_left, **of_right}))
    else:
        items.append(Compare(leaf, left, right, {**of_left, **of_right}))
    if resolver.guarded:
        items += [
            Shown(column, own_variables(column.row))
            for meaning in (left, right)
            for column in emails_in(meaning)
        ]
        items += [
            rule_of_own(one.field.read_rule or "") if rule_of_own and isinstance(one.row, Own) else one
            for one in readable([*ruled_fields(left), *ruled_fields(right)])
        ]
    return joined("and", items)


def _has_function(*meanings: Meaning) -> bool:
    return any(isinstance(meaning, Function) for meaning in meanings)


def _quantified(formula: Formula, bound: frozenset[Key], depth: int) -> Formula:
    if not formula.free.keys() - bound:
        return formula
    if depth >= MAX_QUANTIFIERS or not isinstance(formula, Joined):
        return _some(formula.free, bound, formula)
    if formula.operator == "or":
        return joined("or", [_quantified(item, bound, depth) for item in formula.items])
    return joined("and", [_component(group, bound, depth) for group in _components(formula.items, bound)])


def _component(items: list[Formula], bound: frozenset[Key], depth: int) -> Formula:
    """Parts of an "and" that share variables."""
    if len(items) == 1:
        return _quantified(items[0], bound, depth)
    counts: dict[Key, int] = {}
    for item in items:
        for key in item.free.keys() - bound:
            counts[key] = counts.get(key, 0) + 1
    shared = {key for key, count in counts.items() if count > 1}
    inside = bound | shared
    parts = joined("and", [_quantified(item, inside, depth + 1) for item in items])
    return _some({key: row for key, row in parts.free.items() if key in shared}, bound, parts)


def _components(items: tuple[Formula, ...], bound: frozenset[Key]) -> list[list[Formula]]:
    """The items in groups that share no variable, in the order of their first."""
    groups: list[tuple[set[Key], list[tuple[int, Formula]]]] = []
    for place, item in enumerate(items):
        keys = set(item.free.keys() - bound)
        members = [(place, item)]
        apart = []
        for group in groups:
            if group[0] & keys:
                keys |= group[0]
                members += group[1]
            else:
                apart.append(group)
        groups = [*apart, (keys, members)]
    ordered = sorted(
        (sorted(members, key=lambda member: member[0]) for _, members in groups), key=lambda g: g[0][0]
    )
    return [[item for _, item in members] for members in ordered]


def _some(free: Free, bound: frozenset[Key], item: Formula) -> Some:
    rows = [row for key, row in free.items() if key not in bound]
    return Some(tuple(sorted(rows, key=lambda row: len(row.key))), item)


def is_decided_by_request(formula: Formula) -> bool:
    """Whether nothing but the request takes part, and Python is to decide it."""
    return depth_of(formula) <= MAX_PYTHON_DEPTH and all(
        isinstance(leaf, Compare | NoneFalse) and _is_of_request(leaf.left) and _is_of_request(leaf.right)
        for leaf in leaves(formula)
    )


def _is_of_request(meaning: Meaning) -> bool:
    if isinstance(meaning, Function):
        return all(_is_of_request(argument) for argument in meaning.arguments)
    if isinstance(meaning, Element):
        return isinstance(meaning.row, Given)
    return isinstance(meaning, Input)


def reads_in(formula: Formula) -> set[str]:
    """The names of the request values and macros that take part."""
    return {
        name
        for leaf in leaves(formula)
        if isinstance(leaf, Compare | NoneFalse)
        for meaning in (leaf.left, leaf.right)
        for name in reads_of(meaning)
    }


def is_own_list(row: Row) -> bool:
    """Whether a variable's values stand in the record itself."""
    return isinstance(row, Item) and not row.parent.key
