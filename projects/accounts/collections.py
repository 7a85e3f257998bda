"""Which collections people sign in to, and the answers to a name that is none."""

from __future__ import annotations

from projects.errors import not_found
from projects.records.call import Call
from projects.schema.collection import CollectionSchema


def auth_collection(call: Call, name_or_id: str) -> CollectionSchema:
    """The auth collection with that name or id. Raises 404."""
    collection = call.schema.get(name_or_id)
    if collection is None:
        raise not_found("Missing or invalid collection context.")
    if not collection.is_auth:
        raise not_found("Missing or invalid auth collection context.")
    return collection


def is_superusers(collection: CollectionSchema) -> bool:
    """Whether it is ``_superusers``, whose records are members of the project and no rows."""
    return collection.is_auth and not collection.has_table
