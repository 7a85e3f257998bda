"""Records on their way in: many per statement, in steps, each of them whole with its entries in the change log.

A record whose id is there already is left as it is. So an import that was cut short is begun again and goes on where
it stopped, and what was changed here meanwhile stays.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from django.conf import settings

from projects.context import ProjectHandle
from projects.databases import Session, write_session
from projects.importing.pocketbase.report import Report, Taken
from projects.importing.pocketbase.source import Source
from projects.importing.pocketbase.values import ValueReader, Values
from projects.records.call import Call
from projects.records.changelog import Change, log_changes
from projects.records.linked import among, ids_parameter
from projects.records.rows import insert_many, quoted
from projects.schema.collection import CollectionSchema
from projects.schema.store import load_schema

# What the engines answer when a record does not fit: a unique index, an index's or a column's limits.
_REFUSALS: Final = (
    sqlite3.IntegrityError,
    psycopg.IntegrityError,
    psycopg.DataError,
    psycopg.errors.ProgramLimitExceeded,
)

Wanted = Callable[[Values], bool]


def copy_records(
    project: ProjectHandle,
    source: Source,
    name: str,
    taken: Taken,
    report: Report,
    advance: Callable[[int], None],
    wanted: Wanted | None = None,
) -> None:
    """The records of the source's collection ``name``, all or those ``wanted``. ``advance(n)`` after each step."""
    with write_session(project) as session:
        collection = Call(session, load_schema(session)).collection(name)
    reader = ValueReader(collection, source.columns(name))
    for rows in source.rows(name, reader.columns, settings.MBAAS_IMPORT_STEP):
        records = list(filter(wanted, map(reader.values, rows)))
        with write_session(project) as session:
            call = Call(session, load_schema(session))
            taken.records += _insert(call, call.collection(collection.id), records, report)
        advance(len(rows))
    if reader.changed:
        reason = f"{reader.changed} values had the character NUL in them, which is gone."
        report.note("changed", name, reason)


def _insert(call: Call, collection: CollectionSchema, records: Sequence[Values], report: Report) -> int:
    """How many of the records are there now."""
    present = _present(call.session, collection, [values["id"] for values in records])
    new = [values for values in records if values["id"] not in present]
    if not new:
        return len(present)
    try:
        with call.session.savepoint():
            _store(call, collection, new)
        return len(present) + len(new)
    except _REFUSALS:
        # One of them. The others are taken without it.
        return len(present) + sum(_insert_one(call, collection, values, report) for values in new)


def _insert_one(call: Call, collection: CollectionSchema, values: Values, report: Report) -> bool:
    try:
        with call.session.savepoint():
            _store(call, collection, [values])
    except _REFUSALS as error:
        reason = (
            "Its values are not unique." if _is_unique(error) else "Its values are too large for an index."
        )
        report.note_one_of_many("lost", collection.name, f"{collection.name}/{values['id']}", reason)
        return False
    return True


def _is_unique(error: Exception) -> bool:
    return isinstance(error, sqlite3.IntegrityError | psycopg.IntegrityError)


def _store(call: Call, collection: CollectionSchema, records: Sequence[Values]) -> None:
    insert_many(call, collection, records)
    log_changes(call, collection, "create", [Change(values["id"], None, values) for values in records])


def _present(session: Session, collection: CollectionSchema, ids: Sequence[str]) -> set[Any]:
    sql = f"SELECT id FROM {quoted(collection.table)} WHERE {among('id', session.engine)}"
    return {row[0] for row in session.rows(sql, (ids_parameter(session, ids),))}
