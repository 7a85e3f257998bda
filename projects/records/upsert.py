"""Upsert: update the record whose id the body names, or create it where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.errors import ApiError
from projects.records.auth_fields import NOTHING_HASHED, HashedPasswords
from projects.records.call import Call
from projects.records.create import create_record
from projects.records.etags import CHANGED
from projects.records.rows import Values, find
from projects.records.update import update_record
from projects.schema.collection import CollectionSchema


def upsert_record(
    call: Call,
    collection: CollectionSchema,
    body: Mapping[str, Any],
    hashed: HashedPasswords = NOTHING_HASHED,
    if_match: str = "",
) -> Values:
    """The record after the update or the creation, whichever it was; rules see the method that it stands for.

    Raises what that operation raises, and 412 when there is nothing that ``if_match`` could be about.
    """
    record_id = upserted_id(collection, body)
    creating, updating = call.with_method("POST"), call.with_method("PATCH")
    if exists(call, collection, record_id):
        return update_record(updating, collection, record_id, body, hashed, if_match)
    if if_match:
        raise ApiError(412, CHANGED)
    try:
        with call.session.savepoint():
            return create_record(creating, collection, body, hashed)
    except ApiError as error:
        # On PostgreSQL another may have created it in between.
        if "id" not in error.data or not exists(call, collection, record_id):
            raise
    return update_record(updating, collection, record_id, body, hashed, if_match)


def upserted_id(collection: CollectionSchema, body: Mapping[str, Any]) -> str:
    """The id of the record that an upsert is about; "" for a new one."""
    return str(collection.field_by_name["id"].normalize(body.get("id")))


def exists(call: Call, collection: CollectionSchema, record_id: str) -> bool:
    return bool(record_id) and find(call, collection, record_id) is not None
