"""What superusers do with collections: list, view, create, update, delete, truncate.

Each change is one transaction of the caller's session: tables, metadata and version together, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from projects.databases.changes import log_dropped
from projects.databases.stored_files import release_collection
from projects.errors import ApiError, FieldError, invalid_fields, not_found
from projects.schema import alter, ddl, links, search, store
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.dates import now_text
from projects.schema.defaults import new_collection
from projects.schema.draft import COLLECTION_TYPES, complete, merge, read_type
from projects.schema.fields.options import MalformedError, as_text
from projects.schema.fields.relation import RelationField
from projects.schema.ids import free_collection_id
from projects.schema.names import INTERNAL_NAME
from projects.schema.validation import Candidate, RuleValidator, collection_errors
from projects.schema.view_changes import finish_change, refuse_if_viewed, settle

if TYPE_CHECKING:
    from projects.databases import Session

CREATE_FAILED = "Failed to create collection."
UPDATE_FAILED = "Failed to update collection."
DELETE_FAILED = "Failed to delete collection."
TRUNCATE_FAILED = (
    "Failed to truncate collection (most likely due to required cascade delete record references)."
)
TRUNCATE_VIEW = "View collections cannot be truncated since they don't store their own records."
MALFORMED = "Failed to load the submitted data due to invalid formatting."
MALFORMED_TYPE = "Failed to load the collection type data due to invalid formatting."

_UNKNOWN_TYPE = FieldError("validation_in_invalid", "Must be a valid value.")
# System collections whose rows belong to users of auth collections.
_OWNED_TABLES = ("_externalAuths", "_authOrigins", "_mfas", "_otps")


class RecordsDeleter(Protocol):
    """Deletes all records of a collection, with cascades and change log; raises ApiError when it cannot."""

    def __call__(self, session: Session, collection: CollectionSchema) -> None: ...


def list_collections(session: Session) -> tuple[CollectionSchema, ...]:
    """All collections in the order of their creation."""
    return store.load_schema(session).collections


def view_collection(session: Session, id_or_name: str) -> CollectionSchema:
    """Raises ApiError 404."""
    return _found(store.load_schema(session), id_or_name)


def create_collection(
    session: Session, data: Mapping[str, Any], *, validate_rule: RuleValidator
) -> CollectionSchema:
    """A new collection with its table. ``data``: the wire JSON. Raises ApiError 400."""
    schema = store.lock_schema(session)
    settled = settle(schema, schema.with_collection(draft_of_new(schema, data)), validate_rule, CREATE_FAILED)
    new = settled.schema.collections[-1]
    candidate = Candidate(new, None, schema.collections, view_fault=settled.faults.get(new.id, ""))
    check(session, candidate, settled.schema, validate_rule, CREATE_FAILED)
    with session.savepoint():
        alter.create(session, new, CREATE_FAILED)
        store.insert_collection(session, new)
        finish_change(session, settled, CREATE_FAILED, {new.id})
    return new


def update_collection(
    session: Session,
    id_or_name: str,
    data: Mapping[str, Any],
    *,
    validate_rule: RuleValidator,
    confirm: bool = False,
) -> CollectionSchema:
    """The collection with the keys of ``data`` changed. Fields are matched by id, so a rename keeps data.

    Raises ApiError 404, and 400; with code ``confirmation_required`` by field when stored values would be
    lost and neither ``confirm`` nor ``data["confirm"]`` is true.
    """
    schema = store.lock_schema(session)
    old = _found(schema, id_or_name)
    # The wire contract looks the collection up again by the id that was sent.
    if data.get("id") not in (None, old.id):
        raise not_found()
    draft = draft_of_update(old, data)
    settled = settle(schema, schema.with_collection(draft), validate_rule, UPDATE_FAILED, {old.id})
    new = settled.schema.collections[-1]
    others = tuple(other for other in settled.schema.collections if other.id != old.id)
    candidate = Candidate(new, old, others, view_fault=settled.faults.get(new.id, ""))
    check(session, candidate, settled.schema, validate_rule, UPDATE_FAILED)
    if not (confirm or data.get("confirm") is True) and (lost := alter.losses(session, old, new)):
        raise invalid_fields(UPDATE_FAILED, lost)
    with session.savepoint():
        apply_update(session, old, new)
        finish_change(session, settled, UPDATE_FAILED, {new.id})
    return new


def delete_collection(session: Session, id_or_name: str, *, confirm: bool = False) -> None:
    """The collection, its table and its records, gone. Raises ApiError 404, and 400 for system collections,
    for one that relations of others point to, and for one with records unless ``confirm``."""
    schema = store.lock_schema(session)
    collection = _found(schema, id_or_name)
    if collection.system:
        raise ApiError(400, DELETE_FAILED)
    refuse_if_referred(schema, collection)
    refuse_if_viewed(schema, collection, DELETE_FAILED)
    if not confirm and (lost := records_lost(session, collection)):
        raise invalid_fields(DELETE_FAILED, lost)
    apply_delete(session, collection)
    store.raise_version(session)


def truncate_collection(session: Session, id_or_name: str, *, delete_records: RecordsDeleter) -> None:
    """All records of the collection, gone. Raises ApiError 404, and 400 when one cannot be deleted."""
    collection = _found(store.load_schema(session), id_or_name)
    if collection.is_view:
        raise ApiError(400, TRUNCATE_VIEW)
    if not collection.has_table:
        raise ApiError(400, TRUNCATE_FAILED)
    with session.savepoint():
        delete_records(session, collection)


def _found(schema: ProjectSchema, id_or_name: str) -> CollectionSchema:
    collection = schema.get(id_or_name)
    if collection is None:
        raise not_found()
    return collection


def draft_of_new(
    schema: ProjectSchema, data: Mapping[str, Any], message: str = CREATE_FAILED
) -> CollectionSchema:
    """The new collection that the JSON describes, complete but not checked. Raises ApiError 400."""
    try:
        kind = read_type(data)
    except MalformedError:
        raise ApiError(400, MALFORMED_TYPE) from None
    if kind not in COLLECTION_TYPES:
        raise invalid_fields(message, {"type": _UNKNOWN_TYPE})
    try:
        given_id = as_text(data.get("id") or "")
        draft = merge(new_collection(kind), data)
    except MalformedError:
        raise ApiError(400, MALFORMED) from None
    taken = {collection.id for collection in schema.collections}
    draft = replace(draft, id=given_id or free_collection_id(kind, draft.name, taken))
    now = now_text()
    return replace(complete(draft), created=now, updated=now)


def draft_of_update(
    old: CollectionSchema,
    data: Mapping[str, Any],
    message: str = UPDATE_FAILED,
    *,
    keep_fields: bool = False,
) -> CollectionSchema:
    """The collection as the JSON changes it, complete but not checked. Raises ApiError 400.

    ``keep_fields``: fields that the JSON does not name stay.
    """
    try:
        kind = read_type({"type": data.get("type") or old.type, "name": data.get("name")})
        merged = merge(old, data)
    except MalformedError:
        raise ApiError(400, MALFORMED) from None
    if kind not in COLLECTION_TYPES:
        raise invalid_fields(message, {"type": _UNKNOWN_TYPE})
    if kind != old.type:
        change = FieldError("validation_collection_type_change", "Collection type cannot be changed.")
        raise invalid_fields(message, {"type": change})
    if keep_fields:
        ids = merged.field_by_id
        kept = tuple(field for field in old.fields if field.id not in ids)
        merged = replace(merged, fields=(*merged.fields, *kept))
    return replace(complete(merged, old), updated=now_text())


def check(
    session: Session,
    candidate: Candidate,
    schema: ProjectSchema,
    validate_rule: RuleValidator,
    message: str,
) -> None:
    """Raises ApiError 400 with everything that is wrong with the candidate."""
    errors = collection_errors(candidate, schema, validate_rule)
    name = candidate.new.name
    own_tables = {collection.table.lower() for collection in store.load_schema(session).collections}
    # Tables that are no collection's: the engines', Django's, its apps'.
    if "name" not in errors and name.lower() not in own_tables and ddl.relation_exists(session, name):
        errors["name"] = INTERNAL_NAME
    if errors:
        raise invalid_fields(message, errors)


def apply_update(
    session: Session, old: CollectionSchema, new: CollectionSchema, message: str = UPDATE_FAILED
) -> None:
    """Table and metadata of a checked update; the caller raises the version."""
    with session.savepoint():
        alter.alter(session, old, new, message)
        store.update_collection_row(session, new)


def apply_delete(session: Session, collection: CollectionSchema) -> None:
    """Table, metadata and what belongs to its users; the caller raises the version."""
    with session.savepoint():
        if collection.is_auth:
            for table in _OWNED_TABLES:
                statement = f'DELETE FROM {ddl.quote(table)} WHERE "collectionRef" = ?'
                session.execute(session.sql(statement), (collection.id,))
        if collection.has_table:
            ddl.take_table(session, collection.table, "ACCESS EXCLUSIVE")
            links.drop_links(session, collection)
            search.drop_index(session, collection)
            ddl.drop_table(session, collection)
            log_dropped(session, collection.id, now_text())
        if collection.file_fields:
            release_collection(session, collection.id)
        store.delete_collection_row(session, collection.id)


def records_lost(session: Session, collection: CollectionSchema) -> dict[str, FieldError]:
    """The complaint that deleting the collection needs confirmation, if it has records."""
    if not collection.has_table or not ddl.holds_rows(session, collection.table):
        return {}
    return {collection.name: alter.confirmation_required("The collection has records that would be lost.")}


def refuse_if_referred(schema: ProjectSchema, collection: CollectionSchema) -> None:
    """Raises ApiError 400 when relations of other collections of ``schema`` point to the collection."""
    holders = [
        other.name
        for other in schema.collections
        if other.id != collection.id
        and any(
            isinstance(field, RelationField) and field.collection_id == collection.id
            for field in other.fields
        )
    ]
    if holders:
        names = ", ".join(holders)
        raise ApiError(400, f"{DELETE_FAILED[:-1]} probably due to existing reference in {names}.")
