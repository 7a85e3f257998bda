"""A moment in time, as canonical text (see ``projects.schema.dates``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projects.context import Engine
from projects.schema.dates import normalize_date, parse_date
from projects.schema.fields.base import Field, Invalid, ValueKind
from projects.schema.fields.columns import text_column
from projects.schema.fields.options import as_date, option


@dataclass(frozen=True, kw_only=True)
class DateField(Field):
    type = "date"

    min: str = option("min", as_date, "")
    max: str = option("max", as_date, "")

    @property
    def kind(self) -> ValueKind:
        return "date"

    def column_type(self, engine: Engine) -> str:
        return text_column(engine)

    def zero(self) -> str:
        return ""

    def normalize(self, value: Any) -> str:
        return normalize_date(value)

    def check(self, value: Any) -> None:
        if self.min and value < self.min:
            spoken, exact = _threshold(self.min)
            raise Invalid(
                "validation_min_greater_equal_than_required",
                f"Must be no less than {spoken}.",
                {"threshold": exact},
            )
        if self.max and value > self.max:
            spoken, exact = _threshold(self.max)
            raise Invalid(
                "validation_max_less_equal_than_required",
                f"Must be no greater than {spoken}.",
                {"threshold": exact},
            )


def _threshold(text: str) -> tuple[str, str]:
    """A bound as the wire contract's message and its ``threshold`` parameter write it."""
    moment = parse_date(text)
    assert isinstance(moment, datetime)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return (
        f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC",
        f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z",
    )
