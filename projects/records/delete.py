"""Delete: a record, and what pointed to it: cascaded, emptied, or a reason to refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projects.errors import bad_request, not_found
from projects.records.access import condition_for, satisfies
from projects.records.call import Call
from projects.records.changelog import log_change
from projects.records.etags import check_unchanged
from projects.records.rows import Values, delete, find, quoted, reader, update
from projects.schema.collection import CollectionSchema
from projects.schema.fields.relation import RelationField
from projects.schema.record_values import touch_dates

REFERENCED = (
    "Failed to delete record. Make sure that the record is not part of a required relation reference."
)


def delete_record(call: Call, collection: CollectionSchema, record_id: str, if_match: str = "") -> Values:
    """Delete the record and return it as it was.

    Raises 403 where only superusers may delete, 404 when there is none or the rule refuses, 412 when
    ``if_match`` names another state of it, 400 when a required relation of another record points to it.
    """
    rule = condition_for(call, collection.delete_rule)
    record = find(call, collection, record_id, lock=True)
    if record is None or not satisfies(call, collection, rule, record):
        raise not_found()
    check_unchanged(call, collection, record, if_match)
    _remove(call, collection, record)
    return record


def delete_all(call: Call, collection: CollectionSchema) -> None:
    """Delete every record of the collection, whatever its rules: each with its cascade and its log entry.

    Raises 400 when a required relation of another collection points to one.
    """
    read = reader(call, collection)
    for row in call.session.rows(f"SELECT {read.columns} FROM {quoted(collection.table)}"):
        _remove(call, collection, read.values(row))


def _remove(call: Call, collection: CollectionSchema, record: Values) -> None:
    """Delete one record after everything that depends on it. Works through a stack: chains can be long."""
    waiting: list[tuple[CollectionSchema, Values]] = [(collection, record)]
    removed: set[tuple[str, str]] = set()
    while waiting:
        current, values = waiting.pop()
        if not delete(call, current, values["id"]):
            # Reached on two ways, and gone since the first.
            continue
        removed.add((current.id, values["id"]))
        log_change(call, current, "delete", values["id"], values, None)
        for other, field in _referrers(call, current):
            for row in _referring(call, other, field, values["id"]):
                if (other.id, row["id"]) in removed:
                    continue
                left = [id_ for id_ in field.values_of(row[field.name]) if id_ != values["id"]]
                if left or not (field.cascade_delete or field.required):
                    _empty(call, other, field, row, left)
                elif field.cascade_delete:
                    waiting.append((other, row))
                else:
                    raise bad_request(REFERENCED)


def _referrers(call: Call, collection: CollectionSchema) -> Iterator[tuple[CollectionSchema, RelationField]]:
    for other in call.schema.collections:
        if other.type == "view":
            continue
        for field in other.fields:
            if isinstance(field, RelationField) and field.collection_id == collection.id:
                yield other, field


def _referring(call: Call, other: CollectionSchema, field: RelationField, record_id: str) -> list[Values]:
    """The records whose ``field`` names ``record_id``."""
    read = reader(call, other)
    column = quoted(field.name)
    if not field.is_list:
        where = f"{column} = ?"
    elif call.session.engine == "sqlite":
        where = f"EXISTS (SELECT 1 FROM json_each({column}) AS item WHERE item.value = ?)"
    else:
        where = f"{column} @> to_jsonb(?::text)"
    sql = call.session.sql(f"SELECT {read.columns} FROM {quoted(other.table)} WHERE {where}")
    return [read.values(row) for row in call.session.rows(sql, (record_id,))]


def _empty(call: Call, other: CollectionSchema, field: RelationField, row: Values, left: list[str]) -> None:
    """Take the deleted record out of ``field``; an update like any other, with its dates and its log."""
    changed: dict[str, Any] = {field.name: left if field.is_list else "", **touch_dates(other)}
    update(call, other, row["id"], changed)
    log_change(call, other, "update", row["id"], row, {**row, **changed})
