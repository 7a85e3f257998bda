"""What every way to sign in answers: a token and the record, as its owner sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from projects.accounts.superusers import visible_superuser
from projects.accounts.tokens import issue_token
from projects.errors import ApiError
from projects.principal import Principal
from projects.records.access import satisfies
from projects.records.call import Call
from projects.records.pick import parse_pick
from projects.records.present import Shape, present_one
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema

LOADING = "An error occurred while loading the submitted data."
VALIDATING = "An error occurred while validating the submitted data."


def check_auth_rule(
    call: Call, collection: CollectionSchema, record: Values, context: str = "default"
) -> None:
    """Raise 403 unless ``record`` may sign in now (``authRule``; null lets nobody). Superusers may let anybody in.

    ``context`` is what ``@request.context`` says.
    """
    if call.principal.is_superuser:
        return
    rule = collection.options["authRule"]
    asked = replace(call, request=replace(call.request, context=context))
    if rule is None or not satisfies(asked, collection, rule, record):
        raise ApiError(403, "The request doesn't satisfy the collection requirements to authenticate.")


def auth_answer(call: Call, collection: CollectionSchema, record: Values, token: str) -> dict[str, Any]:
    """``{record, token}`` in the shape that the query (expand, fields) asks for."""
    query = call.request.query
    owner = call.as_(Principal("user", collection.id, collection.name, record))
    shown = present_one(owner, collection, record, Shape(expand=query.get("expand", "")))
    return picked({"record": shown, "token": token}, query)


def superuser_answer(call: Call, collection: CollectionSchema, record: Values, token: str) -> dict[str, Any]:
    return picked({"record": visible_superuser(collection, record), "token": token}, call.request.query)


def picked(answer: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """The parts of an answer that ``fields`` asks for. Raises 400 for what it cannot read."""
    pick = parse_pick(query.get("fields", ""))
    return pick(answer) if pick else answer


def new_session(call: Call, collection: CollectionSchema, record: Values) -> dict[str, Any]:
    """The answer that signs the record in."""
    return auth_answer(call, collection, record, issue_token(call.session.project, collection, record))
