"""A collection as the wire contract shows it."""

from __future__ import annotations

from typing import Any

from projects.schema.auth_options import public_auth_options
from projects.schema.collection import HISTORY_RULE, CollectionSchema, CollectionType
from projects.schema.defaults import scaffold
from projects.schema.fields.registry import field_to_json

RULES: tuple[tuple[str, str], ...] = (
    ("listRule", "list_rule"),
    ("viewRule", "view_rule"),
    ("createRule", "create_rule"),
    ("updateRule", "update_rule"),
    ("deleteRule", "delete_rule"),
)


def collection_to_json(collection: CollectionSchema) -> dict[str, Any]:
    """The collection's JSON, its keys in the wire contract's order; secrets are left out."""
    out: dict[str, Any] = {"id": collection.id}
    out.update((wire, getattr(collection, name)) for wire, name in RULES)
    out["name"] = collection.name
    out["type"] = collection.type
    out["fields"] = [field_to_json(field) for field in collection.fields]
    out["indexes"] = list(collection.indexes)
    out["created"] = collection.created
    out["updated"] = collection.updated
    out["system"] = collection.system
    if collection.is_auth:
        out.update(public_auth_options(collection.options))
    # Beyond the wire contract: there only where it is set.
    if collection.history_rule is not None:
        out[HISTORY_RULE] = collection.history_rule
    if collection.is_view:
        out["viewQuery"] = collection.options["viewQuery"]
    return out


def scaffolds_json() -> dict[str, Any]:
    """A blank collection of each type, for ``GET /api/collections/meta/scaffolds``."""
    kinds: tuple[CollectionType, ...] = ("auth", "base", "view")
    return {kind: collection_to_json(scaffold(kind)) for kind in kinds}
