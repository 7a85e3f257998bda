"""What a table is made of while it is read: rows with their place, and those that are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from projects.errors import FieldError


@dataclass(frozen=True, slots=True)
class Row:
    """``line`` is where it begins, from 1; ``values`` are by the names that the file gives them."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not taken: ``message`` in a sentence, ``errors`` by field. ``values`` is what stands there."""

    line: int
    message: str
    errors: Mapping[str, FieldError] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        data = {name: error.as_json() for name, error in self.errors.items()}
        return {"line": self.line, "message": self.message, "data": data}


class TableReader(Protocol):
    """Takes a file's bytes as they come and gives its rows, so that no more than a few are in memory.

    Raises ApiError 400 for what is no such file at all.
    """

    def feed(self, data: bytes) -> list[Row | Refused]:
        """The rows that end in what came so far."""

    def end(self) -> list[Row | Refused]:
        """The rest: no more comes."""
