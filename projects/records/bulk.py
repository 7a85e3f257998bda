"""Many records in one transaction: whole statements for all of them, and where one is refused, the others without it.

No rule is asked: whoever calls this may do everything. The checks of the fields are the caller's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import psycopg

from projects.databases import Session
from projects.errors import FieldError
from projects.records.call import Call
from projects.records.changelog import Change, log_changes
from projects.records.files import release_replaced
from projects.records.linked import among, ids_parameter
from projects.records.rows import Values, insert_many, quoted, reader, update
from projects.records.write import NOT_UNIQUE, IntegrityErrors, refusal
from projects.schema.collection import CollectionSchema

T = TypeVar("T")

# What the engines answer when a record does not fit: a unique index, an index's or a column's limits.
_REFUSALS: Final = (
    sqlite3.IntegrityError,
    psycopg.IntegrityError,
    psycopg.DataError,
    psycopg.errors.ProgramLimitExceeded,
)
TOO_LARGE: Final = FieldError("validation_too_large", "The value is too large for an index.")

Errors = dict[str, FieldError]


class Update(NamedTuple):
    """One record's change: as it is stored, and the fields that become another."""

    before: Values
    changed: Values


def insert_records(call: Call, collection: CollectionSchema, records: Sequence[Values]) -> dict[int, Errors]:
    """Store new records with their links and their entries in the change log; the refused ones by their place."""

    def store(some: Sequence[Values]) -> None:
        insert_many(call, collection, some)
        changes = [Change(values["id"], None, values) for values in some]
        log_changes(call, collection, "create", changes)

    return _all_or_each(call.session, collection, records, store)


def update_records(call: Call, collection: CollectionSchema, updates: Sequence[Update]) -> dict[int, Errors]:
    """Change records, each of them named once; the refused ones by their place."""

    def store(some: Sequence[Update]) -> None:
        for before, changed in some:
            update(call, collection, before["id"], changed)
            release_replaced(call, collection, before, changed)
        changes = [Change(one.before["id"], one.before, {**one.before, **one.changed}) for one in some]
        log_changes(call, collection, "update", changes)

    return _all_or_each(call.session, collection, updates, store)


def find_many(call: Call, collection: CollectionSchema, ids: Sequence[str]) -> dict[str, Values]:
    """The records with these ids, by id, held against others' changes."""
    session, read = call.session, reader(call, collection)
    lock = "" if session.engine == "sqlite" else " ORDER BY id FOR UPDATE"
    where = among("id", session.engine)
    sql = f"SELECT {read.columns} FROM {quoted(collection.table)} WHERE {where}{lock}"
    found = map(read.values, session.rows(sql, (ids_parameter(session, ids),)))
    return {values["id"]: values for values in found}


def _all_or_each(
    session: Session, collection: CollectionSchema, items: Sequence[T], store: Callable[[Sequence[T]], None]
) -> dict[int, Errors]:
    if not items:
        return {}
    try:
        with session.savepoint():
            store(items)
    except _REFUSALS:
        # One of them: all are tried alone.
        return _each(session, collection, items, store)
    return {}


def _each(
    session: Session, collection: CollectionSchema, items: Sequence[T], store: Callable[[Sequence[T]], None]
) -> dict[int, Errors]:
    refused: dict[int, Errors] = {}
    for place, item in enumerate(items):
        try:
            with session.savepoint():
                store([item])
        except _REFUSALS as error:
            refused[place] = _errors(error, collection)
    return refused


def _errors(error: Exception, collection: CollectionSchema) -> Errors:
    if not isinstance(error, IntegrityErrors):
        return {"id": TOO_LARGE}
    found: Any = refusal(error, collection, "").data
    return dict(found) or {"id": NOT_UNIQUE}
