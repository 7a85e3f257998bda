"""True or false."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from projects.context import Engine
from projects.schema.fields.base import Field, ValueKind
from projects.schema.fields.coerce import to_bool
from projects.schema.fields.columns import BOOL_COLUMN


@dataclass(frozen=True, kw_only=True)
class BoolField(Field):
    type = "bool"

    @property
    def kind(self) -> ValueKind:
        return "bool"

    def column_type(self, engine: Engine) -> str:
        return BOOL_COLUMN

    def zero(self) -> bool:
        return False

    def normalize(self, value: Any) -> bool:
        return to_bool(value)

    def from_db(self, raw: Any, engine: Engine) -> bool | None:
        return _nullable_bool(raw)

    def db_reader(self, engine: Engine) -> Callable[[Any], Any]:
        return _nullable_bool if self.nullable else bool


def _nullable_bool(raw: Any) -> bool | None:
    return None if raw is None else bool(raw)
