"""Every collection and operation with whom its rule lets through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from projects.rules.errors import RuleError
from projects.rules.review.all import review_schema
from projects.rules.review.audience import audience_of, guests_of
from projects.rules.review.stored import StoredRule, stored_rules
from projects.schema.collection import CollectionSchema, ProjectSchema


def overview(schema: ProjectSchema) -> list[dict[str, Any]]:
    """JSON of each collection, in the order of creation: ``rules`` by operation (``rule``, ``audience``, ``guests``,
    and ``public``: guests pass, at least some of them) and ``fields`` with rules of their own."""
    return [_of_collection(schema, collection) for collection in schema.collections]


def rules_report(schema: ProjectSchema) -> dict[str, Any]:
    """``{"collections": overview, "warnings": […]}``, JSON for people and scripts."""
    return {
        "collections": overview(schema),
        "warnings": [warning.as_json() for warning in review_schema(schema)],
    }


def _of_collection(schema: ProjectSchema, collection: CollectionSchema) -> dict[str, Any]:
    rules = list(stored_rules(schema, collection))
    fields: dict[str, dict[str, Any]] = {}
    for rule in rules:
        if rule.field:
            fields.setdefault(rule.field, {})[rule.name] = _entry(rule)
    return {
        "id": collection.id,
        "name": collection.name,
        "type": collection.type,
        "system": collection.system,
        "rules": {rule.operation: _entry(rule) for rule in _of_records(rules)},
        "fields": fields,
    }


def _of_records(rules: Iterable[StoredRule]) -> Iterable[StoredRule]:
    return (rule for rule in rules if not rule.field)


def _entry(rule: StoredRule) -> dict[str, Any]:
    # What was stored before the language refused it is closed: it lets nobody through, it raises.
    try:
        audience, guests = audience_of(rule), guests_of(rule)
    except RuleError as error:
        return {"rule": rule.text, "audience": "superusers", "guests": "never", "public": False,
                "error": error.message}  # fmt: skip
    # To whom accounts may sign in says nothing of who sees records.
    public = guests != "never" and rule.operation not in ("auth", "mfa")
    return {"rule": rule.text, "audience": audience, "guests": guests, "public": public}
