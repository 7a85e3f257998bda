"""Finds and prints the differences between two normalised answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.oracle.table import Json

_NOTHING = object()
_WIDEST = 300


@dataclass(frozen=True, slots=True)
class Difference:
    """One place (a dotted path into the answer) where the two say different things."""

    at: str
    pocketbase: str
    ours: str

    def __str__(self) -> str:
        return f"  at {self.at}\n    PocketBase: {self.pocketbase}\n    ours:       {self.ours}"


def differences(pocketbase: Json, ours: Json) -> list[Difference]:
    """Every place where ``ours`` differs."""
    return list(_walk("", pocketbase, ours))


def _walk(at: str, theirs: Json, ours: Json) -> Iterator[Difference]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            yield from _walk(f"{at}.{key}" if at else key, theirs.get(key, _NOTHING), ours.get(key, _NOTHING))
    elif isinstance(theirs, list) and isinstance(ours, list):
        for number in range(max(len(theirs), len(ours))):
            yield from _walk(
                f"{at}.{number}",
                theirs[number] if number < len(theirs) else _NOTHING,
                ours[number] if number < len(ours) else _NOTHING,
            )
    # 1, 1.0 and true are equal in Python; to a client in a typed language they are not.
    elif type(theirs) is not type(ours) or theirs != ours:
        yield Difference(at, _said(theirs), _said(ours))


def _said(value: Json) -> str:
    if value is _NOTHING:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}… ({len(text)} characters)"
