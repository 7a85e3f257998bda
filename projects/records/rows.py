"""Between a collection's table and records: rows become values by field name, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from projects.context import Engine
from projects.records.call import Call
from projects.records.linked import among, ids_parameter, links_of
from projects.records.searched import index_of
from projects.schema.collection import CollectionSchema

Values = dict[str, Any]


def quoted(name: str) -> str:
    """An identifier for SQL text. Names were checked when the collection was saved; this is the second lock."""
    return '"' + name.replace('"', '""') + '"'


class RowReader:
    """Turns a row of all of a collection's columns, in field order, into values by name."""

    __slots__ = ("_convert", "columns", "names")

    def __init__(self, collection: CollectionSchema, engine: Engine) -> None:
        self.names = tuple(field.name for field in collection.fields)
        self.columns = ", ".join(quoted(name) for name in self.names)
        # Text is stored as it leaves: only the columns that need it are converted.
        self._convert = tuple(
            (field.name, read) for field in collection.fields if (read := field.db_reader(engine)) is not None
        )

    def values(self, row: Sequence[Any]) -> Values:
        values = dict(zip(self.names, row, strict=True))
        for name, convert in self._convert:
            values[name] = convert(values[name])
        return values


def reader(call: Call, collection: CollectionSchema) -> RowReader:
    engine = call.session.engine
    return call.schema.derived.get(("rows", collection.id), lambda: RowReader(collection, engine))


def find(call: Call, collection: CollectionSchema, record_id: str, *, lock: bool = False) -> Values | None:
    """The record with that id whatever the rules say, or None. ``lock``: nobody else changes it meanwhile."""
    read = reader(call, collection)

    def statement() -> str:
        # SQLite has one writer at a time: a write session holds all locks there are.
        suffix = " FOR UPDATE" if lock and call.session.engine == "postgresql" else ""
        return call.session.sql(f"SELECT {read.columns} FROM {quoted(collection.table)} WHERE id = ?{suffix}")

    look = call.session.row if lock else call.session.peek
    row = look(call.schema.derived.get(("find", collection.id, lock), statement), (record_id,))
    return read.values(row) if row else None


def existing_ids(call: Call, collection: CollectionSchema, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` that the collection has. On PostgreSQL nobody deletes them before the transaction ends."""
    session = call.session
    lock = "" if session.engine == "sqlite" or not session.is_writing else " FOR KEY SHARE"
    sql = f"SELECT id FROM {quoted(collection.table)} WHERE {among('id', session.engine)}{lock}"
    return {row[0] for row in session.rows(sql, (ids_parameter(session, ids),))}


def insert(call: Call, collection: CollectionSchema, values: Mapping[str, Any]) -> None:
    """Store a new record. Raises the driver's IntegrityError when a unique index refuses it."""

    def statement() -> str:
        columns = ", ".join(quoted(field.name) for field in collection.fields)
        marks = ", ".join("?" for _ in collection.fields)
        return call.session.sql(f"INSERT INTO {quoted(collection.table)} ({columns}) VALUES ({marks})")

    sql = call.schema.derived.get(("insert", collection.id), statement)
    call.session.execute(sql, row_parameters(call, collection, values))
    insert_beside(call, collection, values)


def row_parameters(call: Call, collection: CollectionSchema, values: Mapping[str, Any]) -> list[Any]:
    """The whole record as its table takes it, in field order."""
    engine = call.session.engine
    return [field.to_db(values[field.name], engine) for field in collection.fields]


def is_beside(call: Call, collection: CollectionSchema) -> bool:
    """Whether ``insert_beside`` has anything to do."""
    return bool(links_of(call, collection)) or index_of(call, collection) is not None


def insert_beside(call: Call, collection: CollectionSchema, values: Mapping[str, Any]) -> None:
    """What stands of a new record in other tables than its own."""
    for link in links_of(call, collection):
        link.add(call.session, values["id"], values[link.field])
    if index := index_of(call, collection):
        index.add(call.session, [values])


def insert_many(call: Call, collection: CollectionSchema, records: Sequence[Mapping[str, Any]]) -> None:
    """``insert`` for many records at once, in their order. One that is refused refuses all."""
    session, engine = call.session, call.session.engine
    columns = ", ".join(quoted(field.name) for field in collection.fields)
    makers = [(field.name, field.to_db) for field in collection.fields]
    rows = ([make(values[name], engine) for name, make in makers] for values in records)
    session.insert_rows(quoted(collection.table), columns, rows)
    for link in links_of(call, collection):
        link.add_many(session, ((values["id"], values[link.field]) for values in records))
    if index := index_of(call, collection):
        index.add(session, records)


def update(call: Call, collection: CollectionSchema, record_id: str, changed: Mapping[str, Any]) -> None:
    """Set some fields of a record. Raises the driver's IntegrityError when a unique index refuses it."""
    if not changed:
        return
    session, names = call.session, tuple(changed)
    sql = call.schema.derived.get(
        ("update", collection.id, names), lambda: session.sql(_setting(collection, names) + " WHERE id = ?")
    )
    session.execute(sql, [*_parameters(call, collection, changed), record_id])
    for link in links_of(call, collection):
        if link.field in changed:
            link.clear(session, [record_id])
            link.add(session, record_id, changed[link.field])
    if (index := index_of(call, collection)) and not index.names.isdisjoint(changed):
        index.refresh(session, [record_id])


def update_many(
    call: Call, collection: CollectionSchema, record_ids: Sequence[str], changed: Mapping[str, Any]
) -> None:
    """Set some fields of several records to the same values."""
    session = call.session
    sql = session.sql(_setting(collection, tuple(changed))) + f" WHERE {among('id', session.engine)}"
    session.execute(sql, [*_parameters(call, collection, changed), ids_parameter(session, record_ids)])
    for link in links_of(call, collection):
        if link.field in changed:
            link.clear(session, record_ids)
            for record_id in record_ids:
                link.add(session, record_id, changed[link.field])
    if (index := index_of(call, collection)) and not index.names.isdisjoint(changed):
        index.refresh(session, record_ids)


def _setting(collection: CollectionSchema, names: Sequence[str]) -> str:
    return f"UPDATE {quoted(collection.table)} SET {', '.join(f'{quoted(name)} = ?' for name in names)}"


def _parameters(call: Call, collection: CollectionSchema, changed: Mapping[str, Any]) -> list[Any]:
    engine, fields = call.session.engine, collection.field_by_name
    return [fields[name].to_db(value, engine) for name, value in changed.items()]


def delete(call: Call, collection: CollectionSchema, record_ids: Sequence[str]) -> None:
    """Remove records. What other records say of them is the caller's to settle."""
    for link in links_of(call, collection):
        link.clear(call.session, record_ids)
    if index := index_of(call, collection):
        index.remove(call.session, record_ids)
    session = call.session
    sql = f"DELETE FROM {quoted(collection.table)} WHERE {among('id', session.engine)}"
    session.execute(sql, (ids_parameter(session, record_ids),))
