"""From the text of an index to its parts: a tokenizer and a recursive descent over one strict grammar."""

from __future__ import annotations

import re
from typing import Final

from projects.schema.index_parts import (
    COLLATIONS,
    FUNCTIONS,
    LITERAL_WORDS,
    Index,
    IndexColumn,
    IndexSyntaxError,
    Token,
    UnsupportedIndexError,
)

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | `(?P<back>[^`]+)` | "(?P<double>[^"]+)" | \[(?P<bracket>[^\]]+)\]
      | '(?P<string>(?:[^']|'')*)'
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<symbol><=|>=|<>|!=|==|[(),.;=<>-])
    )""",
    re.VERBOSE,
)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")
_COMPARISONS: Final = frozenset({"=", "==", "!=", "<>", "<", "<=", ">", ">="})


def parse_index(text: str) -> Index:
    """The index that ``text`` describes. Raises IndexSyntaxError."""
    return _Parser(_tokens(text)).index()


def _tokens(text: str) -> tuple[Token, ...]:
    out: list[Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise IndexSyntaxError(f"unexpected character {text[at:].lstrip()[:1]!r}")
        at = match.end()
        out.append(_token(match))
    return tuple(out)


def _token(match: re.Match[str]) -> Token:
    text = match.group().strip()
    kind = match.lastgroup
    assert kind is not None
    value = match[kind]
    if kind in ("back", "double", "bracket"):
        if _UNPRINTABLE.search(value) or any(quote in value for quote in '`"[]'):
            raise IndexSyntaxError("unexpected character in a name")
        return Token("quoted", text, value)
    if kind == "string":
        if _UNPRINTABLE.search(value):
            raise IndexSyntaxError("unexpected character in a string")
        return Token("string", text, value.replace("''", "'"))
    if kind == "word":
        return Token("word", text, value)
    return Token("number" if kind == "number" else "symbol", text, text)


def _unknown_function(name: str) -> UnsupportedIndexError:
    known = ", ".join(sorted(FUNCTIONS))
    return UnsupportedIndexError(f"function {name} is not allowed in an index (only {known})")


class _Parser:
    """Recursive descent over the tokens of one statement."""

    _MAX_DEPTH = 20  # nested brackets of a condition

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def index(self) -> Index:
        self._expect("CREATE")
        unique = self._accept("UNIQUE")
        self._expect("INDEX")
        if_not_exists = self._accept("IF")
        if if_not_exists:
            self._expect("NOT")
            self._expect("EXISTS")
        name = self._name()
        self._expect("ON")
        table = self._name()
        self._symbol("(")
        columns = [self._column()]
        while self._accept_symbol(","):
            columns.append(self._column())
        self._symbol(")")
        where: tuple[Token, ...] = ()
        if self._accept("WHERE"):
            start = self._at
            self._condition()
            where = self._tokens[start : self._at]
        self._accept_symbol(";")
        if self._at < len(self._tokens):
            raise IndexSyntaxError(f"unexpected {self._tokens[self._at].text!r}")
        return Index(name, table, tuple(columns), unique, if_not_exists, where)

    def _column(self) -> IndexColumn:
        name, function = self._name(), ""
        if self._accept_symbol("("):
            function = name.lower()
            if function not in FUNCTIONS:
                raise _unknown_function(name)
            name = self._name()
            self._symbol(")")
        collation = ""
        if self._accept("COLLATE"):
            collation = self._name().upper()
            if collation not in COLLATIONS:
                raise UnsupportedIndexError(f"collation {collation} is not allowed in an index")
        order = ""
        if self._accept("ASC"):
            order = "ASC"
        elif self._accept("DESC"):
            order = "DESC"
        return IndexColumn(name, function, collation, order)

    def _condition(self) -> None:
        self._terms()
        while self._accept("AND") or self._accept("OR"):
            self._terms()

    def _terms(self) -> None:
        self._accept("NOT")
        if self._peek_symbol("("):
            self._depth += 1
            if self._depth > self._MAX_DEPTH:
                raise IndexSyntaxError("too many nested brackets")
            self._symbol("(")
            self._condition()
            self._symbol(")")
            self._depth -= 1
            return
        self._operand()
        token = self._peek()
        if token is not None and token.text in _COMPARISONS:
            self._at += 1
            self._operand()
        elif self._accept("IS"):
            self._accept("NOT")
            self._expect("NULL")
        elif self._accept("NOT"):
            self._expect("IN")
            self._literals()
        elif self._accept("IN"):
            self._literals()

    def _literals(self) -> None:
        self._symbol("(")
        self._literal()
        while self._accept_symbol(","):
            self._literal()
        self._symbol(")")

    def _literal(self) -> None:
        token = self._next()
        if token.text == "-":
            token = self._next()
            if token.kind != "number":
                raise IndexSyntaxError(f"unexpected {token.text!r}")
        if token.kind not in ("string", "number") and not token.is_word(*LITERAL_WORDS):
            raise IndexSyntaxError(f"unexpected {token.text!r}")

    def _operand(self) -> None:
        token = self._peek()
        if token is None:
            raise IndexSyntaxError("unexpected end")
        if not token.is_name or token.is_word(*LITERAL_WORDS):
            self._literal()
            return
        self._at += 1
        if self._peek_symbol("("):
            if token.value.lower() not in FUNCTIONS:
                raise _unknown_function(token.value)
            self._symbol("(")
            self._name()
            self._symbol(")")

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        token = self._peek()
        if token is None:
            raise IndexSyntaxError("unexpected end")
        self._at += 1
        return token

    def _name(self) -> str:
        token = self._next()
        if not token.is_name or token.is_word("ON", "WHERE", "COLLATE"):
            raise IndexSyntaxError(f"expected a name, got {token.text!r}")
        return token.value

    def _accept(self, word: str) -> bool:
        token = self._peek()
        if token is None or not token.is_word(word):
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise IndexSyntaxError(f"expected {word}")

    def _peek_symbol(self, symbol: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == "symbol" and token.text == symbol

    def _accept_symbol(self, symbol: str) -> bool:
        if not self._peek_symbol(symbol):
            return False
        self._at += 1
        return True

    def _symbol(self, symbol: str) -> None:
        if not self._accept_symbol(symbol):
            raise IndexSyntaxError(f"expected {symbol}")
