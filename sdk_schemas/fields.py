"""A field as JSON Schema: as it is read, and as it may be written, with an example of its value."""

from __future__ import annotations

import re
from typing import Any, Final

from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.base import Field
from projects.schema.fields.boolean import BoolField
from projects.schema.fields.date import DateField
from projects.schema.fields.editor import EditorField
from projects.schema.fields.email import EmailField
from projects.schema.fields.file import FileField
from projects.schema.fields.geo_point import GeoPointField
from projects.schema.fields.json import JsonField
from projects.schema.fields.manyvalued import ManyValuedField
from projects.schema.fields.number import NumberField
from projects.schema.fields.password import MAX_CHARACTERS, PasswordField
from projects.schema.fields.relation import RelationField
from projects.schema.fields.select import SelectField
from projects.schema.fields.text import DEFAULT_MAX, TextField
from projects.schema.fields.url import UrlField
from projects.schema.regex import matches

Json = dict[str, Any]

GEO_POINT: Final[Json] = {
    "type": "object",
    "required": ["lon", "lat"],
    "properties": {
        "lon": {"type": "number", "minimum": -180, "maximum": 180},
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
    },
    "examples": [{"lon": 13.4, "lat": 52.5}],
}
EXAMPLE_PHRASE: Final = "correct horse"
_EXAMPLE_ID: Final = "m1x3k5p7q9s1u3w"
_EXAMPLE_FILE: Final = "photo_k3j9x2m1q7.png"
_EXAMPLE_DATE: Final = "2026-11-23T07:30:00.123Z"
# What of RE2's syntax ECMA-262 reads otherwise or not at all.
_NOT_PORTABLE: Final = re.compile(r"\(\?(?!:)|\\[AzZCQEpPGkK]|\[\[:")


def read_schema(field: Field) -> Json:
    """The value as answers hold it. Bounds are left out: a record may be older than they are."""
    out = _value(field)
    if isinstance(field, SelectField):
        out = _many(field, _choices(field))
    elif isinstance(field, PasswordField):
        out = {"type": "string", "description": "Always empty: passwords never leave the server."}
    elif isinstance(field, AutodateField):
        out = {**out, "readOnly": True}
    return _described(field, _or_null(field, out))


def write_schema(field: Field) -> Json:
    """The value as bodies may hold it, with the field's bounds."""
    out = _value(field)
    if isinstance(field, NumberField):
        out |= _given(minimum=field.min, maximum=field.max)
    elif isinstance(field, TextField):
        out |= _text_bounds(field, field.max or DEFAULT_MAX)
    elif isinstance(field, PasswordField):
        out = {"type": "string", "format": "password", "writeOnly": True}
        out |= _text_bounds(field, field.max or MAX_CHARACTERS)
    elif isinstance(field, SelectField):
        out = _many(field, _choices(field))
    if isinstance(field, ManyValuedField) and field.is_list:
        out |= {"maxItems": field.most} | _given(minItems=_least(field) or None)
    return _described(field, _or_null(field, out))


def may_be_null(field: Field) -> bool:
    return field.nullable and not field.required


def _or_null(field: Field, schema: Json) -> Json:
    if not may_be_null(field):
        return schema
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    out = {**schema, "type": [schema["type"], "null"]}
    return {**out, "enum": [*out["enum"], None]} if "enum" in out else out


def part_schema(field: FileField) -> Json:
    """A file field as a part of a multipart body."""
    bounds = [f"At most {field.largest} bytes"]
    if field.mime_types:
        bounds.append(f"Of type {', '.join(field.mime_types)}")
    one = {"type": "string", "format": "binary", "description": ". ".join(bounds) + "."}
    return {"type": "array", "items": one, "maxItems": field.most} if field.is_list else one


def is_required(field: Field) -> bool:
    """Whether a create body must name it: what the server makes up itself need not be sent."""
    return field.required and not (isinstance(field, TextField) and field.autogenerate_pattern)


