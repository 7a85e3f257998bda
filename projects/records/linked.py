"""Keeps the link tables of many-valued relations (projects/schema/links.py) in step with the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from projects.context import Engine
from projects.databases import Session
from projects.records.call import Call
from projects.schema.collection import CollectionSchema
from projects.schema.ddl import quote
from projects.schema.links import link_table, linked_fields


@dataclass(frozen=True, slots=True)
class Link:
    """The link table of the relation called ``field``, and the statements that keep it."""

    field: str
    table: str
    adding: str
    clearing: str

    def add(self, session: Session, record_id: str, targets: Sequence[str]) -> None:
        if targets:
            session.execute(self.adding, (record_id, orjson.dumps(targets).decode()))

    def add_many(self, session: Session, records: Iterable[tuple[str, Sequence[str]]]) -> None:
        """``add`` for new records, of which the table has nothing yet: (id, its targets) each."""
        pairs = [(record_id, target) for record_id, targets in records for target in dict.fromkeys(targets)]
        if pairs:
            session.insert_rows(quote(self.table), "record, target", pairs)

    def clear(self, session: Session, record_ids: Sequence[str]) -> None:
        session.execute(self.clearing, (ids_parameter(session, record_ids),))


def links_of(call: Call, collection: CollectionSchema) -> tuple[Link, ...]:
    """The link tables of a collection's many-valued relations."""
    engine = call.session.engine
    return call.schema.derived.get(("links", collection.id), lambda: _links(collection, engine))


def _links(collection: CollectionSchema, engine: Engine) -> tuple[Link, ...]:
    return tuple(
        _link(field.name, link_table(collection, field), engine) for field in linked_fields(collection)
    )


def _link(field: str, table: str, engine: Engine) -> Link:
    name = quote(table)
    if engine == "sqlite":
        adding = f"INSERT OR IGNORE INTO {name} (record, target) SELECT ?, value FROM json_each(?)"
    else:
        adding = (
            f"INSERT INTO {name} (record, target) SELECT %s, value"
            " FROM json_array_elements_text(%s::json) AS item(value) ON CONFLICT DO NOTHING"
        )
    return Link(field, table, adding, f"DELETE FROM {name} WHERE {among('record', engine)}")


def among(column: str, engine: Engine) -> str:
    """The condition that ``column`` is one of the ids that ``ids_parameter`` binds."""
    return f"{column} IN (SELECT value FROM json_each(?))" if engine == "sqlite" else f"{column} = ANY(%s)"


def ids_parameter(session: Session, ids: Sequence[str]) -> object:
    return orjson.dumps(ids).decode() if session.engine == "sqlite" else list(ids)
