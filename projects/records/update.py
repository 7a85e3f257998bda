"""Update: some fields of a record, if the rule lets the caller change it in this way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from projects.errors import ErrorTree, invalid_fields, not_found
from projects.records.access import condition_for, satisfies
from projects.records.call import Call
from projects.records.changelog import log_change
from projects.records.create import NO_AUTH_PART, AuthPart, submitted
from projects.records.rows import Values, find, update
from projects.records.write import IntegrityErrors, missing_relations, refusal
from projects.schema.collection import CollectionSchema
from projects.schema.record_values import prepare_update, touch_dates, validate_values

FAILED = "Failed to update record."

# Decides about an auth record's own fields, given the record as it is.
AuthDecision = Callable[[Values], AuthPart]


def update_record(
    call: Call,
    collection: CollectionSchema,
    record_id: str,
    body: Mapping[str, Any],
    auth: AuthDecision | None = None,
) -> Values:
    """Change the record as ``body`` says and return it whole.

    Raises 403 where only superusers may update, 404 when there is none or the rule refuses, 400 when a
    field is wrong.
    """
    rule = condition_for(call, collection.update_rule)
    before = find(call, collection, record_id, lock=True)
    if before is None:
        raise not_found()
    changed = prepare_update(collection, before, body)
    asked = call.with_body(submitted(collection, body, {**before, **changed}))
    if not satisfies(asked, collection, rule, before):
        raise not_found()
    part = auth(before) if auth else NO_AUTH_PART
    changed.update(part.values)
    changed.update(touch_dates(collection))
    after = {**before, **changed}
    errors = _errors(call, collection, before, after, changed, part.errors)
    if errors:
        raise invalid_fields(FAILED, errors)
    try:
        with call.session.savepoint():
            update(call, collection, record_id, changed)
    except IntegrityErrors as error:
        raise refusal(error, collection, FAILED) from None
    log_change(call, collection, "update", record_id, before, after)
    return after


def _errors(
    call: Call,
    collection: CollectionSchema,
    before: Values,
    after: Values,
    changed: Mapping[str, Any],
    auth_errors: ErrorTree,
) -> dict[str, Any]:
    errors: dict[str, Any] = {**validate_values(collection, after, changed, before), **auth_errors}
    names = [name for name in changed if name not in errors]
    errors.update(missing_relations(call, collection, after, names))
    return errors
