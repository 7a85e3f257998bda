"""What each part of a rule comes to, by asking the permission evaluator: the whole rule, and each comparison as a rule
of its own.

A group is asked too where its parts do not tell. An "or" is true where a part is, an "and" false where one is; but an
"and" of true parts may be false: comparisons that go through the same many records mean one of them, and two may each
hold for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from projects.records.access import now, part_satisfies
from projects.records.explain.question import Question
from projects.rules import Parsed, Undecidable, compile_predicate
from projects.rules.ast import Comparison, Logic, Node, comparisons, nodes
from projects.rules.paths import Key, variables

# True, False; None where it depends on a record that was not given, or there was too much to ask.
Verdict = bool | None
Verdicts = Mapping[int, Verdict]

# Comparisons in all the groups that are asked of one rule: nesting must not multiply the work.
MOST_ASKED: Final = 1000


def verdicts_of(question: Question, parsed: Parsed) -> Verdicts:
    """The verdict of each node, by its identity."""
    found: dict[int, Verdict] = {}
    asked = 0
    shared = _Shared(question)
    for node in nodes(parsed.ast):
        shared.add(node)
        if isinstance(node, Comparison):
            found[id(node)] = _ask(question, parsed, node)
            continue
        verdict = _told(node, found)
        if node is parsed.ast:
            answer = _ask(question, parsed, node)
            verdict = verdict if answer is None else answer
        elif verdict is None and all(found[id(item)] is not None for item in node.items):
            if not shared.within(node):
                verdict = node.operator == "and"
            elif asked <= MOST_ASKED:
                asked += len(comparisons(node))
                verdict = _ask(question, parsed, node)
        found[id(node)] = verdict
    return found


def _ask(question: Question, parsed: Parsed, node: Node) -> Verdict:
    """The evaluator's answer; without a record what the request decides alone, if it does."""
    call, collection = question.call, question.rule.collection
    part = Parsed(parsed.key, node, parsed.constants, True, parsed.text)
    if question.record is not None:
        return part_satisfies(call, collection, part, question.record)
    try:
        return compile_predicate(part, call.schema, collection).decided(call.request, now())
    except Undecidable:
        return None


def _told(node: Logic, inside: Verdicts) -> Verdict:
    """What one of the parts decides."""
    decisive = node.operator == "or"
    return decisive if any(inside[id(item)] is decisive for item in node.items) else None


class _Shared:
    """Which many records the parts of a rule go through, and whether parts of a group go through the same."""

    def __init__(self, question: Question) -> None:
        self._of_leaf = {
            id(leaf.comparison): frozenset({*variables(leaf.left), *variables(leaf.right)})
            for leaf in question.rule.leaves
        }
        self._of_node: dict[int, frozenset[Key]] = {}

    def add(self, node: Node) -> None:
        """After the nodes inside it."""
        if isinstance(node, Comparison):
            self._of_node[id(node)] = self._of_leaf[id(node)]
        else:
            self._of_node[id(node)] = frozenset().union(*(self._of_node[id(item)] for item in node.items))

    def within(self, node: Logic) -> bool:
        """Of an "and" alone: where none of an "or" holds for any record, it holds for none."""
        if node.operator == "or":
            return False
        return sum(len(self._of_node[id(item)]) for item in node.items) > len(self._of_node[id(node)])


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
