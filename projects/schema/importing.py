"""Several collections at once: what a schema file holds, merged into the project's or replacing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from projects.schema.view_changes import Settled, finish_change, settle

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
class CollectionChange:
    """What an import makes of one collection; ``old`` is None for a new one."""

    old: CollectionSchema | None
    new: CollectionSchema


@dataclass(frozen=True)
class ImportPlan:
    """A checked import: what it changes and takes away, and the schema that comes of it."""

    changes: tuple[CollectionChange, ...]
    gone: tuple[CollectionSchema, ...]
    settled: Settled


def import_collections(
    session: Session, data: Mapping[str, Any], *, validate_rule: RuleValidator, confirm: bool = False
) -> ImportPlan:
    """Create and update the collections of ``data["collections"]``, all or none; answers what was done.

    Known ones (by id or name) keep fields that the file does not name; with ``data["deleteMissing"]`` those
    fields go, and so do collections (not system ones) that the file does not name. Raises ApiError 400;
    ``confirmation_required`` as in ``update_collection`` and ``delete_collection``.
    """
    store.lock_schema(session)
    plan = plan_import(session, data, validate_rule=validate_rule)
    confirmed = confirm or data.get("confirm") is True
    if not confirmed and (lost := import_losses(session, plan)):
        raise invalid_fields(IMPORT_FAILED, lost)
    with session.savepoint():
        for collection in plan.gone:
            apply_delete(session, collection)
        for change in _out_of_each_others_way(session, plan.changes):
            _apply(session, change)
        finish_change(session, plan.settled, IMPORT_FAILED, {change.new.id for change in plan.changes})
    return plan


def plan_import(session: Session, data: Mapping[str, Any], *, validate_rule: RuleValidator) -> ImportPlan:
    """What ``import_collections`` would do, checked as far as that is possible without doing it; only reads.

    Whether new unique indexes fit the records is found out by building them alone. Raises ApiError 400.
    """
    items, delete_missing = _read(data)
    schema = store.load_schema(session)
    changes = tuple(_change(schema, item, delete_missing=delete_missing) for item in items)
    named = {change.new.id for change in changes}
    gone = tuple(
        collection
        for collection in schema.collections
        if delete_missing and not collection.system and collection.id not in named
    )
    final = _final_schema(schema, changes, gone)
    settled = settle(schema, final, validate_rule, IMPORT_FAILED, named)
    by_id = {collection.id: collection for collection in settled.schema.collections}
    changes = tuple(CollectionChange(change.old, by_id[change.new.id]) for change in changes)
    for change in changes:
        _check(session, change, settled, validate_rule)
    for collection in gone:
        refuse_if_referred(settled.schema, collection)
    return ImportPlan(changes, gone, settled)


def import_losses(session: Session, plan: ImportPlan) -> dict[str, ErrorTree]:
    """The stored values that the import would destroy, by collection."""
    found: dict[str, Any] = {
        change.old.name: lost
        for change in plan.changes
        if change.old is not None and (lost := alter.losses(session, change.old, change.new))
    }
    for collection in plan.gone:
        found.update(records_lost(session, collection))
    return found


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


def _change(schema: ProjectSchema, item: Mapping[str, Any], *, delete_missing: bool) -> CollectionChange:
    old = _known(schema, item)
    try:
        if old is None:
            return CollectionChange(None, draft_of_new(schema, item, IMPORT_FAILED))
        return CollectionChange(
            old, draft_of_update(old, item, IMPORT_FAILED, keep_fields=not delete_missing)
        )
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
    schema: ProjectSchema, changes: Sequence[CollectionChange], gone: Sequence[CollectionSchema]
) -> ProjectSchema:
    left_out = {collection.id for collection in gone} | {change.new.id for change in changes}
    kept = [collection for collection in schema.collections if collection.id not in left_out]
    return ProjectSchema(schema.version, (*kept, *(change.new for change in changes)))


def _check(
    session: Session, change: CollectionChange, settled: Settled, validate_rule: RuleValidator
) -> None:
    new, final = change.new, settled.schema
    others = tuple(other for other in final.collections if other is not new)
    # Collections of one file may point to each other, and to themselves.
    candidate = Candidate(
        new=new,
        old=change.old,
        others=others,
        coming=frozenset(other.id for other in final.collections),
        view_fault=settled.faults.get(new.id, ""),
    )
    try:
        check(session, candidate, final, validate_rule, IMPORT_FAILED)
    except ApiError as error:
        raise _failure(new.name, new.id, error) from None


def _out_of_each_others_way(session: Session, changes: Sequence[CollectionChange]) -> list[CollectionChange]:
    """The changes, after those that get another name took a passing one: names may go round in a ring."""
    moved = []
    for number, change in enumerate(changes):
        old = change.old
        if old is not None and old.has_table and old.name != change.new.name:
            passing = replace(old, name=f"{TEMPORARY_PREFIX}table{number}")
            ddl.take_table(session, old.table, "ACCESS EXCLUSIVE")
            ddl.rename_table(session, old.table, passing.table)
            store.update_collection_row(session, passing)
            moved.append(CollectionChange(passing, change.new))
        else:
            moved.append(change)
    return moved


def _apply(session: Session, change: CollectionChange) -> None:
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
