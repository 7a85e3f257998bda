"""From a text and a position to what may stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from lark import Lark
from lark.exceptions import UnexpectedInput

from projects.rules.completion.items import (
    CLOSING_ITEM,
    CONNECTIVE_ITEMS,
    OPENING_ITEM,
    OPERATOR_ITEMS,
    Item,
)
from projects.rules.completion.paths import Names
from projects.rules.errors import RuleError, RuleSyntaxError
from projects.rules.parse import MAX_RULE_LENGTH, expected_names, parse_filter, parse_rule
from projects.rules.scope import Scope
from projects.schema.collection import CollectionSchema, ProjectSchema

# Offers at one position; a collection may have a thousand fields.
MAX_ITEMS: Final = 500

_WORD: Final = re.compile(r"[@#A-Za-z_][A-Za-z0-9_.:]*\Z")
_REST_OF_WORD: Final = re.compile(r"[A-Za-z0-9_.:]*")
_SIGN: Final = re.compile(r"[=!<>~?]+\Z")
# What stands before the end: a whole text, a comment, or one that is still open.
_PIECES: Final = re.compile(
    r"""\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?P<comment>//[^\n]*)|(?P<open>[\"'])|[^\"'/]+|/""", re.S
)
_LEFT_SIDE: Final = re.compile(r"([A-Za-z_@][A-Za-z0-9_.:]*)\s*[=!<>~?]+\s*\Z")


@dataclass(frozen=True, slots=True)
class Completion:
    """What takes the place of the text from ``start`` to ``end``, what the grammar expects there, and what is wrong
    with the text as it is."""

    start: int
    end: int
    expected: tuple[str, ...]
    items: tuple[Item, ...]
    errors: tuple[RuleError, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "expected": list(self.expected),
            "items": [item.as_json() for item in self.items],
            "errors": [
                {
                    "message": error.message,
                    "position": error.position,
                    "expected": list(error.expected) if isinstance(error, RuleSyntaxError) else [],
                }
                for error in self.errors
            ],
        }


def complete(
    schema: ProjectSchema, collection: CollectionSchema, text: str, position: int, *, is_filter: bool = False
) -> Completion:
    """``position``: an index into ``text`` (characters, from 0). ``is_filter``: the text is an app's filter, which may
    use less than a rule."""
    position = min(max(position, 0), len(text), MAX_RULE_LENGTH)
    names = Names(schema, collection, guarded=is_filter)
    errors = tuple(_errors(schema, collection, text, is_filter=is_filter))
    before = text[:position]
    state, at = _state(before)
    if state == "comment":
        return Completion(position, position, (), (), errors)
    if state == "text":
        offers = [
            item for item in _values(names, before[:at], before[at]) if item.text.startswith(before[at:])
        ]
        return Completion(at, position, ("a text",), tuple(offers), errors)
    word = _WORD.search(before)
    sign = _SIGN.search(before)
    start = word.start() if word else sign.start() if sign else position
    end = position + len(_REST_OF_WORD.match(text, position)[0]) if word else position  # type: ignore[index]
    accepted = _accepted(before[:start])
    typed = before[start:]
    offers = [item for item in _offers(names, accepted, before[:start], typed) if _fits(item, typed)]
    return Completion(start, end, expected_names(accepted), tuple(offers[:MAX_ITEMS]), errors)


def _fits(item: Item, typed: str) -> bool:
    return item.text.lower().startswith(typed.lower())


def _offers(names: Names, accepted: frozenset[str], before: str, typed: str) -> Iterator[Item]:
    if "IDENTIFIER" in accepted:
        if not typed:
            yield from _values(names, before, '"')
        yield from names.going_on(typed)
    if "OPERATOR" in accepted:
        yield from OPERATOR_ITEMS
    if "_AND" in accepted:
        yield from CONNECTIVE_ITEMS
    if "RPAR" in accepted:
        yield CLOSING_ITEM
    if "LPAR" in accepted and "IDENTIFIER" in accepted:
        yield OPENING_ITEM


def _values(names: Names, before: str, quote: str) -> Iterator[Item]:
    """The values that the field on the left can have."""
    left = _LEFT_SIDE.search(before)
    field = names.field_of(left[1]) if left else None
    if field is None or field.type != "select":
        return
    for value in getattr(field, "values", ()):
        escaped = str(value).replace("\\", "\\\\").replace(quote, f"\\{quote}")
        yield Item(f"{quote}{escaped}{quote}", "value", "text", f"A value of {field.name}.")


def _state(before: str) -> tuple[str, int]:
    """Whether the end is inside a comment or a text, and where that begins."""
    at = 0
    while at < len(before):
        piece = _PIECES.match(before, at)
        if piece is None or piece["open"]:
            return "text", at
        if piece["comment"] and piece.end() == len(before):
            return "comment", at
        at = piece.end()
    return "", at


_lock = Lock()


@cache
def _parser() -> Lark:
    return Lark(
        (Path(__file__).parent.parent / "grammar.lark").read_text(), parser="lalr", maybe_placeholders=False
    )


def _accepted(before: str) -> frozenset[str]:
    """The terminals that may follow; none after what is wrong already."""
    with _lock:
        parser: Any = _parser().parse_interactive(before)
        try:
            parser.exhaust_lexer()
        except UnexpectedInput:
            return frozenset()
        return frozenset(parser.accepts())


def _errors(
    schema: ProjectSchema, collection: CollectionSchema, text: str, *, is_filter: bool
) -> Iterator[RuleError]:
    if not text.strip():
        return
    scope = Scope(schema, collection, "sqlite")
    try:
        if is_filter:
            scope.filter(parse_filter(text), superuser=False)
        else:
            scope.rule(parse_rule(text))
    except RuleError as error:
        yield error
