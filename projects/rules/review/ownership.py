"""Who can make records in another's name: an owner that other rules ask for, and the create rule does not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from projects.rules.ast import Identifier
from projects.rules.review.settling import Outcome, settle
from projects.rules.review.stored import Leaf, StoredRule
from projects.rules.review.warnings import RuleWarning
from projects.rules.review.who import is_of_person, of_stranger


def owner_not_checked(rules: list[StoredRule]) -> Iterator[RuleWarning]:
    """Of the rules of one collection."""
    create = next((rule for rule in rules if rule.operation == "create"), None)
    if create is None or create.text is None:
        return
    for name in _owners(rules):
        field = create.collection.field_by_name[name]
        if field.hidden or field.write_rule:
            continue
        if create.is_expression and settle(create, partial(_of_impostor, owner=name)) is False:
            continue
        yield RuleWarning(
            "owner_not_checked",
            "notice",
            create.collection.name,
            create.name,
            f"Whoever may create can name somebody else as {name}, whom other rules take for the owner.",
            f"Add to {create.name}: {name} = @request.auth.id.",
            name,
        )
        return


def _owners(rules: list[StoredRule]) -> Iterator[str]:
    """The record's own relations by which update and delete rules know its owner."""
    for rule in rules:
        if rule.operation not in ("update", "delete") or not rule.is_expression:
            continue
        for leaf in rule.leaves:
            if not is_of_person(leaf) or leaf.comparison.operator != "=":
                continue
            for operand in (leaf.comparison.left, leaf.comparison.right):
                path = operand.path if isinstance(operand, Identifier) else ()
                field = rule.collection.field_by_name.get(path[0]) if path else None
                if field is not None and field.type == "relation" and path[1:] in ((), ("id",)):
                    yield field.name


def _of_impostor(leaf: Leaf, owner: str) -> Outcome:
    for operand in (leaf.comparison.left, leaf.comparison.right):
        if isinstance(operand, Identifier):
            path = operand.path[2:] if operand.path[:2] == ("@request", "body") else operand.path
            if path[:1] == (owner,):
                return False
    return of_stranger(leaf)
