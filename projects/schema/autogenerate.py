"""Random text from a pattern such as ``[a-z0-9]{15}``, with the randomness of ``secrets``.

A small subset of regular expressions, bounded in length: literals, ``.``, ``\\d \\w \\s``, classes,
groups, ``|`` and the quantifiers ``? * + {n} {n,} {n,m}`` (open ends repeat at most a few times).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from projects.schema.regex import compile_regex

MAX_LENGTH: Final = 5000  # characters a pattern may produce
_OPEN_ENDED: Final = 5  # what * and + and {n,} add at most
_MAX_DEPTH: Final = 50  # nested groups

_DIGITS: Final = "0123456789"
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_WORD: Final = _DIGITS + _LOWER + _LOWER.upper()
_PRINTABLE: Final = "".join(chr(code) for code in range(32, 127))
_CLASSES: Final = {"d": _DIGITS, "w": _WORD + "_", "s": "\t\n\f\r "}
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class PatternError(ValueError):
    """A pattern outside the subset."""


@dataclass(frozen=True, slots=True)
class _Chars:
    """One character out of these."""

    alphabet: str

    @property
    def longest(self) -> int:
        return 1

    def write(self, out: list[str]) -> None:
        out.append(secrets.choice(self.alphabet))


@dataclass(frozen=True, slots=True)
class _Repeat:
    node: _Node
    least: int
    most: int

    @property
    def longest(self) -> int:
        return self.node.longest * self.most

    def write(self, out: list[str]) -> None:
        for _ in range(self.least + secrets.randbelow(self.most - self.least + 1)):
            self.node.write(out)


@dataclass(frozen=True, slots=True)
class _Choice:
    """One of several sequences."""

    branches: tuple[tuple[_Node, ...], ...]

    @property
    def longest(self) -> int:
        return max(sum(node.longest for node in branch) for branch in self.branches)

    def write(self, out: list[str]) -> None:
        for node in secrets.choice(self.branches):
            node.write(out)


_Node = _Chars | _Repeat | _Choice


def generate(pattern: str) -> str:
    """A random text of the pattern. Raises PatternError (RegexError for what is no pattern at all)."""
    out: list[str] = []
    _parsed(pattern).write(out)
    return "".join(out)


@lru_cache(maxsize=512)
def _parsed(pattern: str) -> _Choice:
    compile_regex(pattern)
    parser = _Parser(pattern)
    tree = parser.choice()
    if not parser.at_end:
        raise PatternError(f"Unsupported pattern operator {parser.peek()}.")
    if tree.longest > MAX_LENGTH:
        raise PatternError(f"The pattern could produce more than {MAX_LENGTH} characters.")
    return tree


class _Parser:
    """Recursive descent; RE2 has accepted the pattern before, so brackets are known to close."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def peek(self, ahead: int = 0) -> str:
        return self._text[self._at + ahead : self._at + ahead + 1]

    def _take(self) -> str:
        char = self.peek()
        if not char:
            raise PatternError("Unexpected end of the pattern.")
        self._at += 1
        return char

    def choice(self) -> _Choice:
        branches = [self._sequence()]
        while self.peek() == "|":
            self._take()
            branches.append(self._sequence())
        return _Choice(tuple(branches))

    def _sequence(self) -> tuple[_Node, ...]:
        nodes: list[_Node] = []
        while not self.at_end and self.peek() not in "|)":
            nodes.append(self._quantified(self._atom()))
        return tuple(nodes)

    def _atom(self) -> _Node:
        char = self._take()
        if char == "[":
            return _Chars(self._class())
        if char == "(":
            return self._group()
        if char == ".":
            return _Chars(_WORD)
        if char == "\\":
            return _Chars(self._escape())
        if char in "^$":
            raise PatternError(f"Unsupported pattern operator {char}.")
        return _Chars(char)

    def _group(self) -> _Node:
        if self.peek() == "?":
            self._take()
            if self._take() != ":":
                raise PatternError("Unsupported pattern operator (?.")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise PatternError("Too many nested groups.")
        inner = self.choice()
        self._depth -= 1
        self._take()
        return inner

    def _escape(self) -> str:
        char = self._take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char.isalnum():
            raise PatternError(f"Unsupported pattern operator \\{char}.")
        return char

    def _class(self) -> str:
        negated = self.peek() == "^"
        if negated:
            self._take()
        members: list[str] = []
        first = True
        while first or self.peek() != "]":
            first = False
            if self.peek() == "[" and self.peek(1) == ":":
                raise PatternError("Unsupported pattern operator [:.")
            members.append(self._class_item())
        self._take()
        alphabet = "".join(dict.fromkeys("".join(members)))
        if negated:
            alphabet = "".join(char for char in _PRINTABLE if char not in alphabet)
        if not alphabet:
            raise PatternError("The class matches no character.")
        return alphabet

    def _class_item(self) -> str:
        low = self._class_char()
        if len(low) != 1 or self.peek() != "-" or self.peek(1) in ("]", ""):
            return low
        self._take()
        high = self._class_char()
        if len(high) != 1 or not 0 <= ord(high) - ord(low) < 1024:
            raise PatternError("Unsupported range in a class.")
        return "".join(chr(code) for code in range(ord(low), ord(high) + 1))

    def _class_char(self) -> str:
        char = self._take()
        return self._escape() if char == "\\" else char

    def _quantified(self, node: _Node) -> _Node:
        char = self.peek()
        bounds: tuple[int, int] | None = None
        if char == "?":
            bounds = (0, 1)
        elif char == "*":
            bounds = (0, _OPEN_ENDED)
        elif char == "+":
            bounds = (1, _OPEN_ENDED)
        elif char == "{":
            return self._counted(node)
        if bounds is None:
            return node
        self._take()
        return self._lazy(_Repeat(node, *bounds))

    def _counted(self, node: _Node) -> _Node:
        """``{n}``, ``{n,}``, ``{n,m}``; anything else after ``{`` is a literal brace, as in RE2."""
        end = self._text.find("}", self._at)
        least, comma, most = self._text[self._at + 1 : end].partition(",")
        if end < 0 or not _is_count(least) or not (most == "" or _is_count(most)):
            return node
        self._at = end + 1
        upper = int(most) if most else int(least) + (_OPEN_ENDED if comma else 0)
        return self._lazy(_Repeat(node, int(least), upper))

    def _lazy(self, node: _Node) -> _Node:
        if self.peek() == "?":
            self._take()
        return node


def _is_count(text: Sequence[str]) -> bool:
    return bool(text) and all(char in _DIGITS for char in text)
