"""How the tables of these tests are read: one field named ``a``, and one value sent for it."""

from __future__ import annotations

from typing import Any

import orjson

from projects.errors import tree_as_json
from projects.schema.fields.base import Field, Invalid
from projects.schema.fields.options import MalformedError
from projects.schema.fields.registry import field_from_json, field_to_json

ABSENT = object()


class Scope:
    """A schema with the one collection ``_pb_users_auth_``."""

    def has_collection(self, collection_id: str) -> bool:
        return collection_id == "_pb_users_auth_"


def field(kind: str, options: dict[str, Any]) -> Field:
    return field_from_json({"id": "fa", "name": "a", "type": kind, **options})


def stored(kind: str, options: dict[str, Any], sent: Any) -> Any:
    """The value kept for what was sent; raises Invalid when it is refused."""
    made = field(kind, options)
    value = made.zero() if sent is ABSENT else made.normalize(sent)
    made.validate(value)
    return value


def as_json(value: Any) -> bytes:
    """Tells 1 from 1.0 and from true, as a client does."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def refused(kind: str, options: dict[str, Any], sent: Any) -> tuple[str, str, Any]:
    """The complaint about what was sent: code, message, params."""
    try:
        kept = stored(kind, options, sent)
    except Invalid as invalid:
        error = invalid.error
        return error.code, error.message, error.params
    raise AssertionError(f"accepted as {kept!r}")


def wire(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """The field's JSON without id, name and type; its options must be in order."""
    made = field(kind, options)
    assert made.check_options(Scope()) == {}
    shown = field_to_json(made)
    assert (shown.pop("id"), shown.pop("name"), shown.pop("type")) == ("fa", "a", kind)
    return shown


def option_errors(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    return tree_as_json(field(kind, options).check_options(Scope()))


def malformed(kind: str, options: dict[str, Any]) -> bool:
    try:
        field(kind, options)
    except MalformedError:
        return True
    return False
