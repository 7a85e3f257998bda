"""Any JSON value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from projects.context import Engine
from projects.errors import ErrorTree, FieldError
from projects.schema.fields.base import Field, Invalid, OptionScope, ValueKind
from projects.schema.fields.checks import MAX_SAFE_INTEGER, between, complaints
from projects.schema.fields.coerce import canonical_number
from projects.schema.fields.columns import json_column
from projects.schema.fields.options import as_integer, option

DEFAULT_MAX_SIZE: Final = 1 << 20  # bytes, when ``maxSize`` is 0


@dataclass(frozen=True, kw_only=True)
class JsonField(Field):
    type = "json"
    # It always may be null.
    left_out = frozenset({"nullable"})

    max_size: int = option("maxSize", as_integer, 0)

    @property
    def kind(self) -> ValueKind:
        return "json"

    def column_type(self, engine: Engine) -> str:
        return json_column(engine, None)

    def zero(self) -> None:
        return None

    def normalize(self, value: Any) -> Any:
        """A string that is JSON stands for what it says (forms and older clients send such)."""
        if isinstance(value, str):
            try:
                return _canonical(orjson.loads(value))
            except orjson.JSONDecodeError:
                return value
        return _canonical(value)

    def is_blank(self, value: Any) -> bool:
        return value is None or (isinstance(value, str | list | dict) and not value)

    def check(self, value: Any) -> None:
        text = _dump(value)
        # PostgreSQL cannot hold NUL in JSON, so neither engine takes it.
        if text is None or (b"\\u0000" in text and _has_nul(value)):
            raise Invalid("validation_invalid_json", "Must be a valid json value.")
        most = self.max_size or DEFAULT_MAX_SIZE
        if len(text) > most:
            raise Invalid(
                "validation_json_size_limit",
                f"The maximum allowed JSON size is {most} bytes.",
                {"maxSize": most},
            )

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        return complaints(maxSize=between(self.max_size, 0, MAX_SAFE_INTEGER))

    def to_db(self, value: Any, engine: Engine) -> str | None:
        return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    def from_db(self, raw: Any, engine: Engine) -> Any:
        # SQLite keeps JSON text that is a bare number as a number.
        return orjson.loads(raw) if isinstance(raw, str | bytes) else raw


def _dump(value: Any) -> bytes | None:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, UnicodeError, RecursionError):
        return None


def _canonical(value: Any) -> Any:
    """A bare number as the double that it is to most clients; inside lists and objects JSON stays as sent."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return canonical_number(value)
    return value


def _has_nul(value: Any) -> bool:
    """Whether any string or key holds NUL (the escape alone may be an escaped backslash and ``u0000``)."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "\0" in item:
                return True
        elif isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False
