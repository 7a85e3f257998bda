"""How loosely typed JSON becomes a field's value: the wire contract's coercions, shared by the types."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import orjson

# What counts as a number in a string; everything else is 0.
_DECIMAL = re.compile(r"[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][+-]?\d[\d_]*)?", re.ASCII)
_SPECIAL = re.compile(r"[+-]?(inf|infinity)|nan", re.IGNORECASE | re.ASCII)
_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})


def to_text(value: Any) -> str:
    """A string as it is, numbers and booleans written out, everything else ``""``."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return ""


def number_text(value: float) -> str:
    """A number without exponent: ``1e21`` is ``1000000000000000000000``."""
    try:
        number = float(value)
    except OverflowError:
        return str(value)
    if not math.isfinite(number):
        return str(value)
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_number(value: Any) -> int | float:
    """The number that ``value`` stands for, 0 when it stands for none; NaN and infinities stay themselves."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return canonical_number(value)
    if isinstance(value, str):
        return _number_in(value)
    return 0


def _number_in(text: str) -> int | float:
    if len(text) > 400:
        return 0
    if _DECIMAL.fullmatch(text):
        try:
            number = float(text)
        except ValueError:
            return 0
        # A finite text beyond the range of a double is no number.
        return canonical_number(number) if math.isfinite(number) else 0
    return float(text) if _SPECIAL.fullmatch(text) else 0


def canonical_number(value: float) -> int | float:
    """A double as JSON shows it: whole values as integers, everything within 64 bits floats otherwise."""
    try:
        number = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    if number.is_integer() and abs(number) < 2**63:
        return int(number)
    return number


def to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value in _TRUE
    return isinstance(value, int | float) and value != 0


def to_texts(value: Any) -> list[str]:
    """The distinct non-empty strings in a string, a list, or a JSON list inside a string, in their order."""
    if isinstance(value, str) and value.startswith("["):
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            parsed = value
        value = parsed
    items = value if isinstance(value, list | tuple) else [value]
    return list(dict.fromkeys(text for text in map(to_text, items) if text))


def is_storable(text: str) -> bool:
    """Whether both engines can hold the text: no NUL character and no lone surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
