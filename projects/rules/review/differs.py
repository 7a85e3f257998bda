"""A guest differs from everything: what says who may not lets those pass of whom nothing is known."""

from __future__ import annotations

from collections.abc import Iterator

from projects.rules.ast import Identifier
from projects.rules.review.settling import OPEN, Outcome, marked, settle
from projects.rules.review.sources import source_of
from projects.rules.review.stored import Leaf, StoredRule
from projects.rules.review.suppose import guest
from projects.rules.review.warnings import RuleWarning
from projects.rules.review.who import fixed_value, of_guest


def guest_differs(rule: StoredRule) -> Iterator[RuleWarning]:
    candidates = [leaf for leaf in rule.leaves if _is_candidate(leaf)]
    if not candidates:
        return

    def judge(leaf: Leaf) -> Outcome:
        if leaf in candidates:
            return marked(leaf)
        return of_guest(leaf) if leaf.comparison.operator != "!=" else _decided(leaf)

    outcome = settle(rule, judge)
    for leaf in candidates:
        at = leaf.comparison.position
        if isinstance(outcome, bool) or at not in outcome:
            continue
        name = _name(leaf)
        yield RuleWarning(
            "guest_differs",
            "notice" if rule.operation in ("list", "view", "history", "read") else "warning",
            rule.collection.name,
            rule.name,
            f"Guests pass {rule.name}: {name} of a guest is empty, and so differs from what it is compared with.",
            'If guests are not meant, add: @request.auth.id != "" && (…).',
            rule.field,
            at,
        )


def _is_candidate(leaf: Leaf) -> bool:
    if leaf.comparison.operator != "!=":
        return False
    sources = {source_of(leaf.left), source_of(leaf.right)}
    if sources == {"account", "fixed"}:
        return fixed_value(leaf) not in ("", None) and guest().decide(leaf) is True
    return "account" in sources and bool(sources & {"record", "body"})


def _decided(leaf: Leaf) -> Outcome:
    decided = guest().decide(leaf)
    return OPEN if decided is None else decided


def _name(leaf: Leaf) -> str:
    comparison = leaf.comparison
    mine = comparison.left if source_of(leaf.left) == "account" else comparison.right
    return mine.text if isinstance(mine, Identifier) else "the account"
