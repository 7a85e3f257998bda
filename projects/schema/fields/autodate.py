"""A moment that the server sets when a record is created or updated; clients cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projects.context import Engine
from projects.errors import ErrorTree, FieldError
from projects.schema.dates import normalize_date
from projects.schema.fields.base import Field, OptionScope, ValueKind
from projects.schema.fields.columns import text_column
from projects.schema.fields.options import as_flag, option


@dataclass(frozen=True, kw_only=True)
class AutodateField(Field):
    type = "autodate"
    left_out = frozenset({"required", "help", "nullable", "writeRule"})

    on_create: bool = option("onCreate", as_flag, False)
    on_update: bool = option("onUpdate", as_flag, False)

    @property
    def kind(self) -> ValueKind:
        return "date"

    def column_type(self, engine: Engine) -> str:
        return text_column(engine)

    def zero(self) -> str:
        return ""

    def normalize(self, value: Any) -> str:
        return normalize_date(value)

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        if self.on_create or self.on_update:
            return {}
        neither = FieldError("validation_required", "Either onCreate or onUpdate must be enabled.")
        return {"onCreate": neither, "onUpdate": neither}
