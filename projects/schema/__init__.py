"""Collections and fields of a project: what they are, how they change, and how values fit them."""

from __future__ import annotations

from projects.schema.collection import CollectionSchema, CollectionType, ProjectSchema
from projects.schema.importing import import_collections
from projects.schema.operations import (
    create_collection,
    delete_collection,
    list_collections,
    truncate_collection,
    update_collection,
    view_collection,
)
from projects.schema.record_values import prepare_create, prepare_update, touch_dates, validate_values
from projects.schema.seed import seed_system_collections
from projects.schema.serialize import collection_to_json, scaffolds_json
from projects.schema.store import load_schema, schema_version
from projects.schema.validation import RuleValidator

__all__ = [
    "CollectionSchema",
    "CollectionType",
    "ProjectSchema",
    "RuleValidator",
    "collection_to_json",
    "create_collection",
    "delete_collection",
    "import_collections",
    "list_collections",
    "load_schema",
    "prepare_create",
    "prepare_update",
    "scaffolds_json",
    "schema_version",
    "seed_system_collections",
    "touch_dates",
    "truncate_collection",
    "update_collection",
    "validate_values",
    "view_collection",
]
