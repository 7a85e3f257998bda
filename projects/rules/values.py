r"""How the language sees plain values: their classes, their order, their text.

Found by asking PocketBase, and made the same on both engines and in Python:

- A value is null, a number (``true`` is 1, ``false`` 0) or a text. An array or object is the text of its JSON.
- ``=`` and ``!=`` take null for ``""``. Values of different classes are never equal: ``5 = "5"`` is false.
- ``< <= > >=`` and ``~ !~`` are false when one side is null; every number is less than every text.
- ``~`` folds the case of ASCII letters only. The right side is searched anywhere in the left one, unless it has a
  ``%`` of its own: then ``%`` is any text, ``_`` any character, and both must fit from end to end.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any

import orjson

from projects.rules.ast import Operator
from projects.rules.patterns import pattern_matcher

Plain = str | int | float | None

NUMERIC = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.A)
_DATE_WITH_SPACE = re.compile(r"\d{4}-\d\d-\d\d ", re.A)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.A)

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def clean(text: str) -> str:
    """``text`` without what a database cannot hold: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def plain(value: Any) -> Plain:
    """An API value as the language compares it."""
    if value is None or type(value) is float:
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value if -_WORD <= value < _WORD else _real(value)
    return float(value) if isinstance(value, float) else json_text(value)


# Whole numbers beyond 64 bits, which only a request can hold, are reals to both databases.
_WORD = 2**63


def _real(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def json_text(value: Any) -> str:
    """The JSON of a value as it is stored: no spaces, keys sorted."""
    try:
        return clean(orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode())
    except orjson.JSONEncodeError:
        # Deeper, or with larger numbers, than anything stored: it equals nothing.
        return "[]"


def number_text(value: int | float) -> str:
    """The digits of a number, without exponent: 5 for 5.0, 0.1, 1000000."""
    if isinstance(value, int):
        return str(int(value))
    if not math.isfinite(value):
        return str(value)
    if value.is_integer():
        return str(int(value))
    digits = repr(value)
    return digits if "e" not in digits else f"{value:.{_decimals(digits)}f}"


def _decimals(digits: str) -> int:
    mantissa, _, exponent = digits.partition("e")
    return max(len(mantissa.partition(".")[2]) - int(exponent), 0)


def as_text(value: Plain) -> str | None:
    """The text that ``~`` searches."""
    return value if value is None or isinstance(value, str) else number_text(value)


def as_text_operand(value: Plain) -> str | None:
    """What a text column is compared with. A number is written as the real that it is: 5 is "5.0", and so equals
    no text that people store; PocketBase does the same."""
    if value is None or isinstance(value, str):
        return value
    return f"{number_text(value)}.0" if float(value).is_integer() else number_text(value)


def as_number_operand(value: Plain) -> int | float | None:
    """What a number column is compared with: a text that looks like a number is one, any other text is greater
    than all numbers."""
    if isinstance(value, str):
        return float(value) if NUMERIC.fullmatch(value) else math.inf
    return value


def as_json_operand(value: Plain) -> Plain:
    """What a JSON value is compared with: a text that is the JSON of an array or object is read as such."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json_text(orjson.loads(value))
        except orjson.JSONDecodeError:
            return value
    return value


def as_list_operand(value: Plain) -> str | None:
    """What a list is compared with: the JSON of a list; the empty text is no value, like null."""
    text = as_json_operand(value)
    return as_text(text) or None


def as_date_operand(value: Plain) -> str | None:
    """What a date column is compared with: stored dates have a ``T`` where people often write a space."""
    text = as_text_operand(value)
    return date_text(text) if text is not None else None


def date_text(text: str) -> str:
    return f"{text[:10]}T{text[11:]}" if _DATE_WITH_SPACE.match(text) else text


def compare(left: Plain, sign: Operator, right: Plain) -> bool:
    """One comparison between two values that no column is part of."""
    if sign == "=":
        return _equal(left, right)
    if sign == "!=":
        return not _equal(left, right)
    if left is None or right is None:
        return False
    if sign == "~":
        return pattern_matcher(as_text(right) or "")(as_text(left) or "")
    if sign == "!~":
        return not pattern_matcher(as_text(right) or "")(as_text(left) or "")
    if isinstance(left, str) and isinstance(right, str):
        left, right = _aligned(left, right)
    return in_order(left, sign, right)


def in_order(left: Plain, sign: Operator, right: Plain) -> bool:
    """``<``, ``<=``, ``>`` or ``>=``: false with null; a number is less than any text."""
    if left is None or right is None:
        return False
    if isinstance(left, str) != isinstance(right, str):
        return (sign in ("<", "<=")) == isinstance(right, str)
    return _ORDER[sign](left, right)


def _equal(left: Plain, right: Plain) -> bool:
    if left is None:
        left = ""
    if right is None:
        right = ""
    if isinstance(left, str) and isinstance(right, str):
        left, right = _aligned(left, right)
    return left == right


def _aligned(left: str, right: str) -> tuple[str, str]:
    """A date written with a space, beside one of ours, is read with a ``T``."""
    if _DATE.fullmatch(left):
        return left, date_text(right)
    if _DATE.fullmatch(right):
        return date_text(left), right
    return left, right
