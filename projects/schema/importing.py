"""Several collections at once: what a schema file holds, merged into the project's or replacing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from projects.errors import ApiError, ErrorTree, FieldError, invalid_fields
from projects.schema import alter, ddl, store
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.fields.checks import BLANK
from projects.schema.names import TEMPORARY_PREFIX
from projects.schema.operations import (
    apply_delete,
    apply_update,
    check,
    draft_of_new,
    draft_of_update,
    records_lost,
    refuse_if_referred,
)
from projects.schema.validation import Candidate, RuleValidator

if TYPE_CHECKING:
    from projects.databases import Session

IMPORT_FAILED: Final = "Failed to import collections."
MALFORMED_IMPORT: Final = "An error occurred while loading the submitted data."
INVALID_IMPORT: Final = "An error occurred while validating the submitted data."

# Complaints that the wire contract words in lower case when they stand inside another message.
_LOWERED: Final = frozenset(
    {
        "validation_required",
        "validation_match_invalid",
        "validation_length_out_of_range",
        "validation_not_in_invalid",
    }
)


@dataclass(frozen=True)
class _Change:
    old: CollectionSchema | None
    new: CollectionSchema


def import_collections(
    session: Session, data: Mapping[str, Any], *, validate_rule: RuleValidator, confirm: bool = False
) -> None:
    """Create and update the collections of ``data["collections"]``, all or none.

    Known ones (by id or name) keep fields that the file does not name; with ``data["deleteMissing"]`` those
    fields go, and so do collections (not system ones) that the file does not name. Raises ApiError 400;
    ``confirmation_required`` as in ``update_collection`` and ``delete_collection``.
    """
    items, delete_missing = _read(data)
    schema = store.lock_schema(session)
    changes = [_change(schema, item, delete_missing=delete_missing) for item in items]
    named = {change.new.id for change in changes}
    gone = [
        collection
        for collection in schema.collections
        if delete_missing and not collection.system and collection.id not in named
    ]
    final = _final_schema(schema, changes, gone)
    confirmed = confirm or data.get("confirm") is True
    with session.savepoint():
        for change in changes:
            _check(session, change, final, validate_rule)
            _refuse_losses(session, change, confirmed=confirmed)
        _delete(session, final, gone, confirmed=confirmed)
        for change in _out_of_each_others_way(session, changes):
            _apply(session, change)
        store.raise_version(session)


def _read(data: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
    items = data.get("collections") or []
    delete_missing = data.get("deleteMissing") or False
    if not isinstance(items, list) or not isinstance(delete_missing, bool):
        raise ApiError(400, MALFORMED_IMPORT)
    if not all(isinstance(item, Mapping) for item in items):
        raise ApiError(400, MALFORMED_IMPORT)
    if not items:
        raise invalid_fields(INVALID_IMPORT, {"collections": BLANK})
    return items, delete_missing


def _change(schema: ProjectSchema, item: Mapping[str, Any], *, delete_missing: bool) -> _Change:
    old = _known(schema, item)
    try:
        if old is None:
            return _Change(None, draft_of_new(schema, item, IMPORT_FAILED))
        return _Change(old, draft_of_update(old, item, IMPORT_FAILED, keep_fields=not delete_missing))
    except ApiError as error:
        raise _failure(str(item.get("name") or ""), str(item.get("id") or ""), error) from None


def _known(schema: ProjectSchema, item: Mapping[str, Any]) -> CollectionSchema | None:
    """The collection that the item means: by its id, else by its name."""
    given_id, name = item.get("id"), item.get("name")
    if isinstance(given_id, str) and given_id:
        return next((other for other in schema.collections if other.id == given_id), None)
    if isinstance(name, str):
        return next((other for other in schema.collections if other.name.lower() == name.lower()), None)
    return None


def _final_schema(
    schema: ProjectSchema, changes: list[_Change], gone: list[CollectionSchema]
) -> ProjectSchema:
    left_out = {collection.id for collection in gone} | {change.new.id for change in changes}
    kept = [collection for collection in schema.collections if collection.id not in left_out]
    return ProjectSchema(schema.version, (*kept, *(change.new for change in changes)))


def _delete(session: Session, final: ProjectSchema, gone: list[CollectionSchema], *, confirmed: bool) -> None:
    for collection in gone:
        refuse_if_referred(final, collection)
        if not confirmed and (lost := records_lost(session, collection)):
            raise invalid_fields(IMPORT_FAILED, lost)
        apply_delete(session, collection)


def _check(session: Session, change: _Change, final: ProjectSchema, validate_rule: RuleValidator) -> None:
    new = change.new
    others = tuple(other for other in final.collections if other is not new)
    # Collections of one file may point to each other, and to themselves.
    candidate = Candidate(
        new=new, old=change.old, others=others, coming=frozenset(other.id for other in final.collections)
    )
    try:
        check(session, candidate, final, validate_rule, IMPORT_FAILED)
    except ApiError as error:
        raise _failure(new.name, new.id, error) from None


def _refuse_losses(session: Session, change: _Change, *, confirmed: bool) -> None:
    if change.old is None or confirmed:
        return
    if lost := alter.losses(session, change.old, change.new):
        raise invalid_fields(IMPORT_FAILED, {change.old.name: lost})


def _out_of_each_others_way(session: Session, changes: list[_Change]) -> list[_Change]:
    """The changes, after those that get another name took a passing one: names may go round in a ring."""
    moved = []
    for number, change in enumerate(changes):
        old = change.old
        if old is not None and old.has_table and old.name != change.new.name:
            passing = replace(old, name=f"{TEMPORARY_PREFIX}table{number}")
            ddl.rename_table(session, old.table, passing.table)
            store.update_collection_row(session, passing)
            moved.append(_Change(passing, change.new))
        else:
            moved.append(change)
    return moved


def _apply(session: Session, change: _Change) -> None:
    if change.old is None:
        alter.create(session, change.new, IMPORT_FAILED)
        store.insert_collection(session, change.new)
    else:
        apply_update(session, change.old, change.new, IMPORT_FAILED)


def _failure(name: str, collection_id: str, error: ApiError) -> ApiError:
    if set(error.data) == {"indexes"}:
        return invalid_fields(IMPORT_FAILED, error.data)
    if error.data:
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
        reasons = orjson.dumps(_messages(error.data), option=options).decode()
        text = f'Data validations failed for collection "{name}" ({collection_id}):\n{reasons}.'
    else:
        text = f"Failed to import the collections configuration. Raw error:\n{error.message}"
    failure = FieldError("validation_collections_import_failure", text)
    return invalid_fields(IMPORT_FAILED, {"collections": failure})


def _messages(tree: ErrorTree) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if not isinstance(value, FieldError):
            out[key] = _messages(value)
        elif value.code in _LOWERED:
            out[key] = (value.message[:1].lower() + value.message[1:]).rstrip(".")
        else:
            out[key] = value.message
    return out
