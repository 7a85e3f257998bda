"""The fields of a view: what its columns hold, found out from where they come from."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Final

from sqlglot import exp

from projects.schema.collection import ProjectSchema
from projects.schema.fields.base import Field
from projects.schema.fields.boolean import BoolField
from projects.schema.fields.json import JsonField
from projects.schema.fields.number import NumberField
from projects.schema.fields.relation import RelationField
from projects.schema.fields.text import TextField
from projects.schema.ids import DEFAULT_ID_PATTERN, field_id
from projects.schema.names import field_name_complaint
from projects.schema.views.allowed import CASTS
from projects.schema.views.errors import ViewError
from projects.schema.views.resolve import Output, Resolved, resolve_view

# What the wire contract gives a column that it knows nothing of.
_UNKNOWN_SIZE: Final = 1
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def view_fields(schema: ProjectSchema, view_id: str, text: str) -> tuple[Field, ...]:
    """The fields that the query gives, in its order. Raises ViewError."""
    return fields_of(resolve_view(schema, text), view_id)


def fields_of(resolved: Resolved, view_id: str) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for at, output in enumerate(resolved.outputs):
        _check_name(output.name, at, fields)
        fields[output.name.lower()] = _field(output, view_id)
    if "id" not in (field.name for field in fields.values()):
        raise ViewError(
            "missing required id column (you can use `(ROW_NUMBER() OVER()) as id` if you don't have one)"
        )
    return tuple(fields.values())


def _check_name(name: str, at: int, taken: dict[str, Field]) -> None:
    if complaint := field_name_complaint(name, "view"):
        reason = complaint.message[:1].lower() + complaint.message[1:].rstrip(".")
        raise ViewError(f'invalid field "{name}" ({at}): name: {reason}')
    if name.lower() in taken:
        raise ViewError(f'duplicated column name "{name}"')


def _field(output: Output, view_id: str) -> Field:
    name, origin = output.name, output.origin
    if name == "id":
        return TextField(
            id=field_id("text", "id"),
            name="id",
            system=True,
            required=True,
            primary_key=True,
            pattern=DEFAULT_ID_PATTERN,
        )
    if origin.field is None or origin.collection is None:
        return _computed(name, output.expression)
    if origin.field.name == "id":
        return RelationField(
            id=field_id("relation", name), name=name, collection_id=origin.collection.id, max_select=1
        )
    # Its readRule comes along: what a field keeps to itself, no view gives away.
    return replace(
        origin.field,
        id=_clone_id(view_id, name),
        name=name,
        system=False,
        write_rule=None,
        searchable=False,
    )


def _computed(name: str, expression: exp.Expr) -> Field:
    kind = "json"
    if isinstance(expression, exp.Count):
        kind = "integer"
    elif isinstance(expression, exp.Anonymous) and expression.name.lower() == "total":
        kind = "number"
    elif isinstance(expression, exp.Cast):
        kind = CASTS[expression.to.this.name]
    match kind:
        case "integer" | "number":
            return NumberField(id=field_id("number", name), name=name, only_int=kind == "integer")
        case "text":
            return TextField(id=field_id("text", name), name=name)
        case "bool":
            return BoolField(id=field_id("bool", name), name=name)
        case _:
            return JsonField(id=field_id("json", name), name=name, max_size=_UNKNOWN_SIZE)


def _clone_id(view_id: str, name: str) -> str:
    """The id of a field taken over from a collection; the same for the same column, so that nothing moves."""
    number = zlib.crc32(f"{view_id}\n{name}".encode())
    digits = []
    for _ in range(4):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return f"_clone_{''.join(digits)}"
