"""What a cell's text stands for, by the type of its field: what it cannot stand for is refused, never guessed.

The API reads what it cannot understand as the zero value (``"abc"`` for a number is 0), as its clients expect. In a
file of a hundred thousand rows that would lose what nobody looks at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from projects.importing.tables.json_lines import is_finite
from projects.schema.dates import normalize_date
from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.base import Field, Invalid
from projects.schema.fields.boolean import BoolField
from projects.schema.fields.date import DateField
from projects.schema.fields.geo_point import GeoPointField
from projects.schema.fields.json import JsonField
from projects.schema.fields.manyvalued import ManyValuedField
from projects.schema.fields.number import NumberField

Cell = Callable[[Any], Any]

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TRUE: Final = frozenset({"1", "t", "true", "y", "yes"})
_FALSE: Final = frozenset({"0", "f", "false", "n", "no"})


def cell_reader(field: Field, *, is_text: bool) -> Cell:
    """From a value of a file to the field's. ``is_text``: all values are text, as in CSV. It raises Invalid."""
    read: Cell = field.normalize
    if isinstance(field, NumberField):
        read = _after(_number, field.normalize)
    elif isinstance(field, BoolField):
        read = _bool
    elif isinstance(field, DateField | AutodateField):
        read = _date
    elif is_text and isinstance(field, JsonField | GeoPointField):
        read = _after(_json, field.normalize)
    elif is_text and isinstance(field, ManyValuedField) and field.is_list:
        read = _after(_list, field.normalize)
    if is_text:
        return _of_text(field, read)
    return _of_value(field, read)


def _after(check: Cell, normalize: Cell) -> Cell:
    return lambda text: normalize(check(text))


def _of_text(field: Field, read: Cell) -> Cell:
    return lambda text: read(text) if text else field.empty()


def _of_value(field: Field, read: Cell) -> Cell:
    normalize, nullable = field.normalize, field.nullable
    if read == normalize and not nullable:
        return normalize

    def value_of(value: Any) -> Any:
        if isinstance(value, str) and value:
            return read(value)
        return None if value is None and nullable else normalize(value)

    return value_of


def _number(text: str) -> str:
    plain = text.strip()
    if not _NUMBER.fullmatch(plain) or not math.isfinite(float(plain)):
        raise Invalid("validation_not_a_number", "Must be a number.")
    return plain


def _bool(text: str) -> bool:
    plain = text.strip().lower()
    if plain in _TRUE:
        return True
    if plain in _FALSE:
        return False
    raise Invalid("validation_invalid_value", "Must be true or false.")


def _date(text: str) -> str:
    found = normalize_date(text.strip())
    if not found:
        raise Invalid("validation_invalid_date", "Must be a date such as 2026-02-28 or 2026-02-28T10:00:00Z.")
    return found


def _json(text: str) -> str:
    """Text that the field itself then reads as JSON."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = math.inf
    if not is_finite(value):
        raise Invalid("validation_invalid_json", "Must be a valid json value.")
    return text


def _list(text: str) -> str:
    """A JSON list, or one value as it is."""
    plain = text.strip()
    return _json(plain) if plain.startswith("[") else text
