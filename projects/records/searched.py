"""Keeps the index of words (projects/schema/search.py) in step with the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projects.databases import Session
from projects.records.call import Call
from projects.schema import search
from projects.schema.collection import CollectionSchema
from projects.schema.ddl import quote
from projects.schema.fields.base import Field
from projects.schema.search import Words, searchable_fields


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """A collection's index; ``names`` are its searchable fields, ``reading`` gives a record's by its id."""

    collection: CollectionSchema
    fields: tuple[Field, ...]
    names: frozenset[str]
    reading: str

    def add(self, session: Session, records: Sequence[Mapping[str, Any]]) -> None:
        """Find new records by their values."""
        words = [(values["id"], Words.of(self.fields, values)) for values in records]
        search.add(session, self.collection, words)

    def refresh(self, session: Session, record_ids: Sequence[str]) -> None:
        """Find records by what is stored now."""
        words = []
        for record_id in record_ids:
            row = session.row(self.reading, (record_id,))
            assert row is not None
            values = dict(zip((field.name for field in self.fields), row, strict=True))
            words.append((record_id, Words.of(self.fields, values)))
        search.replace(session, self.collection, words)

    def remove(self, session: Session, record_ids: Sequence[str]) -> None:
        search.remove(session, self.collection, record_ids)


def index_of(call: Call, collection: CollectionSchema) -> SearchIndex | None:
    """None for a collection that is not searched."""
    session = call.session
    return call.schema.derived.get(("search", collection.id), lambda: _index(session, collection))


def _index(session: Session, collection: CollectionSchema) -> SearchIndex | None:
    fields = searchable_fields(collection)
    if not fields:
        return None
    columns = ", ".join(quote(field.name) for field in fields)
    reading = session.sql(f"SELECT {columns} FROM {quote(collection.table)} WHERE id = ?")
    return SearchIndex(collection, fields, frozenset(field.name for field in fields), reading)
