"""Shorthands of the schema's tests: collections made and records put into them without the records room."""

from __future__ import annotations

from typing import Any

from projects.databases import Session
from projects.errors import ApiError, InvalidRuleError
from projects.schema import (
    CollectionSchema,
    ProjectSchema,
    create_collection,
    load_schema,
    prepare_create,
    update_collection,
)
from projects.schema.ddl import ROWID, quote

USERS_ID = "_pb_users_auth_"


def any_rule(text: str, schema: ProjectSchema, collection: CollectionSchema) -> None:
    """Every rule is in order."""


def rule_of_fields(text: str, schema: ProjectSchema, collection: CollectionSchema) -> None:
    """A rule is the name of a field of its collection."""
    assert schema.get(collection.id) is collection
    if text not in collection.field_by_name:
        raise InvalidRuleError(f'unknown field "{text}"')


def make(session: Session, name: str, /, *fields: dict[str, Any], **rest: Any) -> CollectionSchema:
    return create_collection(session, {"name": name, "fields": list(fields), **rest}, validate_rule=any_rule)


def change(session: Session, which: str, /, confirm: bool = False, **data: Any) -> CollectionSchema:
    return update_collection(session, which, data, validate_rule=any_rule, confirm=confirm)


def put(session: Session, collection: CollectionSchema, /, **body: Any) -> str:
    """Store a record; returns its id."""
    values = prepare_create(collection, body)
    columns = ", ".join(quote(field.name) for field in collection.fields)
    places = ", ".join("?" * len(collection.fields))
    params = [field.to_db(values[field.name], session.engine) for field in collection.fields]
    session.execute(
        session.sql(f"INSERT INTO {quote(collection.table)} ({columns}) VALUES ({places})"), params
    )
    return str(values["id"])


def records(session: Session, name: str) -> list[dict[str, Any]]:
    """All records of a collection in the order of their ids, as the API shows values."""
    collection = load_schema(session).get(name)
    assert collection is not None
    columns = ", ".join(quote(field.name) for field in collection.fields)
    rows = session.rows(f"SELECT {columns} FROM {quote(collection.table)} ORDER BY id")
    return [
        {
            field.name: field.from_db(raw, session.engine)
            for field, raw in zip(collection.fields, row, strict=True)
        }
        for row in rows
    ]


def values(session: Session, name: str, field: str) -> list[Any]:
    return [record[field] for record in records(session, name)]


def errors(error: ApiError) -> dict[str, Any]:
    data: dict[str, Any] = error.as_json()["data"]
    return data


def columns_of(session: Session, table: str) -> set[str]:
    """The columns that the table really has, the one that counts rows aside."""
    if session.engine == "sqlite":
        return {row[1] for row in session.rows(f"PRAGMA table_info({quote(table)})")}
    found = session.rows(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s",
        (table,),
    )
    return {row[0] for row in found} - {ROWID}


def indexes_of(session: Session, table: str) -> set[str]:
    """The indexes that the table really has, those that its own constraints made aside."""
    if session.engine == "sqlite":
        found = session.rows(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
            (table,),
        )
    else:
        found = session.rows(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_class t ON t.oid = i.indrelid"
            " WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = %s"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)",
            (table,),
        )
    return {row[0] for row in found}
