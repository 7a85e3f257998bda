"""A double-precision number, or a whole one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from projects.context import Engine
from projects.errors import ErrorTree, FieldError
from projects.schema.fields.base import Field, Invalid, OptionScope, ValueKind
from projects.schema.fields.checks import complaints
from projects.schema.fields.coerce import canonical_number, to_number
from projects.schema.fields.columns import number_column
from projects.schema.fields.options import as_flag, as_number, option


@dataclass(frozen=True, kw_only=True)
class NumberField(Field):
    type = "number"
    modifiers = frozenset({"+", "-"})

    min: int | float | None = option("min", as_number, None)
    max: int | float | None = option("max", as_number, None)
    only_int: bool = option("onlyInt", as_flag, False)

    @property
    def kind(self) -> ValueKind:
        return "number"

    def column_type(self, engine: Engine) -> str:
        return number_column(engine)

    def zero(self) -> int:
        return 0

    def normalize(self, value: Any) -> int | float:
        return to_number(value)

    def modify(self, current: Any, modifier: str, operand: Any) -> int | float:
        change = to_number(operand)
        return canonical_number(current + change if modifier == "+" else current - change)

    def check(self, value: Any) -> None:
        if not math.isfinite(value):
            raise Invalid("validation_not_a_number", "The submitted number is not properly formatted.")
        # Beyond 64 bits a double has no whole-number form that clients share.
        if self.only_int and not isinstance(value, int):
            raise Invalid("validation_only_int_constraint", "Decimal numbers are not allowed.")
        if self.min is not None and value < self.min:
            raise Invalid(
                "validation_min_number_constraint",
                f"Must be greater or equal than {self.min}.",
                {"min": self.min},
            )
        if self.max is not None and value > self.max:
            raise Invalid(
                "validation_max_number_constraint",
                f"Must be less or equal than {self.max}.",
                {"max": self.max},
            )

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        found = complaints(min=self._whole(self.min), max=self._whole(self.max))
        if self.min is not None and self.max is not None and self.max < self.min:
            found["max"] = FieldError(
                "validation_min_number_constraint",
                f"Must be greater or equal than {self.min}.",
                {"min": self.min},
            )
        return found

    def _whole(self, bound: float | None) -> FieldError | None:
        if bound is None or not self.only_int or isinstance(canonical_number(bound), int):
            return None
        return FieldError("validation_only_int_constraint", "Decimal numbers are not allowed.")

    def to_db(self, value: Any, engine: Engine) -> Any:
        return value if engine == "sqlite" or value is None else float(value)

    def from_db(self, raw: Any, engine: Engine) -> int | float | None:
        return _nullable_number(raw)

    def db_reader(self, engine: Engine) -> Callable[[Any], Any]:
        return _nullable_number if self.nullable else _stored_number


def _stored_number(raw: float) -> int | float:
    # Whole numbers were canonical when they were stored; a double has its own method for the rest.
    return raw if type(raw) is int else canonical_number(raw)


def _nullable_number(raw: float | None) -> int | float | None:
    return None if raw is None else _stored_number(raw)
