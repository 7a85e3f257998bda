"""JSON lines (https://jsonlines.org): one object per line."""

from __future__ import annotations

import math
from typing import Any

import orjson

from projects.importing.tables.lines import Lines
from projects.importing.tables.rows import Refused, Row


class JsonLines:
    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Row | Refused]:
        return [_row(number, line) for number, line in self._lines.feed(data) if line is None or line.strip()]

    def end(self) -> list[Row | Refused]:
        return [_row(number, line) for number, line in self._lines.end() if line is None or line.strip()]


def _row(number: int, line: bytes | None) -> Row | Refused:
    if line is None:
        return Refused(number, "The line is too long.")
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Refused(number, f"The line is no JSON: {error}.")
    if not isinstance(values, dict):
        return Refused(number, "The line is no JSON object.")
    if not is_finite(values):
        return Refused(number, "The line has a number that is too large.")
    return Row(number, values)


def is_finite(value: Any) -> bool:
    """Whether nothing in it reads as infinity (``1e999``), which nothing can store."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is float:
            if not math.isfinite(item):
                return False
        elif kind is dict:
            waiting.extend(item.values())
        elif kind is list:
            waiting.extend(item)
    return True
