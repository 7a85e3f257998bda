"""From a request's body to a record's values: coercions, modifiers, generated values and field checks.

Nothing here needs a database; that values are unique and relations exist is for the writer to check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from projects.errors import FieldError
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text
from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.base import Field, Invalid
from projects.schema.fields.text import TextField

_SIGNS: Final = ("+", "-")
PK_CHANGE: Final = FieldError("validation_pk_change", "The record primary key cannot be changed.")


def prepare_create(collection: CollectionSchema, body: Mapping[str, Any]) -> dict[str, Any]:
    """Every field's value for a new record: what the body says, else generated, else zero. Never raises.

    Password fields hold plain text: the writer puts their PasswordHash in place before it stores them.
    """
    now = now_text()
    modified = _has_modifiers(collection, body)
    values: dict[str, Any] = {}
    for field in collection.fields:
        name = field.name
        if isinstance(field, AutodateField):
            values[name] = now if field.on_create else ""
            continue
        value = _given(field, body[name]) if name in body else field.empty()
        if modified:
            value = _modified(field, value, body)
        if not value and isinstance(field, TextField) and field.autogenerate_pattern:
            value = field.generated()
        values[name] = value
    return values


def prepare_update(
    collection: CollectionSchema, old: Mapping[str, Any], body: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of the fields that the body names (by themselves or by a modifier). Never raises.

    ``old`` is the whole record as stored; autodate fields are not touched, see ``touch_dates``.
    """
    modified = _has_modifiers(collection, body)
    values: dict[str, Any] = {}
    for field in collection.fields:
        name = field.name
        if isinstance(field, AutodateField):
            continue
        if name in body:
            values[name] = _given(field, body[name])
        if modified and any(key in body for key, _ in _modifier_keys(field)):
            values[name] = _modified(field, values.get(name, old.get(name, field.empty())), body)
    return values


def named_fields(collection: CollectionSchema, body: Mapping[str, Any]) -> list[str]:
    """The fields that the body names, by themselves or by a modifier."""
    modified = _has_modifiers(collection, body)
    return [
        field.name
        for field in collection.fields
        if field.name in body or (modified and any(key in body for key, _ in _modifier_keys(field)))
    ]


def touch_dates(collection: CollectionSchema) -> dict[str, str]:
    """The autodate values that an update sets."""
    now = now_text()
    return {
        field.name: now for field in collection.fields if isinstance(field, AutodateField) and field.on_update
    }


def validate_values(
    collection: CollectionSchema,
    values: Mapping[str, Any],
    changed: Iterable[str] | None = None,
    old: Mapping[str, Any] | None = None,
) -> dict[str, FieldError]:
    """What is wrong with normalised values, by field; only ``changed`` fields when given.

    With ``old`` (an update) the id must stay what it was.
    """
    names = values.keys() if changed is None else values.keys() & set(changed)
    found: dict[str, FieldError] = {}
    for field in collection.fields:
        if field.name not in names:
            continue
        if old is not None and field.name == "id" and values["id"] != old["id"]:
            found["id"] = PK_CHANGE
            continue
        try:
            field.validate(values[field.name])
        except Invalid as invalid:
            found[field.name] = invalid.error
    return found


def _given(field: Field, value: Any) -> Any:
    return None if value is None and field.nullable else field.normalize(value)


def _has_modifiers(collection: CollectionSchema, body: Mapping[str, Any]) -> bool:
    if body.keys() <= collection.field_by_name.keys():
        return False
    return any(key[-1:] in _SIGNS or key[:1] == "+" or ":" in key for key in body)


def _modifier_keys(field: Field) -> list[tuple[str, str]]:
    """(body key, modifier) in the order in which they apply."""
    keys = {
        "prefix+": f"+{field.name}",
        "+": f"{field.name}+",
        "-": f"{field.name}-",
        "autogenerate": f"{field.name}:autogenerate",
    }
    return [(key, modifier) for modifier, key in keys.items() if modifier in field.modifiers]


def _modified(field: Field, value: Any, body: Mapping[str, Any]) -> Any:
    for key, modifier in _modifier_keys(field):
        if key in body:
            value = field.modify(field.zero() if value is None else value, modifier, body[key])
    return value
