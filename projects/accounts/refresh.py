"""``auth-refresh``: a new token for the holder of a valid one."""

from __future__ import annotations

from typing import Any

from projects.accounts.answers import auth_answer, check_auth_rule, superuser_answer
from projects.accounts.collections import is_superusers
from projects.accounts.superusers import find_superuser, issue_superuser_token
from projects.accounts.tokens import issue_token, read_claims
from projects.errors import forbidden, not_found, unauthorized
from projects.records.call import Call


def auth_refresh(call: Call, collection_name: str, token: str) -> dict[str, Any]:
    """``{record, token}`` for the caller; a token that is not refreshable is handed back as it is.

    ``token`` is the one that the call's principal was found by. Raises 404 for the collection, 401 for
    guests and service keys, 403 for the token of another collection and when the ``authRule`` no longer
    holds.
    """
    collection = call.schema.get(collection_name)
    if collection is None:
        raise not_found("Missing or invalid collection context.")
    principal, claims = call.principal, read_claims(token)
    if principal.record is None or claims is None:
        raise unauthorized()
    if principal.collection_id != collection.id:
        raise forbidden(f"The request requires auth record from {principal.collection_name} collection.")
    project, record = call.session.project, dict(principal.record)
    check_auth_rule(call, collection, record)
    if is_superusers(collection):
        superuser = find_superuser(project, claims.id)
        if superuser is None:
            raise unauthorized()
        return superuser_answer(
            call, collection, record, issue_superuser_token(project, collection, superuser)
        )
    fresh = issue_token(project, collection, record) if claims.refreshable else token
    return auth_answer(call, collection, record, fresh)
