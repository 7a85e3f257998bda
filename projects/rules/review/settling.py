"""A rule under an assumption: true, false, or still open.

There is no negation in the language, so a rule only widens when a comparison in it is taken for true. What is known
under the assumption is put in, "and" and "or" are worked out, and what remains says on which comparisons it hangs.
"""

from __future__ import annotations

from collections.abc import Callable

from projects.rules.ast import Comparison, fold
from projects.rules.review.stored import Leaf, StoredRule

# True, False, or open: then it hangs on the comparisons at these positions, among those that were marked.
Outcome = bool | frozenset[int]
OPEN: frozenset[int] = frozenset()

Judge = Callable[[Leaf], Outcome]


def marked(leaf: Leaf) -> Outcome:
    return frozenset({leaf.comparison.position})


def settle(rule: StoredRule, judge: Judge) -> Outcome:
    """What an expression comes to where ``judge`` says what each of its comparisons does."""
    understood = {id(leaf.comparison): leaf for leaf in rule.leaves}

    def of_leaf(comparison: Comparison) -> Outcome:
        return judge(understood[id(comparison)])

    return fold(rule.parsed.ast, of_leaf, _joined)


def _joined(operator: str, items: list[Outcome]) -> Outcome:
    decisive = operator == "or"
    if any(item is decisive for item in items):
        return decisive
    still_open = [item for item in items if not isinstance(item, bool)]
    return frozenset().union(*still_open) if still_open else not decisive
