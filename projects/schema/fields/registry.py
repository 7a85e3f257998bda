"""Field types by name. A new type is one class and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.base import Field, MalformedError
from projects.schema.fields.boolean import BoolField
from projects.schema.fields.date import DateField
from projects.schema.fields.editor import EditorField
from projects.schema.fields.email import EmailField
from projects.schema.fields.file import FileField
from projects.schema.fields.geo_point import GeoPointField
from projects.schema.fields.json import JsonField
from projects.schema.fields.number import NumberField
from projects.schema.fields.password import PasswordField
from projects.schema.fields.relation import RelationField
from projects.schema.fields.select import SelectField
from projects.schema.fields.text import TextField
from projects.schema.fields.url import UrlField

_types: dict[str, type[Field]] = {}


def register(field_type: type[Field]) -> None:
    """Make a field type known under its ``type`` name."""
    _types[field_type.type] = field_type


def field_types() -> Mapping[str, type[Field]]:
    """All known types by name."""
    return _types


def field_from_json(data: Any) -> Field:
    """The field that a collection's JSON describes. Raises MalformedError (unknown type, wrong JSON type)."""
    if not isinstance(data, Mapping):
        raise MalformedError("expected an object")
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in _types:
        raise MalformedError(f"unknown field type {kind!r}")
    return _types[kind].from_options(data)


def field_to_json(field: Field) -> dict[str, Any]:
    """The field as the wire contract shows it."""
    return field.as_json()


for _type in (
    TextField, NumberField, BoolField, EmailField, UrlField, EditorField, DateField, AutodateField,
    SelectField, JsonField, RelationField, GeoPointField, PasswordField, FileField,
):  # fmt: skip
    register(_type)
