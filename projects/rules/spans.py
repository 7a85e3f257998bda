"""Where the parts of a rule start and end in its text."""

from __future__ import annotations

import re

from projects.rules.ast import Call, Comparison, Identifier, Node, Operand

Span = tuple[int, int]

# As the grammar has them: a constant, and what may stand before a closing parenthesis.
_CONSTANT = re.compile(
    r"""\"[^\"\\]*(?:\\.[^\"\\]*)*\"|'[^'\\]*(?:\\.[^'\\]*)*'|-?[0-9]+(?:\.[0-9]+)?|-\.[0-9]+|[A-Za-z]+""",
    re.S,
)
_CLOSING = re.compile(r"(?:\s|//[^\n]*)*\)")
_OPENING = re.compile(r"(?:\s|//[^\n]*)*\(")


def operand_span(operand: Operand, text: str) -> Span:
    """From where it starts to behind its last character."""
    start = operand.position
    if isinstance(operand, Identifier):
        return start, start + len(operand.text)
    if isinstance(operand, Call):
        return start, _end_of_call(operand, text)
    found = _CONSTANT.match(text, start)
    return start, found.end() if found else start


def _end_of_call(call: Call, text: str) -> int:
    at = call.position + len(call.name)
    if call.arguments:
        at = operand_span(call.arguments[-1], text)[1]
    elif opening := _OPENING.match(text, at):
        at = opening.end()
    closing = _CLOSING.match(text, at)
    return closing.end() if closing else at


def node_span(node: Node, text: str) -> Span:
    """Of a group: from its first comparison to its last, without the parentheses around it."""
    first = last = node
    while not isinstance(first, Comparison):
        first = first.items[0]
    while not isinstance(last, Comparison):
        last = last.items[-1]
    return operand_span(first.left, text)[0], operand_span(last.right, text)[1]
