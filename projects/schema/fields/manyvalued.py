"""What select and relation share: one text, or (``maxSelect`` above 1) an ordered set of texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from projects.context import Engine
from projects.schema.fields.base import Field, ValueKind
from projects.schema.fields.coerce import to_texts
from projects.schema.fields.columns import json_column, text_column


@dataclass(frozen=True, kw_only=True)
class ManyValuedField(Field):
    modifiers = frozenset({"+", "prefix+", "-"})

    @property
    def most(self) -> int:
        """How many values the field holds; up to 1 it is a plain text."""
        raise NotImplementedError

    @property
    def is_list(self) -> bool:
        return self.most > 1

    @property
    def kind(self) -> ValueKind:
        return "list" if self.is_list else "text"

    def column_type(self, engine: Engine) -> str:
        return json_column(engine, "[]") if self.is_list else text_column(engine)

    def zero(self) -> list[str] | str:
        return [] if self.is_list else ""

    def normalize(self, value: Any) -> list[str] | str:
        texts = to_texts(value)
        if self.is_list:
            return texts
        return texts[-1] if texts else ""

    def modify(self, current: Any, modifier: str, operand: Any) -> list[str] | str:
        present, given = to_texts(current), to_texts(operand)
        if modifier == "-":
            return self.normalize([text for text in present if text not in given])
        return self.normalize(present + given if modifier == "+" else given + present)

    def values_of(self, value: Any) -> list[str]:
        """A normalised value as a list, whatever ``maxSelect`` is."""
        if self.is_list:
            return list(value)
        return [value] if value else []

    def to_db(self, value: Any, engine: Engine) -> Any:
        return orjson.dumps(value).decode() if self.is_list else value

    def from_db(self, raw: Any, engine: Engine) -> Any:
        if not self.is_list:
            return raw
        loaded = orjson.loads(raw) if isinstance(raw, str | bytes) else raw
        return loaded if isinstance(loaded, list) else []

    def db_reader(self, engine: Engine) -> Callable[[Any], Any] | None:
        return super().db_reader(engine) if self.is_list else None
