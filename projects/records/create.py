"""Create: a new record, if the rule lets the caller make this one and every field is in order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from projects.errors import bad_request, invalid_fields
from projects.records.access import condition_for, satisfies
from projects.records.auth_fields import (
    NOTHING_HASHED,
    HashedPasswords,
    check_auth_create,
    check_auth_id,
    hash_passwords,
    without_plain,
)
from projects.records.call import Call
from projects.records.changelog import log_change
from projects.records.field_rules import check_written
from projects.records.files import attach_files, take_new_files, unknown_files
from projects.records.insert import insert_at_once, inserts_at_once
from projects.records.rows import Values, insert
from projects.records.uploads import with_uploads
from projects.records.write import IntegrityErrors, missing_relations, refusal, without_hidden
from projects.schema.collection import CollectionSchema
from projects.schema.record_values import named_fields, prepare_create, validate_values

FAILED = "Failed to create record."


def create_record(
    call: Call,
    collection: CollectionSchema,
    body: Mapping[str, Any],
    hashed: HashedPasswords = NOTHING_HASHED,
    dates: Mapping[str, str] = MappingProxyType({}),
) -> Values:
    """Store the record that ``body`` describes and return it whole.

    ``dates`` are those of its autodate fields that it had before, when it was deleted and comes back.

    Raises 403 where only superusers may create, 400 when the rule refuses it or a field is wrong,
    UnhashedPasswords when there is a password to hash first, UnstoredFiles and UnfinishedUpload when there is a
    file to store. What was written until then is undone by whoever opened the transaction, or a savepoint in it.
    """
    rule = condition_for(call, collection.create_rule)
    body = with_uploads(call, collection, without_hidden(call, collection, body), FAILED)
    values = {**prepare_create(collection, body), **dates}
    seen = without_plain(collection, values)
    asked = call.with_body(submitted(collection, body, values))
    if not satisfies(asked, collection, rule, seen):
        raise bad_request(FAILED)
    check_written(asked, collection, seen, values, body, FAILED, is_new=True)
    check_auth_create(call, collection, seen, body, FAILED)
    errors: dict[str, Any] = {**validate_values(collection, values)}
    at_once = not errors and inserts_at_once(call, collection)
    if not at_once:
        errors.update(missing_relations(call, collection, values, [n for n in values if n not in errors]))
    errors.update(unknown_files(collection, values))
    if errors:
        raise invalid_fields(FAILED, errors)
    check_auth_id(call, collection, values, body, FAILED)
    hash_passwords(call, collection, values, hashed, is_new=True)
    files = take_new_files(collection, values)
    try:
        if at_once:
            if not insert_at_once(call, collection, values):
                raise invalid_fields(FAILED, missing_relations(call, collection, values, values))
            return values
        insert(call, collection, values)
    except IntegrityErrors as error:
        raise refusal(error, collection, FAILED) from None
    attach_files(call, collection, values["id"], files)
    log_change(call, collection, "create", values["id"], None, values)
    return values


def submitted(
    collection: CollectionSchema, body: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """``@request.body``: what the client sent, by field, as the operation understood it."""
    return {**body, **{name: values[name] for name in named_fields(collection, body)}}
