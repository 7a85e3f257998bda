"""A password: sent as plain text, kept as a hash, never shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from projects.context import Engine
from projects.errors import ErrorTree, FieldError
from projects.schema.fields.base import Field, Invalid, OptionScope, ValueKind
from projects.schema.fields.checks import between, complaints
from projects.schema.fields.coerce import is_storable, to_text
from projects.schema.fields.columns import text_column
from projects.schema.fields.options import as_integer, as_text, option
from projects.schema.fields.text import regex_complaint
from projects.schema.regex import matches

MAX_CHARACTERS: Final = 71
MAX_BYTES: Final = 72  # what bcrypt reads of a password


class PasswordHash(str):
    """The hash of a password. Only this, never a plain str, reaches the database."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class PasswordField(Field):
    """Values are plain text until the writer replaces them by their PasswordHash."""

    type = "password"
    left_out = frozenset({"nullable", "readRule"})

    min: int = option("min", as_integer, 0)
    max: int = option("max", as_integer, 0)
    pattern: str = option("pattern", as_text, "")
    cost: int = option("cost", as_integer, 0)

    @property
    def kind(self) -> ValueKind:
        return "text"

    def column_type(self, engine: Engine) -> str:
        return text_column(engine)

    def zero(self) -> str:
        return ""

    def normalize(self, value: Any) -> str:
        return value if isinstance(value, PasswordHash) else to_text(value)

    def check(self, value: Any) -> None:
        if isinstance(value, PasswordHash):
            return
        if len(value) < self.min:
            raise Invalid("validation_min_text_constraint", f"Must be at least {self.min} character(s).")
        most = self.max or MAX_CHARACTERS
        if len(value) > most:
            raise Invalid("validation_max_text_constraint", f"Must be less than {most} character(s).")
        if not is_storable(value) or len(value.encode()) > MAX_BYTES:
            raise Invalid("validation_invalid_value", "Invalid value.")
        if self.pattern and not matches(self.pattern, value):
            raise Invalid("validation_invalid_format", "Invalid value format.")

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        return complaints(
            min=between(self.min, 1, MAX_CHARACTERS) if self.min else None,
            max=between(self.max, self.min, MAX_CHARACTERS) if self.max else None,
            cost=between(self.cost, 4, 31) if self.cost else None,
            pattern=regex_complaint(self.pattern),
        )

    def to_db(self, value: Any, engine: Engine) -> str:
        if value and not isinstance(value, PasswordHash):
            raise TypeError(f"field {self.name}: a password must be hashed before it is stored")
        return str(value)

    def from_db(self, raw: Any, engine: Engine) -> PasswordHash:
        return PasswordHash(raw)
