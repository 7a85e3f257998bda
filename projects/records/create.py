"""Create: a new record, if the rule lets the caller make this one and every field is in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from projects.errors import ErrorTree, bad_request, invalid_fields
from projects.records.access import condition_for, satisfies
from projects.records.call import Call
from projects.records.changelog import log_change
from projects.records.rows import Values, insert
from projects.records.write import IntegrityErrors, missing_relations, refusal
from projects.schema.collection import CollectionSchema
from projects.schema.record_values import prepare_create, validate_values

FAILED = "Failed to create record."


@dataclass(frozen=True, slots=True)
class AuthPart:
    """What the accounts room decided about an auth record's own fields: values to set, errors to answer."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: ErrorTree = field(default_factory=dict)


NO_AUTH_PART = AuthPart()


def create_record(
    call: Call, collection: CollectionSchema, body: Mapping[str, Any], auth: AuthPart = NO_AUTH_PART
) -> Values:
    """Store the record that ``body`` describes and return it whole.

    Raises 403 where only superusers may create, 400 when the rule refuses it or a field is wrong.
    """
    rule = condition_for(call, collection.create_rule)
    values = {**prepare_create(collection, body), **auth.values}
    if not satisfies(call.with_body(submitted(collection, body, values)), collection, rule, values):
        raise bad_request(FAILED)
    errors: dict[str, Any] = {**validate_values(collection, values), **auth.errors}
    unchecked = [name for name in values if name not in errors]
    errors.update(missing_relations(call, collection, values, unchecked))
    if errors:
        raise invalid_fields(FAILED, errors)
    try:
        with call.session.savepoint():
            insert(call, collection, values)
    except IntegrityErrors as error:
        raise refusal(error, collection, FAILED) from None
    log_change(call, collection, "create", values["id"], None, values)
    return values


def submitted(
    collection: CollectionSchema, body: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """``@request.body``: what the client sent, by field, as the operation understood it."""
    fields = collection.field_by_name
    return {name: values[name] if name in fields else value for name, value in body.items()}
