"""Text to tree. Both ways in are cached: rules by text, clients' filters by shape."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from projects.rules.ast import (
    OPERATORS,
    Call,
    Comparison,
    Constant,
    ConstantRef,
    Identifier,
    Logic,
    Node,
    Operand,
)
from projects.rules.errors import RuleSyntaxError
from projects.rules.lru import LruCache
from projects.rules.shape import constant_kind, number_constant, shape_of, text_constant

# Limits of the wire contract; a rule, which a developer writes, may be longer than a client's filter.
MAX_FILTER_LENGTH = 3500
MAX_RULE_LENGTH = 50_000
MAX_EXPRESSIONS = 200
# Characters of the text that an error message repeats.
MAX_EXCERPT = 40

FILTER_CACHE_SIZE = 2000
RULE_CACHE_SIZE = 2000


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text understood. ``key``: equal for texts that share a tree; ``is_rule``: trusted, with its constants fixed."""

    key: str
    ast: Node
    constants: tuple[Constant, ...]
    is_rule: bool
    text: str


_rules: LruCache[Parsed] = LruCache(RULE_CACHE_SIZE)
_filters: LruCache[tuple[str, Node, int]] = LruCache(FILTER_CACHE_SIZE)


def parse_rule(text: str) -> Parsed:
    """The tree of a rule or of any text from the schema. Raises RuleSyntaxError."""
    parsed = _rules.get(text)
    if parsed is None:
        _check_text(text, MAX_RULE_LENGTH)
        ast, constants = _parse(text)
        parsed = Parsed(text, ast, constants, True, text)
        _rules.put(text, parsed)
    return parsed


def parse_filter(text: str) -> Parsed:
    """The tree of a client's filter, shared with all filters of its shape. Raises RuleSyntaxError.

    Positions in a shared tree are those of the text that was parsed first; ``reparsed`` gives exact ones.
    """
    _check_text(text, MAX_FILTER_LENGTH)
    key, constants = shape_of(text)
    known = _filters.get(key)
    if known is not None and known[2] == len(constants):
        return Parsed(known[0], known[1], constants, False, text)
    ast, parsed_constants = _parse(text)
    if parsed_constants == constants:
        _filters.put(key, (key, ast, len(constants)))
    else:
        # Shape and grammar read the text differently (a function called "true"): its own text is its key then.
        key, constants = text, parsed_constants
    return Parsed(key, ast, constants, False, text)


def reparsed(parsed: Parsed) -> Parsed:
    """The same text with the positions of its own, for an error message."""
    ast, constants = _parse(parsed.text)
    return Parsed(parsed.key, ast, constants, parsed.is_rule, parsed.text)


def _check_text(text: str, limit: int) -> None:
    if len(text) > limit:
        raise RuleSyntaxError(f"longer than {limit} characters", limit)
    if "\0" in text:
        raise RuleSyntaxError("unexpected NUL character", text.index("\0"))
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RuleSyntaxError("not valid Unicode", error.start) from None


