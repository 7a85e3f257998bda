"""What each part of a rule comes to, by asking the permission evaluator each part as a rule of its own.

A part by itself may be true where the whole is false: comparisons that go through the same many records mean one of
them, so that two may each hold for another.
"""

from __future__ import annotations

from collections.abc import Mapping

from projects.records.access import now, part_satisfies
from projects.records.explain.question import Question
from projects.rules import Parsed, Undecidable, compile_predicate
from projects.rules.ast import Comparison, Logic, Node, nodes

# True, False; None where it depends on a record that was not given.
Verdict = bool | None
Verdicts = Mapping[int, Verdict]


def verdicts_of(question: Question, parsed: Parsed) -> Verdicts:
    """The verdict of each node, by its identity."""
    found: dict[int, Verdict] = {}
    for node in nodes(parsed.ast):
        part = Parsed(parsed.key, node, parsed.constants, True, parsed.text)
        if question.record is not None:
            found[id(node)] = part_satisfies(question.call, question.rule.collection, part, question.record)
        else:
            found[id(node)] = _without_record(question, part, found)
    return found


def _without_record(question: Question, part: Parsed, inside: Verdicts) -> Verdict:
    """What the request alone decides. There is no negation: one false part refuses, one true alternative lets."""
    call = question.call
    try:
        predicate = compile_predicate(part, call.schema, question.rule.collection)
    except Undecidable:
        node = part.ast
        if isinstance(node, Comparison):
            return None
        decisive = node.operator == "or"
        return decisive if any(inside[id(item)] is decisive for item in node.items) else None
    return predicate.decided(call.request, now())


def failed(ast: Node, verdicts: Verdicts) -> list[Comparison]:
    """The comparisons because of which the rule is false, in the order of the text."""
    found: list[Comparison] = []
    pending: list[Node] = [ast] if verdicts[id(ast)] is False else []
    while pending:
        node = pending.pop()
        if isinstance(node, Logic):
            pending.extend(item for item in reversed(node.items) if verdicts[id(item)] is False)
        else:
            found.append(node)
    return found
