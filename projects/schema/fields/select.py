"""One or several out of fixed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projects.errors import ErrorTree, FieldError
from projects.schema.fields.base import Invalid, OptionScope
from projects.schema.fields.checks import BLANK, between, complaints
from projects.schema.fields.coerce import is_storable
from projects.schema.fields.manyvalued import ManyValuedField
from projects.schema.fields.options import as_integer, as_texts, option


@dataclass(frozen=True, kw_only=True)
class SelectField(ManyValuedField):
    type = "select"

    values: tuple[str, ...] = option("values", as_texts, ())
    max_select: int = option("maxSelect", as_integer, 0)

    @property
    def most(self) -> int:
        return max(self.max_select, 1)

    def check(self, value: Any) -> None:
        chosen = self.values_of(value)
        if len(chosen) > self.most:
            raise Invalid(
                "validation_too_many_values", f"Select no more than {self.most}.", {"maxSelect": self.most}
            )
        for text in chosen:
            if text not in self.values:
                raise Invalid("validation_invalid_value", f"Invalid value {text}.", {"value": text})

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        if not self.values:
            return {"values": BLANK}
        if not all(map(is_storable, self.values)):
            return {"values": FieldError("validation_match_invalid", "Must be in a valid format.")}
        return complaints(maxSelect=between(self.max_select, 0, len(self.values)))