def example(field: Field) -> Any:
    """A value that the field takes, the same at each call."""
    match field:
        case TextField(primary_key=True):
            return _EXAMPLE_ID
        case TextField():
            return _example_text(field)
        case NumberField():
            return field.min if field.min is not None else min(12, field.max if field.max is not None else 12)
        case BoolField():
            return True
        case EmailField():
            domain = field.only_domains[0] if field.only_domains else "example.com"
            return f"alice@{domain}"
        case UrlField():
            domain = field.only_domains[0] if field.only_domains else "example.com"
            return f"https://{domain}"
        case EditorField():
            return "<p>Hello</p>"
        case DateField():
            return field.min or field.max or _EXAMPLE_DATE
        case AutodateField():
            return _EXAMPLE_DATE
        case PasswordField():
            return EXAMPLE_PHRASE.ljust(field.min, ".")[: field.max or MAX_CHARACTERS]
        case SelectField():
            return list(field.values[: max(1, min(2, field.most))]) if field.is_list else field.values[0]
        case RelationField():
            return [_EXAMPLE_ID] if field.is_list else _EXAMPLE_ID
        case FileField():
            return [_EXAMPLE_FILE] if field.is_list else _EXAMPLE_FILE
        case GeoPointField():
            return {"lon": 13.4, "lat": 52.5}
        case JsonField():
            return {"any": "JSON"}
        case _:
            return ""


def _value(field: Field) -> Json:
    match field:
        case NumberField():
            return {"type": "integer" if field.only_int else "number"}
        case BoolField():
            return {"type": "boolean"}
        case EmailField():
            return {"type": "string", **({"format": "email"} if field.required else {})}
        case UrlField():
            return {"type": "string", **({"format": "uri"} if field.required else {})}
        case AutodateField() | DateField():
            # An unset date is an empty text, which is no date-time.
            set_ = field.required or (isinstance(field, AutodateField) and field.on_create)
            return {"type": "string", **({"format": "date-time"} if set_ else {})}
        case GeoPointField():
            return {"$ref": "#/components/schemas/GeoPoint"}
        case JsonField():
            return {}
        case ManyValuedField():
            return _many(field, {"type": "string"})
        case _:
            return {"type": "string"}


def _many(field: ManyValuedField, item: Json) -> Json:
    return {"type": "array", "items": item} if field.is_list else item


def _choices(field: SelectField) -> Json:
    values = list(field.values)
    # A single value that may be left out is empty then.
    if not field.is_list and not field.required and "" not in values:
        values.append("")
    return {"type": "string", "enum": values}


def _text_bounds(field: TextField | PasswordField, most: int) -> Json:
    out: Json = {"maxLength": most}
    # A text that may be left out may also be empty, whatever its other bounds.
    if field.required:
        out |= _given(minLength=max(field.min, 1))
        if is_portable(field.pattern):
            out |= _given(pattern=field.pattern or None)
    return out


def is_portable(pattern: str) -> bool:
    """Whether the pattern (RE2) means the same to a client (ECMA-262)."""
    return not _NOT_PORTABLE.search(pattern)


def _example_text(field: TextField) -> str:
    """The first of some plain texts that the field takes; empty when it takes none of them."""
    for word in ("A text", "text", "Text", "A1", "abc-123", "12345"):
        text = word.ljust(field.min, word[-1])[: field.max or DEFAULT_MAX]
        if not field.pattern or matches(field.pattern, text):
            return text
    return ""


def _least(field: ManyValuedField) -> int:
    least = field.min_select if isinstance(field, RelationField) else 0
    return max(least, 1) if field.required else 0


def _described(field: Field, schema: Json) -> Json:
    notes = [field.help] if field.help else []
    notes += _notes(field)
    if not notes or "description" in schema:
        return schema
    text = " ".join(note.rstrip(".") + "." for note in notes)
    # Beside a $ref nothing else counts in OpenAPI 3.0.
    return {"allOf": [schema], "description": text} if "$ref" in schema else {**schema, "description": text}


def _notes(field: Field) -> list[str]:
    match field:
        case DateField(required=False):
            return ["RFC 3339, UTC; empty when not set"]
        case RelationField():
            return ["Ids of related records" if field.is_list else "The id of a related record"]
        case FileField():
            return [
                "Names of stored files: see /api/files"
                if field.is_list
                else "The name of a stored file: see /api/files"
            ]
        case EditorField():
            return ["HTML as it was sent: sanitise it before you show it"]
        case JsonField():
            return ["Any JSON value"]
        case TextField(primary_key=False) if field.min and not field.required:
            return [f"Empty, or at least {field.min} characters"]
        case _:
            return []


def _given(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}
