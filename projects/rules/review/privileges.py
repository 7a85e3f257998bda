"""What accounts can give themselves: fields that rules trust, and the right to manage.

A field of an account is trusted where a rule compares it with something; some are by their name. It can be taken
where the create or update rule lets somebody set it who has no such role yet, and neither ``hidden``, its
``writeRule`` nor a part of the rule about ``@request.body`` stands in the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projects.rules.ast import Comparison, Identifier
from projects.rules.inputs import NO_INPUTS, Input
from projects.rules.paths import Changed, Meaning
from projects.rules.review.settling import OPEN, Outcome, settle
from projects.rules.review.sources import account_fields, source_of
from projects.rules.review.stored import Leaf, StoredRule
from projects.rules.review.warnings import RuleWarning
from projects.rules.review.who import IDENTITY, fixed_value
from projects.rules.values import compare
from projects.schema.collection import CollectionSchema
from projects.schema.fields.base import Field

_NAMES: Final = frozenset(
    (
        *(
            "role",
            "roles",
            "admin",
            "isadmin",
            "administrator",
            "staff",
            "isstaff",
            "superuser",
            "issuperuser",
        ),
        *("moderator", "ismoderator", "permission", "permissions", "scopes", "privileges", "accesslevel"),
        *("isverified", "approved", "isapproved"),
    )
)
# The wire contract keeps these from everybody but those whom manageRule lets.
_MANAGED: Final = frozenset({"email", "emailVisibility", "verified"})


def privileges(rules: list[StoredRule]) -> Iterator[RuleWarning]:
    """Of all rules of a project."""
    trusted = _trusted(rules)
    for rule in rules:
        collection = rule.collection
        if rule.operation == "manage" and rule.is_expression:
            yield from _manages_itself(rule)
        if not collection.is_auth or rule.operation not in ("create", "update") or rule.text is None:
            continue
        for field in collection.fields:
            by = trusted.get(field.name, ())
            is_named = _plain_name(field.name) in _NAMES
            if (by or is_named) and _can_take(rule, field, rules):
                yield _writable(rule, field, by)


def _trusted(rules: list[StoredRule]) -> dict[str, tuple[str, ...]]:
    """The fields of accounts that rules compare with something, and the collections of those rules."""
    found: dict[str, dict[str, None]] = {}
    for rule in rules:
        for leaf in rule.leaves if rule.is_expression else ():
            for mine, other in ((leaf.left, leaf.right), (leaf.right, leaf.left)):
                if source_of(mine) != "account" or _is_nothing(leaf, other):
                    continue
                for name in account_fields(mine) - IDENTITY - _MANAGED:
                    found.setdefault(name, {})[rule.collection.name] = None
    return {name: tuple(collections) for name, collections in found.items()}


def _is_nothing(leaf: Leaf, other: Meaning) -> bool:
    return source_of(other) == "fixed" and fixed_value(leaf) in ("", None)


def _plain_name(name: str) -> str:
    return name.replace("_", "").lower()


def _can_take(rule: StoredRule, field: Field, rules: list[StoredRule]) -> bool:
    if field.hidden or field.system or field.type in ("autodate", "password"):
        return False
    own = [
        r
        for r in rules
        if r.collection is rule.collection and r.field == field.name and r.name == "writeRule"
    ]
    asked = [rule, *own]
    return all(
        not one.is_expression or settle(one, lambda leaf: _of_taker(leaf, field)) is not False
        for one in asked
    )


def _of_taker(leaf: Leaf, field: Field) -> Outcome:
    """Somebody without any role, who sends another value for ``field`` of what may be their own account."""
    comparison, rule = leaf.comparison, leaf.rule
    for operand, meaning, other in (
        (comparison.left, leaf.left, leaf.right),
        (comparison.right, leaf.right, leaf.left),
    ):
        if not isinstance(operand, Identifier):
            continue
        if operand.path[:3] == ("@request", "body", field.name):
            return _of_sent(comparison, operand, meaning, other)
        # A create rule sees the record as it will be.
        if rule.operation == "create" and operand.path[0] == field.name:
            return False
    names = account_fields(leaf.left) | account_fields(leaf.right)
    sources = {source_of(leaf.left), source_of(leaf.right)}
    if field.name in names:
        return False
    if sources == {"account", "fixed"} and comparison.operator != "!=":
        if names & {"collectionId", "collectionName"}:
            # Accounts of another collection are those that look after these.
            return OPEN if fixed_value(leaf) in (rule.collection.id, rule.collection.name) else False
        return OPEN if names & _MANAGED or names <= {"id"} else False
    return OPEN


def _of_sent(comparison: Comparison, operand: Identifier, meaning: Meaning, other: Meaning) -> Outcome:
    says_whether = operand.modifier == "isset" or isinstance(meaning, Changed)
    if says_whether and isinstance(other, Input) and source_of(other) == "fixed":
        return compare(1, comparison.operator, other.read(NO_INPUTS))
    # Compared with something, the value is not the sender's to choose.
    return False


def _writable(rule: StoredRule, field: Field, by: tuple[str, ...]) -> RuleWarning:
    collection = rule.collection
    how = "give themselves at sign-up" if rule.operation == "create" else "change on their own"
    if rule.text is not None and not rule.is_expression and rule.operation == "update":
        how = "change, even without an account"
    why = f"rules of {', '.join(by)} trust it" if by else "its name says that it decides what they may"
    guard = (
        f"@request.body.{field.name}:isset = false && (…)"
        if rule.operation == "create"
        else f"@request.body.{field.name}:changed = false && (…)"
    )
    return RuleWarning(
        "writable_privilege",
        "error" if by else "warning",
        collection.name,
        rule.name,
        f"People can {how} the field {field.name} of {collection.name}, and {why}.",
        f"Add to {rule.name}: {guard}; or hide the field, or give it a writeRule.",
        field.name,
        0,
        by,
    )


def _manages_itself(rule: StoredRule) -> Iterator[RuleWarning]:
    if settle(rule, lambda leaf: _of_self(leaf, rule.collection)) is not True:
        return
    yield RuleWarning(
        "manages_itself",
        "error",
        rule.collection.name,
        rule.name,
        "manageRule lets every account manage itself: mark itself verified, take any e-mail address, and get a new"
        " password without the old one.",
        "manageRule is for those who look after others' accounts; what people may do with their own is updateRule.",
    )


def _of_self(leaf: Leaf, collection: CollectionSchema) -> bool:
    """Whether the comparison holds for somebody without any role, of their own account, for sure."""
    sources = {source_of(leaf.left), source_of(leaf.right)}
    names = account_fields(leaf.left) | account_fields(leaf.right)
    comparison = leaf.comparison
    if sources == {"account", "fixed"}:
        if names == {"id"}:
            return comparison.operator == "!=" and fixed_value(leaf) in ("", None)
        is_home = fixed_value(leaf) in (collection.id, collection.name)
        return bool(names & IDENTITY) and comparison.operator == "=" and is_home
    if comparison.operator != "=" or sources != {"account", "record"} or names != {"id"}:
        return False
    own = comparison.left if source_of(leaf.left) == "record" else comparison.right
    return isinstance(own, Identifier) and own.path == ("id",)
