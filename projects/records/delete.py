"""Delete: records, and what pointed to them: cascaded, emptied, or a reason to refuse.

What a deletion takes along is worked out first, whole collections at a time: the order in which references are met
decides nothing, and a hundred thousand records go in a few statements. Each still has its entry in the change log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from projects.errors import bad_request, not_found
from projects.records.access import condition_for, satisfies
from projects.records.call import Call
from projects.records.changelog import Change, log_changes
from projects.records.etags import check_unchanged
from projects.records.files import release_files
from projects.records.linked import among, ids_parameter
from projects.records.rows import Values, delete, find, quoted, reader, update_many
from projects.schema.collection import CollectionSchema
from projects.schema.fields.relation import RelationField
from projects.schema.links import link_table
from projects.schema.record_values import touch_dates

REFERENCED = (
    "Failed to delete record. Make sure that the record is not part of a required relation reference."
)
# Records that one statement reads, deletes or logs.
_CHUNK = 2000


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
    delete_records(call, collection, [record])
    return record


def delete_all(call: Call, collection: CollectionSchema) -> None:
    """Delete every record of the collection, whatever its rules: each with its cascade and its log entry.

    Raises 400 when a required relation of another collection points to one.
    """
    read = reader(call, collection)
    lock = "" if call.session.engine == "sqlite" else " ORDER BY id FOR UPDATE"
    rows = call.session.rows(f"SELECT {read.columns} FROM {quoted(collection.table)}{lock}")
    delete_records(call, collection, [read.values(row) for row in rows])


def delete_records(call: Call, collection: CollectionSchema, records: Sequence[Values]) -> None:
    """Delete ``records`` of the collection, and what depends on them, without asking any rule.

    Raises 400 when a required relation of a record that stays points to one; nothing is written then.
    """
    outcome = _Outcome(call)
    outcome.take(collection, records)
    outcome.settle()


class _Outcome:
    """What a deletion comes to: the records that go, and the others as they will be without them."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._gone: dict[str, dict[str, Values]] = {}
        # Records that stay: as stored, and the relations that lose something.
        self._left: dict[str, dict[str, tuple[Values, Values]]] = {}
        self._refused: list[tuple[str, str]] = []
        self._waiting: list[tuple[CollectionSchema, list[str]]] = []

    def take(self, collection: CollectionSchema, records: Sequence[Values]) -> None:
        """These go, and what follows from it."""
        self._remove(collection, records)
        while self._waiting:
            current, ids = self._waiting.pop()
            for other, field in _referrers(self._call, current):
                for first in range(0, len(ids), _CHUNK):
                    self._unlink(current, other, field, ids[first : first + _CHUNK])

    def settle(self) -> None:
        """Write it. Raises 400 when a record that stays may not."""
        if any(record_id not in self._gone.get(other, ()) for other, record_id in self._refused):
            raise bad_request(REFERENCED)
        for collection_id, records in self._gone.items():
            collection = self._call.collection(collection_id)
            for chunk in _chunks(list(records.values())):
                delete(self._call, collection, [values["id"] for values in chunk])
                release_files(self._call, collection, chunk)
                changes = [Change(values["id"], values, None) for values in chunk]
                log_changes(self._call, collection, "delete", changes)
        for collection_id, changed in self._left.items():
            _rewrite(self._call, self._call.collection(collection_id), list(changed.values()))

    def _remove(self, collection: CollectionSchema, records: Sequence[Values]) -> None:
        gone = self._gone.setdefault(collection.id, {})
        new = {values["id"]: values for values in records if values["id"] not in gone}
        if new:
            gone.update(new)
            left = self._left.get(collection.id, {})
            for record_id in new:
                left.pop(record_id, None)
            self._waiting.append((collection, list(new)))

    def _unlink(
        self, current: CollectionSchema, other: CollectionSchema, field: RelationField, ids: list[str]
    ) -> None:
        """What becomes of the records of ``other`` whose ``field`` names one of ``ids``."""
        gone, gone_there = self._gone[current.id], self._gone.get(other.id, {})
        left = self._left.setdefault(other.id, {})
        follow: list[Values] = []
        for row in _referring(self._call, other, field, ids):
            if row["id"] in gone_there:
                continue
            stored, changed = left.get(row["id"], (row, {}))
            stay = [id_ for id_ in field.values_of(stored[field.name]) if id_ not in gone]
            if stay or not (field.cascade_delete or field.required):
                changed[field.name] = stay if field.is_list else field.empty()
                left[row["id"]] = (stored, changed)
            elif field.cascade_delete:
                follow.append(stored)
            else:
                self._refused.append((other.id, row["id"]))
        self._remove(other, follow)


def _referrers(call: Call, collection: CollectionSchema) -> Iterator[tuple[CollectionSchema, RelationField]]:
    for other in call.schema.collections:
        if other.has_table:
            for field in other.fields:
                if isinstance(field, RelationField) and field.collection_id == collection.id:
                    yield other, field


def _referring(call: Call, other: CollectionSchema, field: RelationField, ids: Sequence[str]) -> list[Values]:
    """The records whose ``field`` names one of ``ids``, held against others' changes."""
    session, read = call.session, reader(call, other)
    if field.is_list:
        named = among("target", session.engine)
        where = f"id IN (SELECT record FROM {quoted(link_table(other, field))} WHERE {named})"
    else:
        where = among(quoted(field.name), session.engine)
    lock = "" if session.engine == "sqlite" else " ORDER BY id FOR UPDATE"
    sql = f"SELECT {read.columns} FROM {quoted(other.table)} WHERE {where}{lock}"
    return [read.values(row) for row in session.rows(sql, (ids_parameter(session, ids),))]


def _rewrite(call: Call, collection: CollectionSchema, changed: Sequence[tuple[Values, Values]]) -> None:
    """Take what went out of the records that stay; updates like any other, with their dates and their log."""
    dates = touch_dates(collection)
    alike: dict[bytes, tuple[dict[str, Any], list[Values]]] = {}
    for stored, values in changed:
        key = orjson.dumps(values)
        alike.setdefault(key, ({**values, **dates}, []))[1].append(stored)
    for values, records in alike.values():
        for chunk in _chunks(records):
            update_many(call, collection, [stored["id"] for stored in chunk], values)
            changes = [Change(stored["id"], stored, {**stored, **values}) for stored in chunk]
            log_changes(call, collection, "update", changes)


def _chunks(records: Sequence[Values]) -> Iterator[Sequence[Values]]:
    for first in range(0, len(records), _CHUNK):
        yield records[first : first + _CHUNK]
