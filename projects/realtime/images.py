"""The record before and after a change, where the change came without them or under an older schema."""

from __future__ import annotations

from dataclasses import replace

import orjson

from projects.databases import Session
from projects.realtime.conditions import Values
from projects.records.call import Call
from projects.records.events import ChangeEvent
from projects.records.rows import find
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.store import load_schema


def is_complete(event: ChangeEvent) -> bool:
    """Whether it carries its images. A change too large for the bus between processes comes without them."""
    return (event.action == "create" or event.before is not None) and (
        event.action == "delete" or event.after is not None
    )


def complete(session: Session, event: ChangeEvent) -> tuple[ProjectSchema, ChangeEvent | None]:
    """Today's schema, and the event with its images: the record as it was from the change log, as it is from
    its table. None when the record has gone since; its deletion is told next.
    """
    schema = load_schema(session)
    collection = schema.get(event.collection_id)
    if is_complete(event) or collection is None:
        return schema, event
    before, after = event.before, event.after
    if event.action != "create" and before is None:
        row = session.row(session.sql("SELECT before FROM _changes WHERE seq = ?"), (event.seq,))
        before = orjson.loads(row[0]) if row and row[0] else None
    if event.action != "delete" and after is None:
        after = find(Call(session, schema), collection, event.record_id)
        if after is None:
            return schema, None
    return schema, replace(event, before=before, after=after)


def under(schema: ProjectSchema, collection: CollectionSchema, event: ChangeEvent) -> ChangeEvent:
    """The event as if it had been written under ``schema``: fields that are new since have their zero value."""
    if event.schema_version == schema.version:
        return event
    return replace(event, before=_adapt(collection, event.before), after=_adapt(collection, event.after))


def _adapt(collection: CollectionSchema, record: Values | None) -> Values | None:
    if record is None:
        return None
    return {field.name: record.get(field.name, field.empty()) for field in collection.fields}
