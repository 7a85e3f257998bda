"""A rule's tree as JSON, with positions, for people and tools that explain a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from projects.rules.ast import Comparison, ConstantRef, Identifier, Node, Operand, nodes
from projects.rules.parse import Parsed
from projects.rules.spans import node_span, operand_span

NodeExtra = Callable[[Node], dict[str, Any]]
OperandExtra = Callable[[Operand], dict[str, Any]]


def ast_json(
    parsed: Parsed, of_node: NodeExtra = lambda _node: {}, of_operand: OperandExtra = lambda _operand: {}
) -> dict[str, Any]:
    """``start`` and ``end`` are indexes into the text. The two functions say what else belongs to a part."""
    text, constants = parsed.text, parsed.constants

    def operand(item: Operand) -> dict[str, Any]:
        start, end = operand_span(item, text)
        place = {"start": start, "end": end}
        if isinstance(item, ConstantRef):
            return {"type": "constant", "value": constants[item.index], **place}
        if isinstance(item, Identifier):
            modifier = {"modifier": item.modifier} if item.modifier else {}
            return {"type": "identifier", "name": item.text, **modifier, **place, **of_operand(item)}
        arguments = [operand(argument) for argument in item.arguments]
        return {"type": "call", "name": item.name, "arguments": arguments, **place, **of_operand(item)}

    done: dict[int, dict[str, Any]] = {}
    for node in nodes(parsed.ast):
        start, end = node_span(node, text)
        place = {"start": start, "end": end}
        if isinstance(node, Comparison):
            sign = ("?" if node.at_least_one else "") + node.operator
            sides = {"left": operand(node.left), "operator": sign, "right": operand(node.right)}
            done[id(node)] = {"type": "comparison", **sides, **place, **of_node(node)}
        else:
            items = [done[id(item)] for item in node.items]
            done[id(node)] = {"type": node.operator, "items": items, **place, **of_node(node)}
    return done[id(parsed.ast)]
