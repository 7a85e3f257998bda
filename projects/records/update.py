"""Update: some fields of a record, if the rule lets the caller change it in this way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.errors import invalid_fields, not_found
from projects.records.access import condition_for, satisfies
from projects.records.auth_fields import (
    NOTHING_HASHED,
    HashedPasswords,
    check_auth_update,
    hash_passwords,
    rotate_token_key,
)
from projects.records.call import Call
from projects.records.changelog import log_change
from projects.records.create import submitted
from projects.records.etags import check_unchanged
from projects.records.field_rules import check_written
from projects.records.files import attach_files, release_replaced, take_new_files, unknown_files
from projects.records.rows import Values, find, update
from projects.records.uploads import with_uploads
from projects.records.write import IntegrityErrors, missing_relations, refusal, without_hidden
from projects.schema.collection import CollectionSchema
from projects.schema.record_values import prepare_update, touch_dates, validate_values

FAILED = "Failed to update record."


def update_record(
    call: Call,
    collection: CollectionSchema,
    record_id: str,
    body: Mapping[str, Any],
    hashed: HashedPasswords = NOTHING_HASHED,
    if_match: str = "",
) -> Values:
    """Change the record as ``body`` says and return it whole.

    Raises 403 where only superusers may update, 404 when there is none or the rule refuses, 412 when
    ``if_match`` names another state of it, 400 when a field is wrong, UnhashedPasswords when there is a
    password to hash or check first, UnstoredFiles and UnfinishedUpload when there is a file to store.
    """
    rule = condition_for(call, collection.update_rule)
    body = with_uploads(call, collection, without_hidden(call, collection, body), FAILED)
    before = find(call, collection, record_id, lock=True)
    if before is None:
        raise not_found()
    changed = prepare_update(collection, before, body)
    asked = call.with_body(submitted(collection, body, {**before, **changed}))
    if not satisfies(asked, collection, rule, before):
        raise not_found()
    check_unchanged(call, collection, before, if_match)
    check_written(asked, collection, before, changed, body, FAILED, is_new=False)
    check_auth_update(call, collection, before, changed, body, hashed, FAILED)
    rotate_token_key(collection, before, changed)
    changed.update(touch_dates(collection))
    # Every field, not only the changed ones: what a record was allowed before its collection became stricter
    # must be put in order with the next change.
    errors: dict[str, Any] = {**validate_values(collection, {**before, **changed}, old=before)}
    errors.update(missing_relations(call, collection, changed, [n for n in changed if n not in errors]))
    errors.update(unknown_files(collection, changed, before))
    if errors:
        raise invalid_fields(FAILED, errors)
    hash_passwords(call, collection, changed, hashed, is_new=False)
    files = take_new_files(collection, changed)
    try:
        update(call, collection, record_id, changed)
    except IntegrityErrors as error:
        raise refusal(error, collection, FAILED) from None
    release_replaced(call, collection, before, changed)
    attach_files(call, collection, record_id, files)
    after = {**before, **changed}
    log_change(call, collection, "update", record_id, before, after)
    return after
