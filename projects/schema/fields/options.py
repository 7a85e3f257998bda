"""A field type's options: how each is read from JSON and written back, declared beside the attribute."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from projects.schema.dates import normalize_date


class MalformedError(ValueError):
    """JSON of the wrong shape: a text where a number belongs, a field without a type."""


def option(wire: str, read: Callable[[Any], Any], default: Any) -> Any:
    """A dataclass attribute that is ``wire`` in JSON; ``read`` checks its type (MalformedError)."""
    return dataclasses.field(default=default, metadata={"wire": wire, "read": read})


def as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedError("expected a string")
    return value


def as_expression(value: Any) -> str | None:
    """A rule of a field; a blank one is none."""
    return as_text(value).strip() or None


def as_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MalformedError("expected true or false")
    return value


def as_integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise MalformedError("expected a whole number")
    return value


def as_number(value: Any) -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise MalformedError("expected a number")
    return value


def as_texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise MalformedError("expected a list")
    return tuple(as_text(item) for item in value)


def as_date(value: Any) -> str:
    """A moment in canonical text; what names none is ``""`` (the wire contract's leniency)."""
    return normalize_date(as_text(value))


def to_wire(value: Any) -> Any:
    """An attribute's JSON."""
    return list(value) if isinstance(value, tuple) else value
