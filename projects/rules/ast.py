"""The tree of a rule or filter. Constants stand outside it, by index, so that texts of one shape share a tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

# What is known of a constant without its value; it takes part in the shape, so it may decide how to compile.
ConstantKind = Literal["text", "empty", "number", "true", "false", "null"]
Constant = str | int | float | bool | None
Operator = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~"]

OPERATORS: tuple[str, ...] = ("=", "!=", ">", ">=", "<", "<=", "~", "!~")
# The operator that says the same with its sides changed.
FLIPPED: dict[Operator, Operator] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class ConstantRef:
    """The constant at ``index`` of the text's constants."""

    index: int
    kind: ConstantKind
    position: int


@dataclass(frozen=True, slots=True)
class Identifier:
    """``text`` as written; ``path`` its dotted parts without ``modifier`` (``:each``) and ``alias``
    (``@collection.posts:alias.title``)."""

    text: str
    path: tuple[str, ...]
    modifier: str
    alias: str
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Operand, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``at_least_one``: the form with ``?``, where one of many values is enough."""

    left: Operand
    operator: Operator
    at_least_one: bool
    right: Operand
    position: int


@dataclass(frozen=True, slots=True)
class Logic:
    operator: Literal["and", "or"]
    items: tuple[Node, ...]


Operand = ConstantRef | Identifier | Call
Node = Comparison | Logic

T = TypeVar("T")


def fold(node: Node, leaf: Callable[[Comparison], T], join: Callable[[str, list[T]], T]) -> T:
    """Build a value bottom-up: ``leaf`` for each comparison, ``join`` for each "and" and "or".

    Works without recursion: how deep a client nests its filter must not decide how deep our stack is.
    """
    results: list[list[T]] = [[]]
    pending: list[tuple[Node | None, str]] = [(node, "")]
    while pending:
        current, closing = pending.pop()
        if current is None:
            items = results.pop()
            results[-1].append(join(closing, items))
        elif isinstance(current, Logic):
            results.append([])
            pending.append((None, current.operator))
            pending.extend((item, "") for item in reversed(current.items))
        else:
            results[-1].append(leaf(current))
    return results[0][0]


def comparisons(node: Node) -> list[Comparison]:
    """All comparisons, in the order of the text."""
    found: list[Comparison] = []
    fold(node, found.append, lambda _operator, _items: None)
    return found


def operands(node: Node) -> list[Operand]:
    """All operands, arguments of functions included, in the order of the text."""
    found: list[Operand] = []
    for comparison in comparisons(node):
        pending: list[Operand] = [comparison.right, comparison.left]
        while pending:
            operand = pending.pop()
            found.append(operand)
            if isinstance(operand, Call):
                pending.extend(reversed(operand.arguments))
    return found


def operand_text(operand: Operand, constants: Sequence[Constant]) -> str:
    """The operand as one would write it."""
    if isinstance(operand, ConstantRef):
        return json.dumps(constants[operand.index], ensure_ascii=False)
    if isinstance(operand, Identifier):
        return operand.text
    arguments = ", ".join(operand_text(argument, constants) for argument in operand.arguments)
    return f"{operand.name}({arguments})"


def nodes(node: Node) -> list[Node]:
    """All nodes, each after those inside it."""
    found: list[Node] = []
    pending = [node]
    while pending:
        current = pending.pop()
        found.append(current)
        if isinstance(current, Logic):
            pending.extend(current.items)
    return found[::-1]
