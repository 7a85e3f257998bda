"""Plain text, and the record id: a text field that is the primary key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from projects.context import Engine
from projects.errors import ErrorTree, FieldError
from projects.schema.autogenerate import PatternError, generate
from projects.schema.fields.base import Field, Invalid, OptionScope, ValueKind
from projects.schema.fields.checks import BLANK, MAX_SAFE_INTEGER, between, complaints
from projects.schema.fields.coerce import is_storable, to_text
from projects.schema.fields.columns import text_column
from projects.schema.fields.options import as_flag, as_integer, as_text, option
from projects.schema.ids import DEFAULT_ID_AUTOGENERATE, new_record_id
from projects.schema.regex import RegexError, compile_regex, matches

DEFAULT_MAX: Final = 5000  # characters, when ``max`` is 0


@dataclass(frozen=True, kw_only=True)
class TextField(Field):
    type = "text"
    modifiers = frozenset({"autogenerate"})

    min: int = option("min", as_integer, 0)
    max: int = option("max", as_integer, 0)
    pattern: str = option("pattern", as_text, "")
    autogenerate_pattern: str = option("autogeneratePattern", as_text, "")
    primary_key: bool = option("primaryKey", as_flag, False)

    @property
    def kind(self) -> ValueKind:
        return "text"

    def column_type(self, engine: Engine) -> str:
        return text_column(engine)

    @property
    def can_be_null(self) -> bool:
        return not self.primary_key

    @property
    def can_be_searched(self) -> bool:
        return not self.primary_key

    def zero(self) -> str:
        return ""

    def generated(self) -> str:
        """A new value from the pattern; time-ordered where that is the default one of record ids."""
        if self.primary_key and self.autogenerate_pattern == DEFAULT_ID_AUTOGENERATE:
            return new_record_id()
        return generate(self.autogenerate_pattern)

    def normalize(self, value: Any) -> str:
        return to_text(value)

    def modify(self, current: Any, modifier: str, operand: Any) -> str:
        return to_text(operand) + (self.generated() if self.autogenerate_pattern else "")

    def check(self, value: Any) -> None:
        length = len(value)
        if length < self.min:
            raise Invalid(
                "validation_min_text_constraint",
                f"Must be at least {self.min} character(s).",
                {"min": self.min},
            )
        most = self.max or DEFAULT_MAX
        if length > most:
            raise Invalid(
                "validation_max_text_constraint", f"Must be no more than {most} character(s).", {"max": most}
            )
        if not is_storable(value) or (self.pattern and not matches(self.pattern, value)):
            raise Invalid("validation_invalid_format", "Invalid value format.")

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        found: dict[str, FieldError | ErrorTree] = complaints(
            min=between(self.min, 0, MAX_SAFE_INTEGER),
            max=between(self.max, self.min, MAX_SAFE_INTEGER) if self.max else None,
            pattern=regex_complaint(self.pattern),
            autogeneratePattern=regex_complaint(self.autogenerate_pattern),
        )
        if self.primary_key:
            found.update(self._primary_key_complaints())
        if self.autogenerate_pattern and not found:
            found.update(complaints(autogeneratePattern=self._generated_complaint()))
        return found

    def _primary_key_complaints(self) -> dict[str, FieldError]:
        found = {}
        if self.hidden:
            found["hidden"] = FieldError("validation_empty", "Must be blank.")
        if self.name.lower() != "id":
            found["name"] = FieldError("validation_in_invalid", 'The primary key must be named "id".')
        if not self.pattern:
            found["pattern"] = BLANK
        if not self.required:
            found["required"] = BLANK
        return found

    def _generated_complaint(self) -> FieldError | None:
        try:
            sample = generate(self.autogenerate_pattern)
        except PatternError as error:
            return FieldError("validation_invalid_autogenerate_pattern", str(error))
        try:
            self.validate(sample)
        except Invalid:
            return FieldError(
                "validation_invalid_autogenerate_pattern_value",
                f'The provided autogenerate pattern could produce invalid field values, ex.: "{sample}".',
            )
        return None


def regex_complaint(pattern: str) -> FieldError | None:
    try:
        compile_regex(pattern)
    except RegexError as error:
        return FieldError("validation_invalid_regex", f"Error parsing regexp: {error}.")
    return None
