"""Rich text: HTML as the client sent it (whoever shows it sanitises it)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from projects.context import Engine
from projects.errors import ErrorTree, FieldError
from projects.schema.fields.base import Field, Invalid, OptionScope, ValueKind
from projects.schema.fields.checks import MAX_SAFE_INTEGER, between, complaints
from projects.schema.fields.coerce import is_storable, to_text
from projects.schema.fields.columns import text_column
from projects.schema.fields.options import as_flag, as_integer, option

DEFAULT_MAX_SIZE: Final = 5 << 20  # bytes, when ``maxSize`` is 0


@dataclass(frozen=True, kw_only=True)
class EditorField(Field):
    type = "editor"

    max_size: int = option("maxSize", as_integer, 0)
    convert_urls: bool = option("convertURLs", as_flag, False)

    @property
    def kind(self) -> ValueKind:
        return "text"

    def column_type(self, engine: Engine) -> str:
        return text_column(engine)

    @property
    def can_be_searched(self) -> bool:
        return True

    def zero(self) -> str:
        return ""

    def normalize(self, value: Any) -> str:
        return to_text(value)

    def check(self, value: Any) -> None:
        if not is_storable(value):
            raise Invalid("validation_invalid_format", "Invalid value format.")
        most = self.max_size or DEFAULT_MAX_SIZE
        if len(value.encode()) > most:
            raise Invalid(
                "validation_content_size_limit",
                f"The maximum allowed content size is {most} bytes.",
                {"maxSize": most},
            )

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        return complaints(maxSize=between(self.max_size, 0, MAX_SAFE_INTEGER))
