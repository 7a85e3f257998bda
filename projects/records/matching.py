"""Update and delete by filter: every record that matches and that the caller may change, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.databases.deadline import Deadline
from projects.errors import ApiError, FieldError, bad_request, invalid_fields
from projects.records.access import condition_for
from projects.records.auth_fields import UnhashedPasswords
from projects.records.batch import lock_records
from projects.records.call import Call
from projects.records.delete import delete_records
from projects.records.queries import Query, fetch_page
from projects.records.rows import Values
from projects.records.update import update_record
from projects.schema.collection import CollectionSchema


def update_matching(
    call: Call,
    collection: CollectionSchema,
    filter_: str,
    body: Mapping[str, Any],
    most: int,
    deadline: Deadline,
    limit: int | None = None,
) -> int:
    """Change the records that match as ``body`` says; returns how many.

    Only records that the caller may list count, and of those that the update rule refuses nothing is told.
    ``limit``: so many of them at most. Raises 403 where only superusers may list or update, 400 for the filter,
    when more than ``most`` match and no limit was given, or when a record does not take the values; TimedOutError.
    """
    rule = condition_for(call, collection.update_rule)
    # What a rule makes of the body depends on the record: it is asked record by record.
    known = "" if "@request.body" in rule else rule
    count = 0
    for record in _matching(call, collection, known, filter_, most, limit):
        deadline.check()
        try:
            update_record(call, collection, record["id"], body)
        except ApiError as error:
            if error.status == 404:
                continue
            raise ApiError(error.status, f"Failed to update record {record['id']}.", error.data) from None
        except UnhashedPasswords:
            raise bad_request("Passwords are changed one by one.") from None
        count += 1
    return count


def delete_matching(
    call: Call, collection: CollectionSchema, filter_: str, most: int, limit: int | None = None
) -> int:
    """Delete the records that match, with all that follows; returns how many matched and are gone.

    As ``update_matching``; 400 also when a required relation of a record that stays points to one.
    """
    rule = condition_for(call, collection.delete_rule)
    records = _matching(call, collection, rule, filter_, most, limit)
    delete_records(call, collection, records)
    return len(records)


def _matching(
    call: Call, collection: CollectionSchema, rule: str, filter_: str, most: int, limit: int | None
) -> list[Values]:
    """The records, held against others' changes."""
    if not filter_.strip():
        raise invalid_fields(
            "A filter is needed.", {"filter": FieldError("validation_required", "Cannot be blank.")}
        )
    rules = [one for one in (condition_for(call, collection.list_rule), rule) if one.strip()]
    # Each on lines of its own: a rule may end in a comment.
    both = " && ".join(f"(\n{one}\n)" for one in rules)
    query = Query(collection, both, filter_)
    wanted = most + 1 if limit is None else min(limit, most)
    found = fetch_page(call, query, limit=wanted, offset=0)
    if len(found) > most:
        message = f"More than {most} records match: narrow the filter, or give a limit."
        error = FieldError("validation_too_many_records", message, {"max": most})
        raise invalid_fields("Too many records match.", {"filter": error})
    if call.session.engine == "sqlite":
        return found
    ids = {values["id"] for values in found}
    lock_records(call, ((collection, record_id) for record_id in ids))
    # What changed before it was locked may match no more.
    return [values for values in fetch_page(call, query, limit=wanted, offset=0) if values["id"] in ids]
