"""The rules that a collection stores, each with what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from projects.rules.ast import Comparison, comparisons
from projects.rules.parse import Parsed, parse_rule
from projects.rules.paths import Meaning
from projects.rules.resolve import Resolver
from projects.schema.collection import HISTORY_RULE, CollectionSchema, ProjectSchema
from projects.schema.serialize import RULES

Operation = Literal[
    "list", "view", "create", "update", "delete", "history", "auth", "manage", "mfa", "read", "write"
]


# slots are left out where cached_property needs the instance dict.
@dataclass(frozen=True, eq=False)
class StoredRule:
    """``text``: None lets superusers, "" everyone. ``name``: on the wire; ``field``: whose rule it is, or ""."""

    schema: ProjectSchema
    collection: CollectionSchema
    operation: Operation
    name: str
    text: str | None
    field: str = ""

    @property
    def is_expression(self) -> bool:
        return self.text is not None and bool(self.text.strip())

    @cached_property
    def parsed(self) -> Parsed:
        return parse_rule(self.text or "")

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Its comparisons in the order of the text, understood."""
        resolver = Resolver(self.schema, self.collection, self.parsed.constants)
        return tuple(Leaf(self, c, *resolver.sides(c)) for c in comparisons(self.parsed.ast))


@dataclass(frozen=True, eq=False)
class Leaf:
    """A comparison of a rule, with what its operands mean."""

    rule: StoredRule
    comparison: Comparison
    left: Meaning
    right: Meaning


def stored_rules(schema: ProjectSchema, collection: CollectionSchema) -> Iterator[StoredRule]:
    """All rules of the collection, those of its fields last."""
    for wire, name in RULES[:2] if collection.is_view else RULES:
        operation: Operation = wire.removesuffix("Rule")  # type: ignore[assignment]
        yield StoredRule(schema, collection, operation, wire, getattr(collection, name))
    if not collection.is_view:
        yield StoredRule(schema, collection, "history", HISTORY_RULE, collection.history_rule)
    if collection.is_auth:
        yield StoredRule(schema, collection, "auth", "authRule", collection.options["authRule"])
        yield StoredRule(schema, collection, "manage", "manageRule", collection.options["manageRule"])
        if collection.options["mfa"]["enabled"]:
            yield StoredRule(schema, collection, "mfa", "mfa.rule", collection.options["mfa"]["rule"])
    for field in collection.fields:
        if field.read_rule:
            yield StoredRule(schema, collection, "read", "readRule", field.read_rule, field.name)
        if field.write_rule:
            yield StoredRule(schema, collection, "write", "writeRule", field.write_rule, field.name)