class _Builder(Transformer[Token, Node]):
    """Builds the tree while the parser reduces, so that nothing recurses over what a client wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.constants: list[Constant] = []
        self.comparisons = 0

    def _constant(self, value: Constant, position: int) -> ConstantRef:
        self.constants.append(value)
        return ConstantRef(len(self.constants) - 1, constant_kind(value), position)

    def string(self, children: list[Token]) -> ConstantRef:
        return self._constant(text_constant(children[0]), _start(children[0]))

    def number(self, children: list[Token]) -> ConstantRef:
        return self._constant(number_constant(children[0]), _start(children[0]))

    def identifier(self, children: list[Token]) -> Operand:
        token = children[0]
        if token.lower() in _WORDS:
            return self._constant(_WORDS[token.lower()], _start(token))
        return identifier_at(str(token), _start(token))

    def call(self, children: list[Any]) -> Call:
        return Call(str(children[0]), tuple(children[1:]), _start(children[0]))

    def comparison(self, children: list[Any]) -> Comparison:
        left, sign, right = children
        self.comparisons += 1
        if self.comparisons > MAX_EXPRESSIONS:
            raise RuleSyntaxError(f"more than {MAX_EXPRESSIONS} expressions", _start(sign))
        at_least_one = sign.startswith("?")
        operator: Any = sign[1:] if at_least_one else str(sign)
        if operator not in OPERATORS:
            raise RuleSyntaxError(f'"{_excerpt(sign)}" is not an operator', _start(sign), _OPERATOR_NAMES)
        position = _start(children[0]) if isinstance(children[0], Token) else left.position
        return Comparison(left, operator, at_least_one, right, position)

    def conjunction(self, children: list[Node]) -> Node:
        return Logic("and", tuple(children))

    def disjunction(self, children: list[Node]) -> Node:
        return Logic("or", tuple(children))


_WORDS: dict[str, Constant] = {"true": True, "false": False, "null": None}
_OPERATOR_NAMES = (*OPERATORS, *(f"?{operator}" for operator in OPERATORS))
_IDENTIFIER = re.compile(r"[@#]?[A-Za-z0-9_]+(?:[.:][A-Za-z0-9_]+)*")

_lock = Lock()


@cache
def _parser() -> tuple[Lark, _Builder]:
    builder = _Builder()
    grammar = (Path(__file__).parent / "grammar.lark").read_text()
    return Lark(grammar, parser="lalr", transformer=builder, maybe_placeholders=False), builder


def _parse(text: str) -> tuple[Node, tuple[Constant, ...]]:
    with _lock:
        parser, builder = _parser()
        builder.constants = []
        builder.comparisons = 0
        try:
            ast: Any = parser.parse(text)
        except UnexpectedInput as error:
            raise _syntax_error(text, error) from None
        return ast, tuple(builder.constants)


def identifier_at(text: str, position: int) -> Identifier:
    if not _IDENTIFIER.fullmatch(text):
        raise RuleSyntaxError(f'invalid identifier "{_excerpt(text)}"', position)
    if text.startswith("@collection."):
        head, _, rest = text[len("@collection.") :].partition(".")
        name, _, alias = head.partition(":")
        rest, _, modifier = rest.partition(":")
        path = ("@collection", name, *(rest.split(".") if rest else ()))
        return Identifier(text, path, modifier, alias, position)
    dotted, _, modifier = text.partition(":")
    return Identifier(text, tuple(dotted.split(".")), modifier, "", position)


def _start(token: Token) -> int:
    return token.start_pos or 0


# What the grammar's terminals are called in a message, in the order in which they are named.
_TERMINAL_NAMES = {
    "IDENTIFIER": "a field",
    "STRING": "a text",
    "NUMBER": "a number",
    "OPERATOR": "an operator",
    "_AND": '"&&"',
    "_OR": '"||"',
    "LPAR": '"("',
    "RPAR": '")"',
    "COMMA": '","',
    "$END": "the end",
}
_SIGNS = re.compile(r"[&|]+|\S")


def _syntax_error(text: str, error: UnexpectedInput) -> RuleSyntaxError:
    if isinstance(error, UnexpectedToken):
        terminals = set(error.accepts)
        ended = error.token.type == "$END"
        position = len(text) if ended else _start(error.token)
        found = str(error.token)
    elif isinstance(error, UnexpectedCharacters):
        terminals, ended, position = set(error.allowed), False, cast(Any, error).pos_in_stream
        sign = _SIGNS.match(text, position)
        found = sign.group() if sign else text[position]
    else:
        terminals, ended, position, found = set(), True, len(text), ""
    expected = expected_names(terminals)
    if found and found in "\"'":
        return RuleSyntaxError(
            f"the quote {found} at position {position} is never closed", position, (found,)
        )
    hint = f", expected {_alternatives(expected)}" if expected else ""
    if ended and position == len(text) and not _has_content(text):
        return RuleSyntaxError("empty filter expression", 0, expected)
    if ended:
        return RuleSyntaxError(f"incomplete: the text ends{hint}", position, expected)
    return RuleSyntaxError(f'unexpected "{_excerpt(found)}" at position {position}{hint}', position, expected)


def expected_names(terminals: Collection[str]) -> tuple[str, ...]:
    """What the grammar's terminals are called in a message."""
    return tuple(name for terminal, name in _TERMINAL_NAMES.items() if terminal in terminals)


def _excerpt(found: str) -> str:
    return found if len(found) <= MAX_EXCERPT else f"{found[:MAX_EXCERPT]}…"


def _has_content(text: str) -> bool:
    return bool(re.sub(r"//[^\n]*", "", text).strip())


def _alternatives(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
