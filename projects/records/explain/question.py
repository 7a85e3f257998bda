"""What is to be explained: a rule, and who asks it of which record with what request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from projects.errors import FieldError, invalid_fields
from projects.principal import GUEST, Principal, RequestInfo
from projects.records.auth_fields import without_plain
from projects.records.call import Call
from projects.records.create import submitted
from projects.records.queries import fetch_one
from projects.records.rows import Values
from projects.records.write import without_hidden
from projects.rules.review.stored import StoredRule, stored_rules
from projects.schema.collection import SUPERUSERS, CollectionSchema
from projects.schema.record_values import prepare_create, prepare_update

FAILED: Final = "Failed to explain the rule."
_MISSING: Final = FieldError("validation_missing_rel_records", "There is no such record.")
_WRONG: Final = FieldError("validation_invalid_value", "Invalid value.")
_METHODS: Final = {"create": "POST", "update": "PATCH", "delete": "DELETE"}
_CONTEXTS: Final = frozenset({"default", "batch", "realtime", "expand", "oauth2", "otp", "password"})


@dataclass(frozen=True, slots=True)
class Question:
    """``call`` is the one whom the rule is asked for. ``record``: None where none is named."""

    call: Call
    rule: StoredRule
    record: Values | None


def read_question(call: Call, body: Mapping[str, Any]) -> Question:
    """The question that the JSON of a superuser asks. Raises ApiError 400 by field.

    ``collection``; ``rule`` (a text, or null) or ``operation`` (with ``field`` for ``read`` and ``write``), whose
    stored rule is meant; ``user`` (``"collection/id"``, null: a guest); ``record`` (an id, or an object of values);
    ``body``, ``query``, ``headers``, ``method``, ``context`` of the request.
    """
    collection = call.schema.get(_text(body, "collection"))
    if collection is None:
        raise _refused(
            "collection", FieldError("validation_missing_collection", "There is no such collection.")
        )
    if not collection.is_readable:
        raise _refused(
            "collection", FieldError("validation_invalid_value", "Its records are not the project's own.")
        )
    rule = _rule(call, collection, body)
    asked = call.as_(_user(call, body.get("user")))
    asked = Call(call.session, call.schema, _request(asked.request, rule.operation, body))
    record = _record(call, collection, body.get("record"))
    sent = dict(_mapping(body, "body"))
    if rule.operation == "create" and (sent or record is None):
        given = without_hidden(asked, collection, sent)
        values = prepare_create(collection, given)
        return Question(
            asked.with_body(submitted(collection, given, values)), rule, without_plain(collection, values)
        )
    if rule.operation in ("update", "write") and sent and record is not None:
        given = without_hidden(asked, collection, sent)
        changed = prepare_update(collection, record, given)
        return Question(asked.with_body(submitted(collection, given, {**record, **changed})), rule, record)
    return Question(asked.with_body(sent), rule, record)


def _rule(call: Call, collection: CollectionSchema, body: Mapping[str, Any]) -> StoredRule:
    operation, field = body.get("operation") or "", _text(body, "field")
    stored = next(
        (
            one
            for one in stored_rules(call.schema, collection)
            if (one.operation, one.field) == (operation, field)
        ),
        None,
    )
    if "rule" in body:
        text = body["rule"]
        if text is not None and not isinstance(text, str):
            raise _refused("rule", _WRONG)
        if stored is not None:
            return replace(stored, text=text)
        return StoredRule(call.schema, collection, "view", "rule", text)
    if not operation:
        raise _refused(
            "rule", FieldError("validation_required", "Give a rule, or the operation whose rule is meant.")
        )
    if stored is None:
        raise _refused("operation", FieldError("validation_in_invalid", "The collection has no such rule."))
    return stored


def _user(call: Call, given: Any) -> Principal:
    if given in (None, ""):
        return GUEST
    if isinstance(given, Mapping):
        name, record_id = given.get("collection"), given.get("id")
    else:
        name, _, record_id = str(given).partition("/")
    collection = call.schema.get(name) if isinstance(name, str) else None
    if collection is None or not collection.is_auth or not isinstance(record_id, str):
        raise _refused(
            "user", FieldError("validation_invalid_value", 'Must be "collection/id" of an account.')
        )
    if collection.name == SUPERUSERS:
        return Principal("superuser")
    record = fetch_one(call, collection, "", record_id)
    if record is None:
        raise _refused("user", _MISSING)
    return Principal("user", collection.id, collection.name, record)


def _record(call: Call, collection: CollectionSchema, given: Any) -> Values | None:
    if given in (None, ""):
        return None
    if isinstance(given, Mapping):
        return without_plain(collection, prepare_create(collection, given))
    if not isinstance(given, str):
        raise _refused("record", _WRONG)
    found = fetch_one(call, collection, "", given)
    if found is None:
        raise _refused("record", _MISSING)
    return found


def _request(info: RequestInfo, operation: str, body: Mapping[str, Any]) -> RequestInfo:
    headers = {name.lower().replace("-", "_"): value for name, value in _mapping(body, "headers").items()}
    query = _mapping(body, "query")
    for name, values in (("headers", headers), ("query", query)):
        if not all(isinstance(value, str) for value in values.values()):
            raise _refused(name, FieldError("validation_invalid_value", "All values must be texts."))
    method, context = _text(body, "method"), _text(body, "context") or "default"
    if context not in _CONTEXTS:
        raise _refused("context", FieldError("validation_in_invalid", "Must be a valid value."))
    return RequestInfo(
        info.principal, method.upper() or _METHODS.get(operation, "GET"), context, query, headers, {}, info.ip
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise _refused(name, _WRONG)
    return value or ""


def _mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise _refused(name, _WRONG)
    return value or {}


def _refused(name: str, error: FieldError) -> Exception:
    return invalid_fields(FAILED, {name: error})
