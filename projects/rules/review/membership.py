"""Who can write themselves into what other rules take for membership.

``team.memberships_via_team.user ?= @request.auth.id`` trusts the records of ``memberships``: where its create rule asks
only that a new one names whoever makes it, everyone joins whatever they like.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from projects.rules.ast import Identifier
from projects.rules.paths import AnyOf, Back, Column, Meaning, chain
from projects.rules.review.settling import settle
from projects.rules.review.sources import account_fields, source_of
from projects.rules.review.stored import Leaf, StoredRule
from projects.rules.review.warnings import RuleWarning
from projects.rules.review.who import IDENTITY, fixed_value, is_of_person


def joins_itself(rules: list[StoredRule]) -> Iterator[RuleWarning]:
    """Of all rules of a project."""
    trusted = _trusted(rules)
    for rule in rules:
        fields = trusted.get(rule.collection.id)
        if rule.operation != "create" or fields is None or not rule.is_expression:
            continue
        if settle(rule, partial(_of_joiner, fields=frozenset(fields))) is True:
            by = tuple(dict.fromkeys(name for names in fields.values() for name in names))
            yield RuleWarning(
                "joins_itself",
                "notice",
                rule.collection.name,
                rule.name,
                f"Every account may make a record of {rule.collection.name} that names itself, and rules of"
                f" {', '.join(by)} let in whom such a record names.",
                "If not everyone may join, ask who may add members: the lead of the team, say.",
                next(iter(fields)),
                0,
                by,
            )


def _trusted(rules: list[StoredRule]) -> dict[str, dict[str, list[str]]]:
    """By collection: the fields by which others' rules find an account in its records, and whose rules those are."""
    found: dict[str, dict[str, list[str]]] = {}
    for rule in rules:
        for leaf in rule.leaves if rule.is_expression else ():
            for mine, other in ((leaf.left, leaf.right), (leaf.right, leaf.left)):
                column = _of_other_records(mine)
                if column is None or leaf.comparison.operator != "=" or not account_fields(other) & IDENTITY:
                    continue
                home = column.row.collection
                if home is not None and home.id != rule.collection.id:
                    found.setdefault(home.id, {}).setdefault(column.field.name, []).append(
                        rule.collection.name
                    )
    return found


def _of_other_records(meaning: Meaning) -> Column | None:
    """The value, if it is a field of records that point here, or of any of a collection."""
    if isinstance(meaning, Column) and isinstance(chain(meaning.row)[-1], Back | AnyOf):
        return meaning
    return None


def _of_joiner(leaf: Leaf, fields: frozenset[str]) -> bool:
    """Whether the comparison holds for sure for somebody who names themselves, and knows nobody."""
    sources = {source_of(leaf.left), source_of(leaf.right)}
    if sources == {"account", "fixed"}:
        names = account_fields(leaf.left) | account_fields(leaf.right)
        return names == {"id"} and leaf.comparison.operator == "!=" and fixed_value(leaf) in ("", None)
    if not is_of_person(leaf) or leaf.comparison.operator != "=":
        return False
    for operand in (leaf.comparison.left, leaf.comparison.right):
        if isinstance(operand, Identifier):
            path = operand.path[2:] if operand.path[:2] == ("@request", "body") else operand.path
            if path in {(name, *more) for name in fields for more in ((), ("id",))}:
                return True
    return False
