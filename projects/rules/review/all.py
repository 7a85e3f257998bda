"""The whole review: each hole that there is a check for, in all rules of a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from projects.rules.errors import RuleError
from projects.rules.review.differs import guest_differs
from projects.rules.review.empties import empty_equals_empty
from projects.rules.review.membership import joins_itself
from projects.rules.review.openness import history_looser_than_view, list_looser_than_view, open_to_all
from projects.rules.review.ownership import owner_not_checked
from projects.rules.review.privileges import privileges
from projects.rules.review.sent import trusts_what_is_sent
from projects.rules.review.stored import StoredRule, stored_rules
from projects.rules.review.warnings import SEVERITIES, RuleWarning
from projects.schema.collection import CollectionSchema, ProjectSchema


def review_schema(schema: ProjectSchema) -> tuple[RuleWarning, ...]:
    """All warnings of a project, the gravest first, then by collection, rule and position."""
    return _review(schema, {collection.name for collection in schema.collections})


def review_collections(
    schema: ProjectSchema, collections: Iterable[CollectionSchema]
) -> tuple[RuleWarning, ...]:
    """The warnings of some collections, and those of others that their rules bring about."""
    return _review(schema, {collection.name for collection in collections})


def _review(schema: ProjectSchema, names: set[str]) -> tuple[RuleWarning, ...]:
    rules: list[StoredRule] = []
    found: list[RuleWarning] = []
    for collection in schema.collections:
        # The rules of system collections cannot be changed.
        if collection.system:
            continue
        own = []
        for rule in stored_rules(schema, collection):
            if (broken := _broken(rule)) is None:
                own.append(rule)
            elif collection.name in names:
                found.append(broken)
        if collection.name in names:
            found += _of_collection(own)
        rules += own
    found += (
        one
        for one in (*privileges(rules), *joins_itself(rules))
        if one.collection in names or not names.isdisjoint(one.because_of)
    )
    return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.collection)))


def _broken(rule: StoredRule) -> RuleWarning | None:
    if not rule.is_expression:
        return None
    try:
        rule.leaves  # noqa: B018  (raises what is wrong with it)
    except RuleError as error:
        return RuleWarning(
            "invalid_rule",
            "error",
            rule.collection.name,
            rule.name,
            f"{rule.name} cannot be understood, and refuses everybody: {error.message}.",
            "Correct it; POST /api/rules/explain shows where it breaks.",
            rule.field,
            error.position,
        )
    return None


def _of_collection(rules: list[StoredRule]) -> Iterator[RuleWarning]:
    by_operation = {rule.operation: rule for rule in rules}
    if "list" in by_operation and "view" in by_operation:
        yield from list_looser_than_view(by_operation["list"], by_operation["view"])
    if "history" in by_operation and "view" in by_operation:
        yield from history_looser_than_view(by_operation["history"], by_operation["view"])
    yield from owner_not_checked(rules)
    for rule in rules:
        yield from open_to_all(rule)
        # Before anybody is signed in, these ask of the account itself.
        if rule.is_expression and rule.operation not in ("auth", "mfa"):
            yield from empty_equals_empty(rule)
            yield from guest_differs(rule)
            yield from trusts_what_is_sent(rule)
