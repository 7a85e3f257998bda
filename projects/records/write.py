"""What create and update share: validation against the database, and the driver's refusals as field errors."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg.errors

from projects.errors import ApiError, FieldError, invalid_fields
from projects.records.call import Call
from projects.records.rows import existing_ids
from projects.schema.collection import CollectionSchema
from projects.schema.fields.relation import MISSING_RECORDS, RelationField

NOT_UNIQUE = FieldError("validation_not_unique", "Value must be unique.")
_SQLITE_COLUMNS = re.compile(r"UNIQUE constraint failed: (.+)")
_POSTGRESQL_COLUMNS = re.compile(r"Key \((.+?)\)=\(")

IntegrityErrors = (sqlite3.IntegrityError, psycopg.errors.UniqueViolation)


def without_hidden(call: Call, collection: CollectionSchema, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """``body`` as the caller may send it: hidden fields are for superusers, and nobody is told of them.

    A password of one's own is the exception: hidden to read, there to be set.
    """
    if call.principal.is_superuser:
        return body
    hidden = call.schema.derived.get(("hidden", collection.id), lambda: _hidden_fields(collection))
    return {key: value for key, value in body.items() if _field_of(key) not in hidden} if hidden else body


def _hidden_fields(collection: CollectionSchema) -> frozenset[str]:
    hidden = frozenset(field.name for field in collection.fields if field.hidden)
    return hidden - {"password"} if collection.is_auth else hidden


def _field_of(key: str) -> str:
    """The field that a body's key is about, without its modifier."""
    return key.partition(":")[0].strip("+-")


def missing_relations(
    call: Call, collection: CollectionSchema, values: Mapping[str, Any], names: Iterable[str]
) -> dict[str, FieldError]:
    """An error for each of the relation fields that names a record which does not exist."""
    errors: dict[str, FieldError] = {}
    for name in names:
        field = collection.field_by_name[name]
        if isinstance(field, RelationField):
            ids = set(field.values_of(values[name]))
            target = call.schema.get(field.collection_id)
            if ids and (target is None or len(existing_ids(call, target, sorted(ids))) < len(ids)):
                errors[name] = MISSING_RECORDS
    return errors


def refusal(error: Exception, collection: CollectionSchema, message: str) -> ApiError:
    """The answer to a unique violation: an error for each column of the index, where it names any."""
    names = [name for name in _violated_columns(error) if name in collection.field_by_name]
    return invalid_fields(message, dict.fromkeys(names, NOT_UNIQUE))


def _violated_columns(error: Exception) -> list[str]:
    if isinstance(error, psycopg.errors.UniqueViolation):
        match = _POSTGRESQL_COLUMNS.search(error.diag.message_detail or "")
        return [name.strip().strip('"') for name in match[1].split(",")] if match else []
    match = _SQLITE_COLUMNS.fullmatch(str(error))
    return [part.rpartition(".")[2].strip() for part in match[1].split(",")] if match else []
