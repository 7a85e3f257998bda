"""Empty equals empty: a guest has no id, so ``owner = @request.auth.id`` is true of a record without an owner.

PocketBase compares in the same way. The comparison is reported where the rule hangs on it for somebody whose side is
empty, in a record (or for a request) whose other side can be; so a part beside it that refuses one of them closes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from projects.rules.ast import Identifier, Operand
from projects.rules.paths import Meaning
from projects.rules.review.settling import OPEN, Outcome, marked, settle
from projects.rules.review.sources import (
    NEVER_EMPTY,
    Emptiness,
    account_fields,
    emptiness_of,
    source_of,
)
from projects.rules.review.stored import Leaf, StoredRule
from projects.rules.review.suppose import Supposed, account_without, guest
from projects.rules.review.warnings import RuleWarning

_AGAINST_ACCOUNT = frozenset({"record", "body", "sent"})


def empty_equals_empty(rule: StoredRule) -> Iterator[RuleWarning]:
    for leaf in rule.leaves:
        if leaf.comparison.operator != "=":
            continue
        for mine, meaning, other, against in _both_ways(leaf):
            source = source_of(meaning)
            if source == "account" and source_of(against) in _AGAINST_ACCOUNT:
                yield from _of_account(rule, leaf, mine, meaning, other, against)
            elif source == "sent" and source_of(against) == "record":
                yield from _of_sent(rule, leaf, mine, meaning, other, against)


def _both_ways(leaf: Leaf) -> Iterator[tuple[Operand, Meaning, Operand, Meaning]]:
    comparison = leaf.comparison
    yield comparison.left, leaf.left, comparison.right, leaf.right
    yield comparison.right, leaf.right, comparison.left, leaf.left


def hangs_on(rule: StoredRule, leaf: Leaf, supposed: Supposed) -> bool:
    """Whether, under the assumption, the rule can be true because the comparison is, and not without it."""

    def judge(each: Leaf) -> Outcome:
        if each is leaf:
            return marked(leaf)
        decided = supposed.decide(each)
        return OPEN if decided is None else decided

    outcome = settle(rule, judge)
    return not isinstance(outcome, bool) and leaf.comparison.position in outcome


def _of_account(
    rule: StoredRule, leaf: Leaf, mine: Operand, meaning: Meaning, other: Operand, against: Meaning
) -> Iterator[RuleWarning]:
    name = _name(mine)
    for emptiness in emptiness_of(rule, other, against):
        if _is_true(leaf, guest(emptiness)) and hangs_on(rule, leaf, guest(emptiness)):
            yield RuleWarning(
                "guest_equals_empty",
                "warning",
                rule.collection.name,
                rule.name,
                f"A guest passes {rule.name} where {_name(other)} is empty ({emptiness.why}): {name} of a guest is"
                " empty too, and empty equals empty.",
                f'Add a part that guests do not pass: {name} != "" && (…).',
                rule.field or _field(rule, emptiness),
                leaf.comparison.position,
            )
            return
        empty = _empty_names(rule, meaning)
        supposed = account_without(empty, emptiness)
        if empty and _is_true(leaf, supposed) and hangs_on(rule, leaf, supposed):
            yield RuleWarning(
                "empty_equals_empty",
                "warning",
                rule.collection.name,
                rule.name,
                f"An account whose {name} is empty passes {rule.name} where {_name(other)} is empty"
                f" ({emptiness.why}): empty equals empty.",
                f'Require a value in the account, or add: {name} != "" && (…).',
                rule.field or _field(rule, emptiness),
                leaf.comparison.position,
            )
            return


def _of_sent(
    rule: StoredRule, leaf: Leaf, mine: Operand, meaning: Meaning, other: Operand, against: Meaning
) -> Iterator[RuleWarning]:
    name = _name(mine)
    left_out = emptiness_of(rule, mine, meaning)
    for emptiness in emptiness_of(rule, other, against):
        if left_out and hangs_on(rule, leaf, guest(emptiness)) and _may_be_left_out(rule, leaf, left_out[0]):
            yield RuleWarning(
                "left_out_equals_empty",
                "warning",
                rule.collection.name,
                rule.name,
                f"A request without {name} passes {rule.name} where {_name(other)} is empty ({emptiness.why}):"
                " what is left out is empty, and empty equals empty.",
                f'Add a part that refuses it: {name} != "" && (…).',
                rule.field or _field(rule, emptiness),
                leaf.comparison.position,
            )
            return


def _may_be_left_out(rule: StoredRule, leaf: Leaf, left_out: Emptiness) -> bool:
    return hangs_on(rule, leaf, guest(left_out))


def _is_true(leaf: Leaf, supposed: Supposed) -> bool:
    return supposed.decide(leaf) is True


def _empty_names(rule: StoredRule, meaning: Meaning) -> frozenset[str]:
    """Those fields of an account by which the value can be empty for somebody who is signed in."""
    homes = [c for c in rule.schema.collections if c.is_auth and not c.system]
    names = account_fields(meaning) - NEVER_EMPTY
    return frozenset(
        name
        for name in names
        for home in homes
        if (field := home.field_by_name.get(name)) is None or not (field.required or field.system)
    )


def _name(operand: Operand) -> str:
    return operand.text if isinstance(operand, Identifier) else "the value"


def _field(rule: StoredRule, emptiness: Emptiness) -> str:
    """The rule's own field that the emptiness is of."""
    first = emptiness.path[2] if emptiness.path[:2] == ("@request", "body") else emptiness.path[0]
    return first if first in rule.collection.field_by_name else ""
