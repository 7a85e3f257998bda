"""The right side of ``~``, as a pattern of LIKE and as a function; both fit the same texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

Matcher = Callable[[str], bool]

# SQLite refuses longer patterns; beyond it a pattern fits nothing, on every engine.
MAX_PATTERN_BYTES = 50_000


def ascii_lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def date_pattern(text: str) -> str:
    """A pattern for dates, where the space may stand after any wildcard."""
    return re.sub(r"(\d\d-\d\d) (?=\d|%|_|$)", r"\1T", text, flags=re.A)


class Wildcard(Enum):
    """``%`` (any text) and ``_`` (any one character) in a pattern."""

    ANY = "%"
    ONE = "_"


ANY, ONE = Wildcard.ANY, Wildcard.ONE
Token = str | Wildcard


def pattern_tokens(text: str) -> list[Token]:
    r"""The right side of ``~`` as literals, ANY and ONE.

    ``\%``, ``\_`` and ``\\`` stand for the character itself. Without a bare ``%`` all else is literal and is searched
    anywhere.
    """
    wild = "%" in re.sub(r"\\.", "", text, flags=re.S)
    tokens: list[Token] = [] if wild else [ANY]
    literal: list[str] = []

    def flush() -> None:
        if literal:
            tokens.append("".join(literal))
            literal.clear()

    position = 0
    while position < len(text):
        char = text[position]
        following = text[position + 1 : position + 2]
        if char == "\\" and following and (wild or following in "\\%_"):
            literal.append(following)
            position += 1
        elif wild and char == "%":
            flush()
            if not tokens or tokens[-1] is not ANY:
                tokens.append(ANY)
        elif wild and char == "_":
            flush()
            tokens.append(ONE)
        else:
            literal.append(char)
        position += 1
    flush()
    if not wild and len(tokens) > 1:
        tokens.append(ANY)
    return tokens


def sql_pattern(text: str) -> str:
    r"""The same pattern for LIKE with ``\`` as its escape."""
    pattern = "".join(
        token.value if isinstance(token, Wildcard) else re.sub(r"([\\%_])", r"\\\1", token)
        for token in pattern_tokens(text)
    )
    return pattern if len(pattern.encode()) <= MAX_PATTERN_BYTES else _NEVER


# A character that Unicode assigns to nobody.
_NEVER = "\U0010fffe"


def pattern_matcher(text: str) -> Matcher:
    """The same pattern as a function; its time grows with the subject's length, not with its own wildcards."""
    if len(text) > MAX_PATTERN_BYTES // 8 and sql_pattern(text) == _NEVER:
        return lambda subject: False
    tokens = [ascii_lower(token) if isinstance(token, str) else token for token in pattern_tokens(text)]
    segments: list[list[Token]] = [[]]
    for token in tokens:
        if token is ANY:
            segments.append([])
        else:
            segments[-1].append(token)
    if len(segments) == 1:
        whole = _regex(segments[0])
        return lambda subject: whole.fullmatch(ascii_lower(subject)) is not None
    if len(segments) == 3 and not segments[0] and not segments[2] and len(segments[1]) == 1:
        needle = segments[1][0]
        if isinstance(needle, str):
            return lambda subject: needle in ascii_lower(subject)
    first, last = _regex(segments[0]), _regex(segments[-1])
    first_width, last_width = _width(segments[0]), _width(segments[-1])
    middle = [_regex(segment) for segment in segments[1:-1]]

    def matches(subject: str) -> bool:
        subject = ascii_lower(subject)
        end = len(subject) - last_width
        if end < first_width or not first.match(subject) or not last.match(subject, end):
            return False
        position = first_width
        for part in middle:
            found = part.search(subject, position, end)
            if found is None:
                return False
            position = found.end()
        return True

    return matches


def _regex(segment: list[Token]) -> re.Pattern[str]:
    return re.compile(
        "".join("." if isinstance(token, Wildcard) else re.escape(token) for token in segment), re.S
    )


def _width(segment: list[Token]) -> int:
    return sum(len(token) if isinstance(token, str) else 1 for token in segment)
