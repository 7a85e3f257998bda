"""Truncate: all records of a collection, in steps that hold neither memory nor other writers for long.

Each step is a transaction of its own with its entries in the change log. So a truncation that is cut short has deleted
some records and not others, and is simply asked for again. Where a record could be refused (a required relation
points to it, or to what goes with it), it is one transaction after all: everything goes, or nothing.
"""

from __future__ import annotations

from django.conf import settings

from projects.records.call import Call
from projects.records.delete import delete_all, delete_records
from projects.records.rows import quoted, reader
from projects.schema.collection import CollectionSchema
from projects.schema.fields.relation import RelationField
from projects.schema.operations import truncate_collection


def truncate_step(call: Call, name: str, last: int | None = None) -> int | None:
    """Delete some of the records that were there when the first step began; None when none of them is left.

    ``last`` is what the step before answered. Raises ApiError 404, 400.
    """
    left: list[int | None] = []
    truncate_collection(
        call.session,
        name,
        delete_records=lambda _, collection: left.append(_delete_some(call, collection, last)),
    )
    return left[0]


def _delete_some(call: Call, collection: CollectionSchema, last: int | None) -> int | None:
    place, table = ("rowid" if call.session.engine == "sqlite" else "_rowid_"), quoted(collection.table)
    if last is None:
        if _may_be_refused(call, collection):
            delete_all(call, collection)
            return None
        # Records that are made meanwhile stay: a collection under constant writes would never be empty.
        row = call.session.row(f"SELECT max({place}) FROM {table}")
        last = row[0] if row else None
    if last is None:
        return None
    read, most = reader(call, collection), settings.MBAAS_TRUNCATE_STEP
    lock = "" if call.session.engine == "sqlite" else " FOR UPDATE"
    sql = f"SELECT {read.columns} FROM {table} WHERE {place} <= ? ORDER BY {place} LIMIT {most:d}{lock}"
    rows = call.session.rows(call.session.sql(sql), (last,))
    delete_records(call, collection, [read.values(row) for row in rows])
    return last if len(rows) == most else None


def _may_be_refused(call: Call, collection: CollectionSchema) -> bool:
    """Whether a required relation, which is not deleted along, points to the collection or to what goes with it."""
    going, waiting = {collection.id}, [collection.id]
    while waiting:
        target = waiting.pop()
        for other in call.schema.collections:
            for field in other.fields if other.has_table else ():
                if not isinstance(field, RelationField) or field.collection_id != target:
                    continue
                if field.cascade_delete:
                    if other.id not in going:
                        going.add(other.id)
                        waiting.append(other.id)
                elif field.required:
                    return True
    return False
