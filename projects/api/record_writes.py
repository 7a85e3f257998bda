"""A write of one record, as a request asks for it alone or as a part of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from projects.accounts.superusers import refuse_superuser_write
from projects.api.tagged import Tagged, show
from projects.errors import bad_request, not_found
from projects.records.auth_fields import HashedPasswords
from projects.records.call import Call
from projects.records.create import create_record
from projects.records.delete import delete_record
from projects.records.present import Shape
from projects.records.update import update_record
from projects.records.upsert import upsert_record
from projects.schema.collection import CollectionSchema

Action = Literal["create", "update", "upsert", "delete"]


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """What is to be done; ``collection`` is a name or id, ``shape`` how the answer shows the record.

    ``if_match``: only if the record is in the state that this header names.
    """

    action: Action
    collection: str
    record_id: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)
    if_match: str = ""


def perform(call: Call, write: RecordWrite, hashed: HashedPasswords) -> Tagged | None:
    """The record as it is answered, None for a deletion. Raises what the operation raises."""
    collection = _writable(call, write)
    if write.action == "delete":
        delete_record(call, collection, write.record_id, write.if_match)
        return None
    if write.action == "create":
        record = create_record(call, collection, write.body, hashed)
    elif write.action == "update":
        record = update_record(call, collection, write.record_id, write.body, hashed, write.if_match)
    else:
        record = upsert_record(call, collection, write.body, hashed, write.if_match)
    return show(call, collection, record, write.shape)


def _writable(call: Call, write: RecordWrite) -> CollectionSchema:
    collection = call.schema.get(write.collection)
    if collection is None:
        # The wire contract's two sentences for one thing.
        alone = call.request.context != "batch" and write.action != "delete"
        raise not_found("Missing or invalid collection context." if alone else "Missing collection context.")
    refuse_if_unwritable(call, collection)
    return collection


def refuse_if_unwritable(call: Call, collection: CollectionSchema) -> None:
    """Raises 400 for views, and for superusers, who are managed elsewhere."""
    if collection.is_view:
        raise bad_request("Unsupported collection type.")
    refuse_superuser_write(call, collection.name)
