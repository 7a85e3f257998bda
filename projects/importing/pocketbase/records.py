"""Records on their way in: many per statement, in steps, each of them whole with its entries in the change log.

A record whose id is there already is left as it is. So an import that was cut short is begun again and goes on where
it stopped, and what was changed here meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings

from projects.context import ProjectHandle
from projects.databases import write_session
from projects.importing.pocketbase.report import Report, Taken
from projects.importing.pocketbase.source import Source
from projects.importing.pocketbase.values import ValueReader, Values
from projects.records.bulk import insert_records
from projects.records.call import Call
from projects.records.rows import existing_ids
from projects.schema.collection import CollectionSchema
from projects.schema.store import load_schema

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
    present = existing_ids(call, collection, [values["id"] for values in records])
    new = [values for values in records if values["id"] not in present]
    refused = insert_records(call, collection, new)
    for place, errors in refused.items():
        reasons = " ".join(f"{name}: {error.message}" for name, error in errors.items())
        report.note_one_of_many("lost", collection.name, f"{collection.name}/{new[place]['id']}", reasons)
    return len(present) + len(new) - len(refused)
