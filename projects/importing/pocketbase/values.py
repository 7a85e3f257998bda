"""From a row of PocketBase's to a record's values: as they are, in the form that our fields keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from projects.schema.collection import CollectionSchema
from projects.schema.fields.base import Field
from projects.schema.fields.password import PasswordField, PasswordHash

Values = dict[str, Any]


class ValueReader:
    """Makes records of rows of ``columns``. ``changed`` counts values with what neither engine stores: NUL."""

    def __init__(self, collection: CollectionSchema, columns: Sequence[str]) -> None:
        have = set(columns)
        fields = [field for field in collection.fields if field.name in have]
        self.columns = [field.name for field in fields]
        self.changed = 0
        self._empty = {field.name: field.empty() for field in collection.fields if field.name not in have}
        self._read = [(field.name, self._reader(field)) for field in fields]

    def values(self, row: Sequence[Any]) -> Values:
        values = {name: read(raw) for (name, read), raw in zip(self._read, row, strict=True)}
        return {**self._empty, **values} if self._empty else values

    def _reader(self, field: Field) -> Callable[[Any], Any]:
        make = _as_hash if isinstance(field, PasswordField) else field.normalize
        # In JSON a NUL may be written out as an escape; in a text that is six harmless characters.
        escaped = field.kind in ("json", "list")

        def read(raw: Any) -> Any:
            if isinstance(raw, bytes):
                raw = raw.decode("utf-8", "replace")
            if isinstance(raw, str) and ("\0" in raw or (escaped and "\\u0000" in raw)):
                self.changed += 1
                raw = _without_escaped_nul(raw.replace("\0", "")) if escaped else raw.replace("\0", "")
            return make(raw)

        return read


def _without_escaped_nul(text: str) -> str:
    try:
        return orjson.dumps(_stripped(orjson.loads(text))).decode()
    except (orjson.JSONDecodeError, RecursionError):
        return text


def _stripped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    if isinstance(value, dict):
        return {_stripped(key): _stripped(item) for key, item in value.items()}
    return value


def _as_hash(raw: Any) -> PasswordHash:
    return PasswordHash(raw) if isinstance(raw, str) else PasswordHash()
