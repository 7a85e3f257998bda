"""``impersonate``: a superuser gets a token of an end user, which cannot be refreshed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.accounts.answers import LOADING, VALIDATING, auth_answer
from projects.accounts.collections import auth_collection, is_superusers
from projects.accounts.tokens import issue_token
from projects.errors import FieldError, bad_request, forbidden, invalid_fields, not_found, unauthorized
from projects.records.call import Call
from projects.records.rows import find

_TOO_SHORT = FieldError(
    "validation_min_greater_equal_than_required", "Must be no less than 0.", {"threshold": 0}
)


def impersonate(
    call: Call, collection_name: str, record_id: str, body: Mapping[str, Any] | None
) -> dict[str, Any]:
    """``{record, token}``; the token lasts ``duration`` seconds, or (0) as long as the user's own.

    ``body`` is None when it could not be read. Raises 401, 403 for others than superusers, 404, 400.
    """
    if call.principal.kind == "guest":
        raise unauthorized()
    if not call.principal.is_superuser:
        raise forbidden("The authorized record is not allowed to perform this action.")
    collection = auth_collection(call, collection_name)
    if is_superusers(collection):
        # Such a token would outlive the key or the membership that it was made with.
        raise forbidden("Superusers cannot be impersonated.")
    record = find(call, collection, record_id)
    if record is None:
        raise not_found()
    seconds = _duration(body)
    token = issue_token(call.session.project, collection, record, refreshable=False, seconds=seconds)
    return auth_answer(call, collection, record, token)


def _duration(body: Mapping[str, Any] | None) -> int:
    seconds = 0 if body is None else body.get("duration") or 0
    if body is None or isinstance(seconds, bool) or not isinstance(seconds, int):
        raise bad_request(LOADING)
    if seconds < 0:
        raise invalid_fields(VALIDATING, {"duration": _TOO_SHORT})
    return seconds
